// elf.c: every command that reads ELF files, on whatever the fuzzer thinks of, in one process.
//
// What the commands do in a child with limits (inspect/shield.h) happens here without it, so that
// the sanitizers see our own mistakes. elfutils is not instrumented; where it aborts by itself on
// poison, that is what the child is for, and no finding.

#include "inspect/code_view.h"
#include "inspect/facts_view.h"
#include "inspect/hex.h"
#include "inspect/layout_view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static FILE *nowhere;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    nowhere = fopen("/dev/null", "we");
    return nowhere == NULL;
}

static void elf(struct image *im)
{
    struct facts f;
    facts_load(&f, im);
    struct facts_view v = {.facts = &f, .sections = true};
    v.hardening_count = harden_of(&f, im, v.hardening);
    v.needs = needs_of(&f);
    facts_print(nowhere, &v);
    facts_json(nowhere, &v);
    facts_done(&f);
}

static void layout(struct image *im)
{
    struct structs s;
    Dwarf_Addr bias;
    char why[IMAGE_WHY];
    Dwarf *dwarf = image_dwarf(im, &bias, why);
    if (dwarf == NULL)
        return;
    structs_collect(&s, im, dwarf, NULL);
    struct layout_view v = {.path = im->path, .structs = &s, .rows = 10, .all = true};
    layout_list(nowhere, &v);
    layout_show(nowhere, &v);
    layout_json(nowhere, &v);
    structs_done(&s);
}

static void assembly(struct image *im, const char *symbol)
{
    struct code c;
    char why[IMAGE_WHY];
    if (code_load(&c, im, symbol, (struct code_options){0}, why) != 0)
        return;
    code_print(nowhere, &c);
    code_print_both(nowhere, &c, "a", &c, "b");
    code_json(nowhere, &c, "a", NULL, NULL);
    code_done(&c);
}

static void hex(const char *path, const char *address, const char *type)
{
    struct origin o;
    struct fields f;
    struct hex h;
    char what[128], why[IMAGE_WHY];
    snprintf(what, sizeof what, "%s%s", path, address);
    if (origin_open(&o, what, why) != 0)
        return;
    bool typed = fields_find(&f, &o.store, origin_image(&o), type, why) == 0 && f.size < 65536;
    if (hex_load(&h, &o, o.at, typed ? f.size : 256, why) == 0) {
        h.fields = typed ? &f : NULL;
        hex_print(nowhere, &h);
        hex_json(nowhere, &h);
        if (typed)
            hex_values(nowhere, &h);
        hex_done(&h);
    }
    origin_close(&o);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    char path[64], why[IMAGE_WHY];
    struct image im;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (image_open(&im, path, why) == 0) {
        elf(&im);
        layout(&im);
        assembly(&im, "main");
        assembly(&im, "0x1100");
        image_done(&im);
        hex(path, "", "u32");
        hex(path, ":first", "node");
    }
    close(fd);
    return 0;
}
