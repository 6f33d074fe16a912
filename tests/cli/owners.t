#!/bin/sh
# The toolkit's owners as the tool sees them.
. "$(dirname "$0")/../lib/tap.sh"
cc=${CC:-gcc}

cat >"$tmp/forgets.c" <<'C'
#include <loam/box.h>
struct a {
    char bytes[500];
};
struct b {
    char bytes[300];
};
__attribute__((noinline)) static void forgets(void)
{
    struct a *p = loam_box_new(struct a, NULL);
    p = loam_forget(p);
    (void)p;
}
__attribute__((noinline)) static void leaks(void)
{
    struct b *volatile q = loam_box_new(struct b, NULL);
    q = NULL;
}
__attribute__((noinline)) static void wipes(void)
{
    volatile char stack[4096];
    for (unsigned i = 0; i < sizeof stack; i++)
        stack[i] = 0;
}
int main(void)
{
    forgets();
    leaks();
    wipes();
    return loam_box_forgotten().boxes != 1 || loam_box_forgotten().bytes != 500;
}
C
ok "builds with -lloam" $cc -g -O1 -I"$top/include" "$tmp/forgets.c" -L"$build" -lloam \
    -Wl,-rpath,"$build" -o "$tmp/forgets"
"$loam" run --leaks --report "$tmp/report" -- "$tmp/forgets" >"$tmp/out" 2>&1
is "what was forgotten is counted" $? 0
like "and is no leak, as one beside it is" "$(cat "$tmp/report")" '^LEAKED +316 bytes in 1 block'

cat >"$tmp/owners.c" <<'C'
#include <loam/loam.h>
struct conn {
    int fd;
    char text[100];
};
LOAM_POOL(conns, struct conn)
static loam_region cache;
static void deep(void *arg)
{
    volatile char buffer[20000];
    for (unsigned i = 0; i < sizeof buffer; i++)
        buffer[i] = 1;
    (void)arg;
}
static void all(void *arg)
{
    (void)arg;
    if (loam_go("deep", deep, NULL, NULL) != 0)
        return;
}
int main(void)
{
    static conns clients;
    conns_handle h;
    loam_region_init(&cache, "cache");
    clients = conns_make(LOAM_HERE);
    for (int i = 0; i < 30000; i++)
        if (loam_new(&cache, struct conn, .fd = i) == NULL)
            return 1;
    for (int i = 0; i < 100; i++) {
        loam_scratch(request);
        if (loam_printf(&request, "number %d", i) == NULL)
            return 1;
        loam_region_clear(&request);
    }
    for (int i = 0; i < 1000; i++)
        if (conns_new(&clients, &h) == NULL)
            return 1;
    return loam_task_run(NULL, all, NULL);
}
C
ok "builds" $cc -g -O1 -I"$top/include" "$tmp/owners.c" -L"$build" -lloam \
    -Wl,-rpath,"$build" -o "$tmp/owners"
"$loam" run --report "$tmp/report" --json "$tmp/json" -- "$tmp/owners" >"$tmp/out" 2>&1
is "a program with owners runs" $? 0
report=$(cat "$tmp/report")
like "the report has a section" "$report" '^OWNERS +[0-9.]+ MB in region \(2\)'
like "a region by its name and place" "$report" '^ +3\.[0-9]+ MB region cache, owners\.c:25$'
like "one that was never emptied is pointed out" "$report" 'grows and is never emptied'
is "and no other" "$(grep -c 'never emptied' "$tmp/report")" 1
like "scratch regions are counted" "$report" '100 made, 0 at the end .* emptied 100 times'
like "a pool" "$report" 'pool conns, owners\.c:26'
like "how deep a task's stack was" "$report" 'deepest stack 2[0-9](\.[0-9])? kB'
is "the same in JSON" "$(python3 - "$tmp/json" <<'P'
import json, sys
owners = {(o["kind"], o["name"]): o for o in json.load(open(sys.argv[1]))["owners"]}
cache, request = owners["region", "cache"], owners["region", "request"]
pool, deep = owners["pool", "conns"], owners["task", "deep"]
print(cache["live"], cache["grows"], cache["held_bytes"] >= cache["used_bytes"] >= 30000 * 104)
print(request["count"], request["live"], request["resets"], request["grows"])
print(pool["used_bytes"] == 1000 * 104, pool["live"], 20000 <= deep["used_max_bytes"] < 40000)
P
)" "1 True True
100 0 100 False
True 1 True"

cat >"$tmp/conn.c" <<'C'
#include <loam/loam.h>
#include <stdio.h>
struct hdr {
    char before[96], field;
};
int main(void)
{
    char text[100];
    loam_region r;
    loam_region_init(&r, "http.request");
    struct hdr *h = loam_new(&r, struct hdr), *many = loam_new_array(&r, struct hdr, 10);
    if (h == NULL || many == NULL)
        return 1;
    puts(loam_owner_text(&h->field, text, sizeof text) ? text : "nobody");
    puts(loam_owner_text(&many[2].field, text, sizeof text) ? text : "nobody");
    loam_region_done(&r);
    return 0;
}
C
ok "builds" $cc -g -O1 -I"$top/include" "$tmp/conn.c" "$build/libloam.a" -pthread -o "$tmp/conn"
is "LOAM=debug=on knows the objects in a region" "$(LOAM=debug=on "$tmp/conn")" \
    "region http.request, conn.c:11, +96 in struct hdr
region http.request, conn.c:11, +290 in struct hdr"
done_testing
