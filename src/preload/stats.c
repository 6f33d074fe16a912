// stats.c: mallinfo, malloc_info, malloc_stats: the libc names for what the heap holds.
#include "heap/arena.h"
#include "heap/census.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

export_ struct mallinfo2 mallinfo2(void)
{
    struct census c;
    census_take(&c);
    size_t blocks = 0;
    for (unsigned cls = 0; cls < CLASS_COUNT; cls++)
        blocks += c.cls[cls].capacity - c.cls[cls].live;
    size_t held = c.slab_bytes + c.large_bytes + c.dirty_bytes;
    size_t live = c.small_bytes + c.large_bytes;
    return (struct mallinfo2){
        .arena = held,
        .ordblks = blocks,
        .hblks = c.far_blocks,
        .hblkhd = c.far_bytes,
        .uordblks = live,
        .fordblks = held - live,
        .keepcost = c.dirty_bytes,
    };
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
export_ struct mallinfo mallinfo(void)
{
    struct mallinfo2 m = mallinfo2();
    return (struct mallinfo){
        .arena = (int)m.arena,
        .uordblks = (int)m.uordblks,
        .fordblks = (int)m.fordblks,
        .keepcost = (int)m.keepcost,
    };
}
#pragma GCC diagnostic pop

// Put together without printf, which may allocate: the caller may be low on memory.
struct out {
    char text[512];
    size_t n;
};

static void put(struct out *o, const char *s)
{
    size_t n = size_min(strlen(s), sizeof o->text - o->n);
    memcpy(o->text + o->n, s, n);
    o->n += n;
}

static void put_number(struct out *o, const char *before, u64 v, const char *after)
{
    char digits[DECIMAL_MAX + 1];
    digits[decimal(digits, v)] = 0;
    put(o, before);
    put(o, digits);
    put(o, after);
}

static bool flush(struct out *o, FILE *stream)
{
    size_t n = o->n;
    o->n = 0;
    return fwrite(o->text, 1, n, stream) == n;
}

static u64 class_waste(const struct census *c, unsigned cls)
{
    u64 pages = (u64)class_info[cls].pages << PAGE_SHIFT;
    return c->cls[cls].slabs * pages - c->cls[cls].live * class_info[cls].size;
}

static bool info_class(const struct census *c, unsigned cls, FILE *stream)
{
    struct out o = {.n = 0};
    put_number(&o, "<class size=\"", class_info[cls].size, "\"");
    put_number(&o, " slabs=\"", c->cls[cls].slabs, "\"");
    put_number(&o, " live=\"", c->cls[cls].live, "\"");
    put_number(&o, " capacity=\"", c->cls[cls].capacity, "\"");
    put_number(&o, " waste=\"", class_waste(c, cls), "\"/>\n");
    return flush(&o, stream);
}

static bool info_total(const char *type, u64 count, u64 size, FILE *stream)
{
    struct out o = {.n = 0};
    put(&o, "<total type=\"");
    put(&o, type);
    put_number(&o, "\" count=\"", count, "\"");
    put_number(&o, " size=\"", size, "\"/>\n");
    return flush(&o, stream);
}

// glibc's outer elements, and inside them what this heap knows: one <class> for each size in use.
export_ int malloc_info(int options, FILE *stream)
{
    if (options != 0)
        return EINVAL;
    struct census c;
    census_take(&c);
    u64 live = 0;
    struct out o = {.n = 0};
    put(&o, "<malloc version=\"loam-1\">\n<heap nr=\"0\">\n<sizes>\n");
    bool ok = flush(&o, stream);
    for (unsigned cls = 0; ok && cls < CLASS_COUNT; cls++) {
        live += c.cls[cls].live;
        if (c.cls[cls].slabs > 0)
            ok = info_class(&c, cls, stream);
    }
    put(&o, "</sizes>\n</heap>\n");
    ok = ok && flush(&o, stream) && info_total("live", live, c.small_bytes, stream) &&
         info_total("large", c.large_blocks, c.large_bytes, stream) &&
         info_total("mmap", c.far_blocks, c.far_bytes, stream) &&
         info_total("dirty", c.dirty_bytes >> PAGE_SHIFT, c.dirty_bytes, stream) &&
         info_total("clean", c.clean_bytes >> PAGE_SHIFT, c.clean_bytes, stream);
    put_number(&o, "<system type=\"current\" size=\"",
               c.slab_bytes + c.large_bytes + c.far_bytes + c.dirty_bytes, "\"/>\n");
    put_number(&o, "<aspace type=\"total\" size=\"", c.mapped_bytes + c.far_bytes, "\"/>\n");
    put(&o, "</malloc>\n");
    return ok && flush(&o, stream) ? 0 : -1;
}

static void tell(struct out *o)
{
    if (write(STDERR_FILENO, o->text, o->n) < 0) {
        // Nobody reads stderr.
    }
    o->n = 0;
}

export_ void malloc_stats(void)
{
    struct census c;
    census_take(&c);
    struct out o = {.n = 0};
    put_number(&o, "loam: ", c.small_bytes, " bytes live in slabs of ");
    put_number(&o, "", c.slab_bytes, "; ");
    put_number(&o, "", c.large_bytes, " in ");
    put_number(&o, "", c.large_blocks, " large blocks; free: ");
    put_number(&o, "", c.dirty_bytes, " dirty, ");
    put_number(&o, "", c.clean_bytes, " clean\n");
    tell(&o);
    for (unsigned cls = 0; cls < CLASS_COUNT; cls++) {
        if (c.cls[cls].slabs == 0)
            continue;
        put_number(&o, "loam: size ", class_info[cls].size, ": ");
        put_number(&o, "", c.cls[cls].live, " live of ");
        put_number(&o, "", c.cls[cls].capacity, " blocks in ");
        put_number(&o, "", c.cls[cls].slabs, " slabs, ");
        put_number(&o, "", class_waste(&c, cls), " bytes wasted\n");
        tell(&o);
    }
}
