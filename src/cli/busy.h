// busy.h: a line on the terminal while something takes longer than a second.
//
//     struct busy b;
//     busy_begin(&b, "reading names and lines");
//     …
//     busy_end(&b);
//
// On stderr, and only if that is a terminal; the line is gone again before anything else is said.
#pragma once

#include "base/base.h"

#include <pthread.h>

struct busy {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t over;
    const char *what; // borrowed
    bool running, done;
};

void busy_begin(struct busy *b, const char *what);
void busy_end(struct busy *b);
