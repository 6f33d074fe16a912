// http.h: a server for one page, for one reader at a time, on one thread.
//
// It answers GET and HEAD of one path and nothing else, reads at most 8 KiB of a request, waits at
// most two seconds for a slow client, and closes after each answer.
#pragma once

#include "base/base.h"

#include <stddef.h>

struct http_page {
    const char *path; // "/metrics"
    const char *type; // Content-Type
    // The body, to be freed by the server; NULL: it cannot be had now, and `why` says so.
    char *(*make)(void *of, size_t *ret_size, char *why, size_t why_size);
    void *of;
};

// Listen on "HOST:PORT" or "PORT" (loopback). The descriptor, or -1 with a sentence in `why`. Port
// 0 takes any: *ret_port tells which.
int http_listen(const char *where, u32 *ret_port, char *why, size_t why_size);
// Answer requests until a signal asks to stop (`stop` is looked at after each wait).
void http_serve(int fd, const struct http_page *page, volatile int *stop);
