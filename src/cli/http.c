#include "cli/http.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REQUEST_MAX 8192
#define PATIENCE_S  2

static u32 port_of(int fd)
{
    struct sockaddr_storage at;
    socklen_t size = sizeof at;
    char port[16] = "0";
    if (getsockname(fd, (struct sockaddr *)&at, &size) == 0)
        getnameinfo((struct sockaddr *)&at, size, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    return (u32)strtoul(port, NULL, 10);
}

int http_listen(const char *where, u32 *ret_port, char *why, size_t why_size)
{
    char host[256] = "127.0.0.1";
    const char *colon = strrchr(where, ':'), *port = colon != NULL ? colon + 1 : where;
    if (colon != NULL && colon > where)
        snprintf(host, sizeof host, "%.*s", (int)(colon - where), where);
    struct addrinfo *at = NULL, hints = {.ai_socktype = SOCK_STREAM,
                                         .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    if (*port == 0 || getaddrinfo(host, port, &hints, &at) != 0) {
        snprintf(why, why_size, "'%s' is no address: try 127.0.0.1:9464.", where);
        return -1;
    }
    int yes = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, 16) != 0) {
        snprintf(why, why_size, "cannot listen on %s: %s.", where, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    } else {
        *ret_port = port_of(fd);
    }
    freeaddrinfo(at);
    return fd;
}

// The request up to its empty line; false if it does not come, or is too long.
static bool read_request(int fd, char request[REQUEST_MAX + 1])
{
    size_t n = 0;
    request[0] = 0;
    while (n < REQUEST_MAX) {
        ssize_t got = recv(fd, request + n, REQUEST_MAX - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        request[n] = 0;
        if (strstr(request, "\r\n\r\n") != NULL || strstr(request, "\n\n") != NULL)
            return true;
    }
    return false;
}

static void send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes += n;
        size -= (size_t)n;
    }
}

static void answer(int fd, const char *status, const char *type, const char *body, size_t size,
                   bool head_only)
{
    char head[512];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n",
                     status, type, size);
    send_all(fd, head, (size_t)n);
    if (!head_only)
        send_all(fd, body, size);
}

static void refuse(int fd, const char *status, const char *text)
{
    answer(fd, status, "text/plain; charset=utf-8", text, strlen(text), false);
}

static void serve_one(int fd, const struct http_page *page)
{
    char request[REQUEST_MAX + 1], method[8], target[256], why[256];
    size_t size = 0;
    if (!read_request(fd, request) || sscanf(request, "%7s %255s", method, target) != 2) {
        refuse(fd, "400 Bad Request", "That is no request.\n");
        return;
    }
    bool head = strcmp(method, "HEAD") == 0;
    target[strcspn(target, "?")] = 0;
    if (!head && strcmp(method, "GET") != 0) {
        refuse(fd, "405 Method Not Allowed", "Only GET and HEAD.\n");
        return;
    }
    if (strcmp(target, page->path) != 0) {
        refuse(fd, "404 Not Found", "There is only /metrics.\n");
        return;
    }
    char *body = page->make(page->of, &size, why, sizeof why);
    if (body == NULL)
        refuse(fd, "503 Service Unavailable", why);
    else
        answer(fd, "200 OK", page->type, body, size, head);
    free(body);
}

void http_serve(int fd, const struct http_page *page, volatile int *stop)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (!*stop) {
        if (poll(&wait, 1, 500) <= 0)
            continue;
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            continue;
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        serve_one(client, page);
        shutdown(client, SHUT_RDWR);
        close(client);
    }
}
