#!/bin/sh
# Programs that contain all of libc: with loam's malloc linked in, and without, under the tool.
. "$(dirname "$0")/../lib/tap.sh"
cc=${CC:-gcc}

cat >"$tmp/guest.c" <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void *work(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        char *p = malloc((size_t)i * 10 + 1);
        memset(p, 1, (size_t)i * 10 + 1);
        free(i % 3 ? p : realloc(p, 20000));
    }
    return arg;
}
int main(void)
{
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, work, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    if (fork() == 0) {
        work(NULL);
        _exit(7);
    }
    int status;
    wait(&status);
    printf("%d\n", WEXITSTATUS(status));
    char *volatile q = malloc(10);
    free(q);
    if (getenv("CRIME") != NULL)
        free(q);
    return 3;
}
C
if ! $cc -g -static -o "$tmp/bare" "$tmp/guest.c" -pthread 2>"$tmp/log"; then
    skip_all "no static libc here"
fi
ok "links statically" $cc -g -static -o "$tmp/guest" "$tmp/guest.c" "$build/libloam_malloc.a" \
    -pthread 2>"$tmp/log"
show "$tmp/log"
is "works" "$("$tmp/guest"; echo $?)" "7
3"
like "malloc is loam's" "$(perl -e '$ENV{CRIME} = 1; system @ARGV' "$tmp/guest" 2>&1)" \
    '^loam: free: block was already freed: 0x'

# The tool cannot look into a static program: it says so at once instead of running it for nothing.
"$loam" run --leaks --report "$tmp/report" -o "$tmp/rec.loam" -- "$tmp/bare" >"$tmp/out" 2>"$tmp/err"
is "loam run of a static program ends with 125" "$? $(cat "$tmp/out")" "125 "
is "in one sentence" "$(wc -l <"$tmp/err")" 1
like "that says why" "$(cat "$tmp/err")" 'static'
done_testing
