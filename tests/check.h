// check.h: unit tests that survive what they test. TAP on stdout; every test runs in a forked
// child, so it may crash, hang or corrupt its heap; nothing here allocates.
//
//     TEST(adds) { CHECK(1 + 1 == 2); }
//     DIES(double_free, "free: block was already freed") { ... }   // must abort with that text
//     int main(int argc, char **argv) { return check_main(argc, argv); }
//
// A test fails by a false CHECK, by a signal, or by taking longer than 60 s ($CHECK_SECONDS).
// `binary name` runs only the tests whose name contains `name`.
#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct check_test {
    const char *name;
    const char *dies; // NULL, or text that must appear on stderr before SIGABRT
    void (*run)(void);
    struct check_test *next;
};
static struct check_test *check_first, **check_last = &check_first;
static unsigned check_seconds = 60;

#define CHECK_ADD(id, text)                                           \
    static void test_##id(void);                                      \
    static struct check_test reg_##id = {#id, text, test_##id, NULL}; \
    __attribute__((constructor)) static void add_##id(void)           \
    {                                                                 \
        *check_last = &reg_##id;                                      \
        check_last = &reg_##id.next;                                  \
    }                                                                 \
    static void test_##id(void)
#define TEST(id)       CHECK_ADD(id, NULL)
#define DIES(id, text) CHECK_ADD(id, text)

#define CHECK(x)                                                         \
    do {                                                                 \
        if (!(x)) {                                                      \
            dprintf(2, "%s:%d: not true: %s\n", __FILE__, __LINE__, #x); \
            _exit(1);                                                    \
        }                                                                \
    } while (0)

// Run one test in a child; its stderr comes back in `err`.
static int check_one(const struct check_test *t, char *err, size_t size)
{
    int fd[2];
    if (pipe(fd) != 0)
        return 1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], 2);
        close(fd[0]);
        close(fd[1]);
        alarm(check_seconds);
        t->run();
        _exit(0);
    }
    close(fd[1]);
    size_t n = 0;
    ssize_t r;
    char drop[512];
    while ((r = read(fd[0], n < size - 1 ? err + n : drop,
                     n < size - 1 ? size - 1 - n : sizeof drop)) > 0)
        n += n < size - 1 ? (size_t)r : 0;
    err[n] = 0;
    close(fd[0]);
    int status = 1;
    waitpid(pid, &status, 0);
    if (t->dies != NULL)
        return !(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(err, t->dies));
    return status;
}

static int check_main(int argc, char **argv)
{
    static char err[8192];
    int n = 0, failed = 0;
    if (getenv("CHECK_SECONDS") != NULL)
        check_seconds = (unsigned)atoi(getenv("CHECK_SECONDS"));
    for (struct check_test *t = check_first; t != NULL; t = t->next) {
        if (argc > 1 && strstr(t->name, argv[1]) == NULL)
            continue;
        int status = check_one(t, err, sizeof err);
        printf("%sok %d - %s\n", status != 0 ? "not " : "", ++n, t->name);
        if (status != 0) {
            failed++;
            printf("# status %#x\n", status);
            for (char *line = strtok(err, "\n"); line != NULL; line = strtok(NULL, "\n"))
                printf("# %s\n", line);
        }
    }
    printf("1..%d\n", n);
    return failed != 0;
}
