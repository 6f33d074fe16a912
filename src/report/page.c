// page.c: the built pages as bytes, and a writer that no text can break out of.

#include "report/page.h"

#include "base/base.h"

#include <string.h>

// The assembler reads the file: a table of numbers in C would take the compiler seconds.
#define PAGE(name)                                                                         \
    __asm__(".pushsection .rodata\n"                                                       \
            ".hidden page_" #name "\n.globl page_" #name "\npage_" #name ":\n"             \
            ".incbin \"web/dist/" #name ".html\"\n"                                        \
            ".hidden page_" #name "_end\n.globl page_" #name "_end\npage_" #name "_end:\n" \
            ".byte 0\n.popsection\n");                                                     \
    extern const char page_##name[], page_##name##_end[]

PAGE(lab);
PAGE(map);
PAGE(report);

static const struct {
    const char *start, *end;
} pages[] = {
    [PAGE_LAB] = {page_lab, page_lab_end},
    [PAGE_MAP] = {page_map, page_map_end},
    [PAGE_REPORT] = {page_report, page_report_end},
};

static const char mark[] = "/*data*/";

// In JSON a < stands only in texts, where it may be written as an escape. So neither </script> nor
// <!-- can appear, whatever a program, a file or a function is called.
static int put_escaped(const char *text, size_t size, void *out)
{
    while (size > 0) {
        const char *less = memchr(text, '<', size);
        size_t plain = less == NULL ? size : (size_t)(less - text);
        fwrite(text, 1, plain, out);
        if (less != NULL)
            fputs("\\u003c", out);
        plain += less != NULL;
        text += plain;
        size -= plain;
    }
    return ferror((FILE *)out) ? -1 : 0;
}

int page_write(FILE *out, enum page page, const json_t *data)
{
    const char *start = pages[page].start, *end = pages[page].end;
    const char *at = memmem(start, (size_t)(end - start), mark, sizeof mark - 1);
    if (at == NULL)
        die("loam: a page was built without a place for its data", NULL);
    fwrite(start, 1, (size_t)(at - start), out);
    int r = json_dump_callback(data, put_escaped, out, JSON_COMPACT | JSON_ENCODE_ANY);
    at += sizeof mark - 1;
    fwrite(at, 1, (size_t)(end - at), out);
    return r == 0 && fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
