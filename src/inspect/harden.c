// harden.c: one function a property; each looks at what the linker left in the file.

#include "inspect/harden.h"

#include "inspect/dynamic.h"

#include <stdio.h>
#include <string.h>

static const struct segment *segment_of(const struct facts *f, u32 type)
{
    for (u32 i = 0; i < f->segments_count; i++) {
        if (f->segments[i].type == type)
            return &f->segments[i];
    }
    return NULL;
}

static struct hardening pie(const struct facts *f)
{
    struct hardening h = {"PIE", HARDEN_YES, "loaded at another address each time"};
    if (f->type == ET_EXEC) {
        h.verdict = HARDEN_NO;
        h.says = "always at the same address: link with -pie, compile with -fPIE";
    }
    return h;
}

static struct hardening no_exec(const struct facts *f)
{
    struct hardening h = {"NX", HARDEN_YES, "the stack is not executable"};
    const struct segment *s = segment_of(f, PT_GNU_STACK);
    if (s == NULL) {
        h.verdict = HARDEN_PARTLY;
        h.says = "no PT_GNU_STACK: whether the stack is executable is up to the kernel";
    } else if ((s->flags & PF_X) != 0) {
        h.verdict = HARDEN_NO;
        h.says = "the stack is executable: an assembler file without .note.GNU-stack?";
    }
    return h;
}

static struct hardening write_exec(struct facts *f)
{
    struct hardening h = {"W^X", HARDEN_YES, "no segment is both writable and executable"};
    for (u32 i = 0; i < f->segments_count; i++) {
        const struct segment *s = &f->segments[i];
        if (s->type == PT_LOAD && (s->flags & PF_W) != 0 && (s->flags & PF_X) != 0) {
            h.verdict = HARDEN_NO;
            h.says = "a segment is writable and executable";
        }
    }
    if (h.verdict == HARDEN_YES && f->text_relocs) {
        h.verdict = HARDEN_NO;
        h.says = "the loader writes into the code (text relocations): compile with -fPIC";
    }
    return h;
}

static struct hardening relro(const struct facts *f)
{
    struct hardening h = {"RELRO", HARDEN_NO,
                          "the loader's tables stay writable: link with -z relro -z now"};
    if (segment_of(f, PT_GNU_RELRO) == NULL)
        return h;
    if (f->bind_now || !f->dynamic) {
        h.verdict = HARDEN_YES;
        h.says = "full: the loader's tables are read-only once it is done";
    } else {
        h.verdict = HARDEN_PARTLY;
        h.says = "partial: the table of calls stays writable; link with -z now";
    }
    return h;
}

// ---------------------------------------------------------------- what symbols tell

struct census {
    bool canary;
    u32 checked, checkable; // imported __memcpy_chk; imported memcpy
};

// Functions that _FORTIFY_SOURCE can replace, as far as programs use them.
static bool fortifiable(const char *name)
{
    static const char *const names[] = {
        "memcpy",    "memmove",  "memset",  "mempcpy",  "strcpy",   "strncpy", "strcat",
        "strncat",   "stpcpy",   "sprintf", "snprintf", "printf",   "fprintf", "vsprintf",
        "vsnprintf", "vfprintf", "gets",    "fgets",    "read",     "pread",   "recv",
        "recvfrom",  "fread",    "getcwd",  "realpath", "readlink", "syslog",  "asprintf",
        "poll",      "longjmp",  "wcscpy",  "vprintf",
    };
    for (size_t i = 0; i < countof(names); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static void count_symbol(void *ctx, const char *name, const GElf_Sym *sym)
{
    struct census *c = ctx;
    size_t len = strlen(name);
    if (strcmp(name, "__stack_chk_fail") == 0 || strcmp(name, "__stack_chk_guard") == 0)
        c->canary = true;
    if (sym->st_shndx != SHN_UNDEF)
        return;
    c->checked += len > 6 && strncmp(name, "__", 2) == 0 && strcmp(name + len - 4, "_chk") == 0;
    c->checkable += fortifiable(name);
}

static struct hardening canary(const struct census *c)
{
    if (c->canary)
        return (struct hardening){"canaries", HARDEN_YES,
                                  "functions with arrays check their frames"};
    return (struct hardening){
        "canaries", HARDEN_NO,
        "no function checks its frame: compile with -fstack-protector-strong"};
}

static struct hardening fortify(struct facts *f, const struct census *c)
{
    struct hardening h = {"FORTIFY", HARDEN_NO,
                          "no call is checked: compile with -O2 -D_FORTIFY_SOURCE=2"};
    char text[128];
    if (!f->dynamic || c->checked + c->checkable == 0) {
        h.verdict = HARDEN_DOES_NOT_APPLY;
        h.says = f->dynamic ? "it calls nothing that could be checked"
                            : "cannot be told of a static program";
    } else if (c->checked > 0) {
        snprintf(text, sizeof text, "%u of %u functions that can be checked are", c->checked,
                 c->checked + c->checkable);
        h.verdict = c->checkable == 0 ? HARDEN_YES : HARDEN_PARTLY;
        h.says = facts_text(f, text, strlen(text));
    }
    return h;
}

// Control flow: CET of x86, BTI and PAC of aarch64, by the note that the linker leaves when all
// of its inputs had it.
static struct hardening control_flow(const struct facts *f)
{
    bool arm = f->machine == EM_AARCH64, jumps = (f->cet & 1) != 0, returns = (f->cet & 2) != 0;
    struct hardening h = {arm ? "BTI, PAC" : "CET", HARDEN_YES,
                          arm ? "both: jumps land on marks, return addresses are signed"
                              : "both: jumps land on marks (IBT), a shadow stack guards returns"};
    if (jumps && returns)
        return h;
    h.verdict = jumps || returns ? HARDEN_PARTLY : HARDEN_NO;
    if (jumps)
        h.says = arm ? "jumps land on marks (BTI), but returns are not signed"
                     : "jumps land on marks (IBT), but there is no shadow stack";
    else if (returns)
        h.says = arm ? "return addresses are signed (PAC), but jumps land anywhere"
                     : "a shadow stack guards returns, but jumps land anywhere";
    else
        h.says = arm ? "neither: -mbranch-protection=standard in all parts"
                     : "neither IBT nor shadow stack: -fcf-protection in all parts";
    return h;
}

static struct hardening run_path(const struct facts *f)
{
    struct hardening h = {"RUNPATH", HARDEN_YES, "none: libraries come from the system"};
    const char *path = f->runpath != NULL ? f->runpath : f->rpath;
    if (path == NULL)
        return h;
    // An empty part, or one that does not begin with / or $ORIGIN, means the working folder.
    bool wild = false;
    for (const char *at = path;; at++) {
        wild |= *at != '/' && strncmp(at, "$ORIGIN", 7) != 0 && strncmp(at, "${ORIGIN}", 9) != 0;
        at = strchr(at, ':');
        if (at == NULL)
            break;
    }
    h.verdict = wild ? HARDEN_NO : HARDEN_PARTLY;
    h.says = wild ? "takes libraries from the folder that it is started in" : path;
    return h;
}

u32 harden_of(struct facts *f, struct image *im, struct hardening out[HARDEN_MAX])
{
    struct census c = {0};
    u32 n = 0;
    if (f->linking == LINKING_CORE || f->linking == LINKING_OBJECT || f->segments_count == 0)
        return 0;
    dynamic_symbols(f, im, count_symbol, &c);
    out[n++] = pie(f);
    out[n++] = no_exec(f);
    out[n++] = write_exec(f);
    out[n++] = relro(f);
    out[n++] = canary(&c);
    out[n++] = fortify(f, &c);
    if (f->machine == EM_X86_64 || f->machine == EM_386 || f->machine == EM_AARCH64)
        out[n++] = control_flow(f);
    if (f->dynamic)
        out[n++] = run_path(f);
    return n;
}
