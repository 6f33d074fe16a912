// 03_mmap.c: a mapping of one's own.
//
// mmap asks the kernel for a stretch of addresses anywhere; munmap gives it back, whatever else
// was mapped since. The unit is the OS page, 4096 bytes on most machines. Asking costs no RAM: the
// kernel finds a frame for a page when it is first touched. Build it with `cc 03_mmap.c`.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 16

// How many of the mapping's pages have a frame in RAM?
static int pages_in_ram(void *addr, size_t page)
{
    unsigned char in_ram[PAGES];
    if (mincore(addr, PAGES * page, in_ram) != 0)
        return -1;
    int count = 0;
    for (int i = 0; i < PAGES; i++)
        count += in_ram[i] & 1;
    return count;
}

// Read one byte in a child process and say by which signal it died, 0 if it lived. A child has a
// copy of our address space: what is dead here is dead there, and the crash is not ours.
static int signal_of_reading(const char *addr)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        volatile char byte = *(const volatile char *)addr;
        (void)byte;
        _exit(0);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int main(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = PAGES * page;

    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return 1;
    int before = pages_in_ram(p, page);
    printf("mapped %zu bytes at %p; pages in RAM: %d of %d\n", size, (void *)p, before, PAGES);

    strcpy(p, "written to the first page");
    strcpy(p + size - page, "written to the last");
    int after = pages_in_ram(p, page);
    printf("wrote to two pages; pages in RAM: %d of %d\n", after, PAGES);

    printf("read back: \"%s\", \"%s\", and %d where nobody wrote\n", p, p + size - page,
           p[5 * page]);
    if (strcmp(p, "written to the first page") != 0 || p[5 * page] != 0)
        return 1;
    if (signal_of_reading(p) != 0)
        return 1;

    if (munmap(p, size) != 0)
        return 1;
    int sig = signal_of_reading(p);
    printf("unmapped; a child that reads there dies of: %s\n", strsignal(sig));

    // p still holds the old number. Nothing about a pointer tells whether memory is behind it.
    return before == 0 && after >= 2 && sig == SIGSEGV ? 0 : 1;
}
