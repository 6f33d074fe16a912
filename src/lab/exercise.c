// exercise.c: cc, then the program; both in children that die with the lab.

#include "lab/exercise.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

bool exercise_ok(const struct lab_end *end)
{
    return !end->timed_out && WIFEXITED(end->status) && WEXITSTATUS(end->status) == 0;
}

bool exercise_run(struct lab *l, const char *key, const char *source, const char *flag,
                  struct lab_end *ret_end)
{
    char c[300], program[300], as[8];
    if (!lab_has("cc")) {
        lab_cannot(l, key, "no compiler is installed (cc)");
        return false;
    }
    const char *folder = lab_folder(l);
    if (folder == NULL)
        return false;
    snprintf(c, sizeof c, "%s/exercise.c", folder);
    snprintf(program, sizeof program, "%s/exercise", folder);
    snprintf(as, sizeof as, "%s", flag);
    FILE *f = fopen(c, "we");
    if (f == NULL || fputs(source, f) < 0 || fclose(f) != 0) {
        lab_cannot(l, key, "no file could be written in %s", folder);
        return false;
    }
    char *compile[] = {"cc", "-std=gnu17", "-O0", as, "-o", program, c, NULL};
    char *start[] = {program, NULL};
    struct lab_end end;
    if (lab_program(l, compile, 15, &end) != 0 || !exercise_ok(&end)) {
        lab_cannot(l, key, "the exercise could not be compiled with %s", flag);
        return false;
    }
    if (lab_program(l, start, 5, ret_end) != 0) {
        lab_cannot(l, key, "programs in %s may not be run", folder);
        return false;
    }
    return true;
}

void exercise_print(struct lab *l, const char *said)
{
    while (*said != 0) {
        size_t n = strcspn(said, "\n");
        lab_line(l, "%.*s", n < 78 ? (int)n : 78, said);
        said += n + (said[n] == '\n');
    }
}
