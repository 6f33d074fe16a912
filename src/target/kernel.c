// kernel.c: words that the kernel keeps for a program and hands back to it later.
#include "target/kernel.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Mark the hexadecimal number behind `key` in every line of the file.
static void mark_lines(const char *path, const char *key, struct mark *m)
{
    FILE *in = fopen(path, "re");
    char line[512];
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        const char *at = strstr(line, key);
        u64 word = at != NULL ? strtoull(at + strlen(key), NULL, 16) : 0;
        mark_words(m, &word, 1);
    }
    if (in != NULL)
        fclose(in);
}

static bool is_epoll(pid_t tid, const char *fd)
{
    char path[320], link[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%s", tid, fd);
    ssize_t n = readlink(path, link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    return strcmp(link, "anon_inode:[eventpoll]") == 0;
}

void kernel_mark(pid_t tid, struct mark *m)
{
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/timers", tid);
    mark_lines(path, "/", m); // "signal: 14/00007f0012345678"
    snprintf(path, sizeof path, "/proc/%d/fd", tid);
    DIR *dir = opendir(path);
    for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;) {
        if (d->d_name[0] == '.' || !is_epoll(tid, d->d_name))
            continue;
        snprintf(path, sizeof path, "/proc/%d/fdinfo/%s", tid, d->d_name);
        mark_lines(path, " data:", m); // "tfd:  5 events: 19 data:  7f0012345678 ..."
    }
    if (dir != NULL)
        closedir(dir);
}
