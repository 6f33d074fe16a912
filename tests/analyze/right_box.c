// Boxes as they are meant: every way out drops what it owns.
#include <loam/box.h>
#include <stdio.h>
struct file {
    int fd;
};
static void file_close(struct file *f)
{
    printf("close %d\n", f->fd);
}
static struct file *file_open(int fd)
{
    loam_auto struct file *f = loam_box_new(struct file, file_close, .fd = fd);
    if (f == NULL || fd < 0)
        return NULL;
    return loam_move(f);
}
int main(void)
{
    loam_auto struct file *a = file_open(1);
    loam_auto struct file *b = file_open(2);
    if (a == NULL || b == NULL)
        return 1;
    loam_auto struct file *old = loam_replace(a, loam_move(b));
    if (old == NULL)
        return 1;
    loam_drop(old);
    return a == NULL;
}
