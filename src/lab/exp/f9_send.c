// F9 send: who checks that only one thread at a time has it?

#include "lab/lab.h"

#include <loam/rc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

// loam's own headers, to be compiled against wherever the lab runs.
LAB_EMBED("lab_header_mutex", "include/loam/mutex.h");
LAB_EMBED("lab_header_attr", "include/loam/attr.h");
extern const char lab_header_mutex[], lab_header_attr[];

// One function wants the lock held; one caller holds it, one does not.
static const char program[] = "#include <loam/mutex.h>\n"
                              "struct account { int cents; };\n"
                              "static loam_mutex(struct account) shared;\n"
                              "static void add(struct account *a) LOAM_LOCKED(&shared);\n"
                              "static void add(struct account *a) { a->cents++; }\n"
                              "void right(void) { loam_with(&shared, a) add(a); }\n"
                              "#ifdef WRONG\n"
                              "void wrong(struct account *a) { add(a); }\n"
                              "#endif\n";

static struct {
    int n;
} * shared;

static void *second_thread(void *of)
{
    loam_rc_unref(loam_rc_ref(shared)); // plain counts, another thread
    return of;
}

static void witness(u32 which)
{
    pthread_t t;
    struct number {
        int n;
    };
    struct number *mine = which == 0 ? loam_rc_new(struct number, NULL, .n = 1)
                                     : loam_arc_new(struct number, NULL, .n = 1);
    shared = (void *)mine;
    if (mine == NULL || pthread_create(&t, NULL, second_thread, NULL) != 0)
        return;
    pthread_join(t, NULL);
    loam_rc_drop(mine);
}

static bool put(const char *folder, const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    bool ok = f != NULL && fputs(text, f) >= 0;
    return f != NULL && fclose(f) == 0 && ok;
}

static bool compiles(struct lab *l, const char *folder, const char *define, struct lab_end *end)
{
    char include[300], source[300];
    char *argv[] = {"clang",
                    "-fsyntax-only",
                    "-Wthread-safety",
                    "-Werror=thread-safety",
                    include,
                    (char *)define,
                    source,
                    NULL};
    snprintf(include, sizeof include, "-I%s", folder);
    snprintf(source, sizeof source, "%s/lock.c", folder);
    return lab_program(l, argv, 10, end) == 0 && end->status == 0;
}

static void by_clang(struct lab *l)
{
    char sub[300];
    struct lab_end right, wrong;
    const char *folder = lab_has("clang") ? lab_folder(l) : NULL;
    if (folder == NULL) {
        lab_cannot(l, "compiler_checks_lock", "clang is not installed");
        return;
    }
    snprintf(sub, sizeof sub, "%s/loam", folder);
    if (mkdir(sub, 0700) != 0 || !put(folder, "lock.c", program) ||
        !put(sub, "mutex.h", lab_header_mutex) || !put(sub, "attr.h", lab_header_attr)) {
        lab_cannot(l, "compiler_checks_lock", "the folder cannot be written to");
        return;
    }
    bool accepts = compiles(l, folder, "-DRIGHT", &right);
    bool refuses = !compiles(l, folder, "-DWRONG", &wrong);
    const char *error = strstr(wrong.said, "error:");
    lab_check(l, "compiler_checks_lock", accepts && refuses && error != NULL, "clang: %.90s",
              error == NULL ? right.said : error);
}

static bool told(struct lab *l, u32 which, char line[100])
{
    struct lab_end end = {0};
    if (lab_witness(l, "F9", which, "debug=on", &end) != 0)
        return false;
    snprintf(line, 100, "%.*s", (int)strcspn(end.said, "\n"), end.said);
    return strstr(end.said, "second thread") != NULL;
}

static void run(struct lab *l)
{
    char line[100], other[100];
    by_clang(l);
    bool rc = told(l, 0, line), arc = told(l, 1, other);
    lab_check(l, "rc_told", rc && !arc, "%s", rc ? line : "nothing was told");
    lab_check(l, "compiler_checks_rc", false,
              "C compiles an rc that goes to another thread; LOAM=debug=on tells it as it runs");
}

static const struct claim claims[] = {
    {S3, "topic 8", "Sync: data behind a lock", "checked by the compiler", "compiler_checks_lock",
     0, 0, NULL},
    {S3, "topic 8", "Send: an Rc given to a thread", "checked by the compiler",
     "compiler_checks_rc", 0, 0, NULL},
    {S3, "topic 8", "an Rc in two threads", "is an error", "rc_told", 0, 0, NULL},
};

LAB_EXPERIMENT(F9) = {
    .question = "Who notices that two threads share what is for one?",
    .prediction =
        "Rust's compiler, by Send and Sync. A C compiler knows neither; clang can be told "
        "which function needs which lock.",
    .method = "A function that wants loam's mutex held is called with and without it, and clang "
              "judges with -Wthread-safety. Then a plainly counted object is used by a second "
              "thread, and an atomically counted one, with LOAM=debug=on.",
    .look = "clang refuses the call without the lock. The rc is told when it happens, the arc is "
            "not: at run time, and only where it ran.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .witness = witness,
};
