// A child of fork loses a block, and the parent another one afterwards. The block that the parent
// holds is not lost in either.
// total: 170 + 180 bytes
#include "leak.h"
#include <sys/wait.h>
#include <unistd.h>

static void *kept;

static apart void in_child(void)
{
    lose(malloc(170), 170); // lost
}

static apart void in_parent(void)
{
    lose(malloc(180), 180); // lost
}

int main(void)
{
    kept = malloc(1000);
    memset(kept, 1, 1000);
    pid_t child = fork();
    if (child == 0) {
        in_child();
        scrub();
        exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    in_parent();
    scrub();
    opaque(&kept);
    return status;
}
