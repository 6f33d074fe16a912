// B23 loadcopy: what of a program's file is in memory when it runs.

#include "lab/lab.h"
#include "lab/pages.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct part {
    unsigned long long size, here; // KiB
};

// `cat /proc/self/smaps`, the sum over mappings of files.
static struct part files_of(const char *smaps)
{
    struct part all = {0, 0};
    bool file = false;
    while (smaps != NULL && *smaps != 0) {
        unsigned long long from, to, kib;
        char path[2] = "";
        if (sscanf(smaps, "%llx-%llx %*s %*s %*s %*s %1[/]", &from, &to, path) >= 2)
            file = path[0] == '/';
        else if (file && sscanf(smaps, "Size: %llu kB", &kib) == 1)
            all.size += kib;
        else if (file && sscanf(smaps, "Rss: %llu kB", &kib) == 1)
            all.here += kib;
        const char *end = strchr(smaps, '\n');
        smaps = end == NULL ? NULL : end + 1;
    }
    return all;
}

// The lab's own file, mapped anew: nothing is there, one byte is read, and then?
static void map_again(struct lab *l)
{
    struct stat s;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &s) != 0 || s.st_size < (off_t)(64 * KiB)) {
        lab_cannot(l, "none_before_touch", "the lab's own file cannot be read");
    } else {
        size_t bytes = (size_t)s.st_size;
        char *at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at != MAP_FAILED) {
            long before = pages_present(at, bytes);
            KEEP(*(volatile char *)at);
            long after = pages_present(at, bytes), all = (long)(bytes / l->machine->page);
            lab_check(l, "none_before_touch", before == 0 && after > 0 && after < all,
                      "of %ld pages %ld before the first read, %ld after it", all, before, after);
            munmap(at, bytes);
        }
    }
    if (fd >= 0)
        close(fd);
}

static void run(struct lab *l)
{
    char *argv[] = {"cat", "/proc/self/smaps", NULL};
    struct lab_end end;
    if (lab_program(l, argv, 5, &end) != 0 || end.status != 0) {
        lab_cannot(l, "in_ram", "cat could not be run, or may not see its own mappings");
    } else {
        struct part p = files_of(end.said);
        lab_note(l,
                 "cat and the libraries it maps: %llu KiB of files, %llu KiB of them in its "
                 "page table.",
                 p.size, p.here);
        if (p.size > 0)
            lab_exact(l, "in_ram", 100.0 * (double)p.here / (double)p.size, "%");
        lab_why(l, "in_ram", "the file is mapped, and pages come when they are touched");
    }
    map_again(l);
}

static const struct claim claims[] = {
    {S3, "topic 3", "of the program's file, in RAM at start", "the OS copies it", "in_ram", 100,
     100, "%"},
    {S4, NULL, "pages of a mapped file", "loaded on demand", "none_before_touch", 0, 0, NULL},
};

LAB_EXPERIMENT(B23) = {
    .question = "Is a program's file copied into memory when it starts?",
    .prediction = "One text says so: the system simply copies this chunk of the file into RAM. "
                  "Another speaks of pages that are loaded on demand.",
    .method = "A small program prints its own /proc/self/smaps: how much of the files that it maps "
              "is in its page table by then. Then the lab maps its own file anew, and asks "
              "/proc/self/pagemap before and after it reads one byte.",
    .look = "Nothing is copied: the pages belong to the page cache, and every process that runs "
            "the program shares them. One touch brings sixteen pages at once, the neighbours that "
            "happen to be cached.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
