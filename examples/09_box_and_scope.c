// 09_box_and_scope.c: one owner, and clean-ups that cannot be forgotten.
//
// A box is an object with one owner. The variable that owns it drops it at the end of its scope;
// to give it away one moves it, and the variable is NULL from then on. What is not an object, such
// as an open file, is undone by loam_defer, which stands beside what it undoes. There is no free,
// no fclose before each return, and no label to jump to. In clang, compile with -fblocks.
#include <loam/box.h>
#include <loam/scope.h>
#include <stdio.h>
#include <string.h>

struct account {
    char owner[16];
    int cents;
    FILE *log; // owned: closed by the destructor
};

static int closed;

static void account_drop(struct account *a)
{
    printf("account of %s closed with %d\n", a->owner, a->cents);
    if (a->log != NULL)
        fclose(a->log);
    closed++;
}

// The caller owns what it gets: that is what returning a box means.
static struct account *account_open(const char *owner, int cents)
{
    loam_auto struct account *a = loam_box_new(struct account, account_drop, .cents = cents);
    if (a == NULL)
        return NULL;
    snprintf(a->owner, sizeof a->owner, "%s", owner);
    a->log = tmpfile();
    if (a->log == NULL)
        return NULL; // `a` is dropped here
    return loam_move(a);
}

// Takes the account: it is gone when this returns.
static int account_close(struct account *taken)
{
    loam_auto struct account *a = taken;
    fprintf(a->log, "closed\n");
    return a->cents;
}

static int count_lines(const char *path)
{
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return -1;
    loam_defer
    {
        fclose(f);
    };
    int lines = 0;
    for (int c; (c = getc(f)) != EOF;)
        if (c == '\n' && ++lines == 1000)
            return lines; // closed here too
    return lines;
}

int main(void)
{
    loam_auto struct account *mine = account_open("me", 100);
    loam_auto struct account *yours = account_open("you", 50);
    if (mine == NULL || yours == NULL)
        return 1;
    int cents = account_close(loam_move(yours));
    printf("yours is %s, and had %d\n", yours == NULL ? "gone" : "still there", cents);

    // A new one takes the place of the old one, which has a new owner: the next variable.
    loam_auto struct account *old = loam_replace(mine, account_open("me again", 200));
    printf("mine was of %s\n", old->owner);
    bool ok = closed == 1 && yours == NULL && strcmp(mine->owner, "me again") == 0;
    loam_drop(old);
    ok = ok && closed == 2 && count_lines("/proc/self/maps") > 0;
    return ok ? 0 : 1;
}
