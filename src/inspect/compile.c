// compile.c: fork, exec, wait; in a folder of its own below $TMPDIR.

#include "inspect/compile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 64

static const char *suffix_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot == NULL || strchr(dot, '/') != NULL ? "" : dot + 1;
}

static bool is_cxx(const char *path)
{
    const char *s = suffix_of(path);
    return strcmp(s, "cc") == 0 || strcmp(s, "cpp") == 0 || strcmp(s, "cxx") == 0 ||
           strcmp(s, "C") == 0;
}

bool compile_is_source(const char *path)
{
    return strcmp(suffix_of(path), "c") == 0 || is_cxx(path);
}

// Append the words of `text`, which is cut up, to argv.
static size_t add_words(char *text, char **argv, size_t n)
{
    char *rest = NULL;
    for (char *w = strtok_r(text, " ", &rest); w != NULL && n + 8 < WORDS_MAX;
         w = strtok_r(NULL, " ", &rest))
        argv[n++] = w;
    return n;
}

static const char *compiler_for(const char *source)
{
    const char *named = getenv(is_cxx(source) ? "CXX" : "CC");
    return named != NULL && *named != 0 ? named : is_cxx(source) ? "c++" : "cc";
}

static void run(char *compiler, char *flags, const char *source, const char *object)
{
    char *argv[WORDS_MAX] = {NULL};
    size_t n = add_words(compiler, argv, 0);
    argv[n++] = (char *)"-g";
    n = add_words(flags, argv, n);
    argv[n++] = (char *)"-c";
    argv[n++] = (char *)"-o";
    argv[n++] = (char *)object;
    argv[n++] = (char *)source;
    dup2(2, 1); // what a compiler says is talk
    execvp(argv[0], argv);
    _exit(errno == ENOENT ? 127 : 126);
}

static int explain(int status, const char *compiler, const char *source, char why[IMAGE_WHY])
{
    if (WIFEXITED(status) && WEXITSTATUS(status) >= 126)
        snprintf(why, IMAGE_WHY, "there is no compiler '%.200s': install it, or set %s", compiler,
                 is_cxx(source) ? "CXX" : "CC");
    else
        snprintf(why, IMAGE_WHY, "%.200s does not compile; --flags takes what it needs", source);
    return -1;
}

int compile_source(const char *source, const char *flags, char ret_path[256], char why[IMAGE_WHY])
{
    const char *folder = getenv("TMPDIR");
    char *compiler = strdup(compiler_for(source)), *words = strdup(flags);
    int status = -1;
    snprintf(ret_path, 256, "%.200s/loam-asm.XXXXXX", folder == NULL ? "/tmp" : folder);
    if (compiler == NULL || words == NULL || mkdtemp(ret_path) == NULL) {
        snprintf(why, IMAGE_WHY, "no folder for the object file in %.200s: %s",
                 folder == NULL ? "/tmp" : folder, strerror(errno));
        free(compiler);
        free(words);
        return -1;
    }
    strcat(ret_path, "/code.o");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        run(compiler, words, source, ret_path);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    int e = pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0
                ? 0
                : explain(status, compiler_for(source), source, why);
    if (e != 0)
        compile_remove(ret_path);
    free(compiler);
    free(words);
    return e;
}

void compile_remove(const char *path)
{
    char folder[256];
    unlink(path);
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = 0;
    rmdir(folder);
}
