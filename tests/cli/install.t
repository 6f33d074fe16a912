#!/bin/sh
# What `make install` puts where, and that a stranger's program can be built against it in the
# three ways: preloaded, with the loam_ names, and with malloc replaced at link time.
. "$(dirname "$0")/../lib/tap.sh"
dest=$tmp/dest
cc=${CC:-gcc}
mode=$(basename "$build")

make -C "$top" --no-print-directory -s install MODE="${mode%%-*}" O="$build" DESTDIR="$dest" \
    PREFIX=/opt/loam >"$tmp/log" 2>&1 || show "$tmp/log"
here=$dest/opt/loam

missing=
for f in bin/loam lib/libloam.so lib/libloam.so.0 lib/libloam.a lib/libloam_malloc.a \
    lib/pkgconfig/loam.pc include/loam/heap.h include/loam/chunk.h include/loam/attr.h \
    share/man/man1/loam.1; do
    [ -e "$here/$f" ] || missing="$missing $f"
done
is "everything is there" "$missing" ""
is "nothing is outside of PREFIX" "$(ls -A "$dest" "$dest/opt" | tr '\n' ' ')" \
    "$dest: opt  $dest/opt: loam "
is "libloam.so leads to its soname, and that to a real file" \
    "$(readlink "$here/lib/libloam.so") $(test -f "$here/lib/libloam.so.0" && echo file)" \
    "libloam.so.0 file"
is "the soname is libloam.so.0" \
    "$(readelf -d "$here/lib/libloam.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')" libloam.so.0
is "no folder of this machine's build is written into loam.pc" \
    "$(grep -e "$dest" -e "$top" -e @ "$here/lib/pkgconfig/loam.pc")" ""

# As if /opt/loam were there: pkg-config's own way to say so.
pkg()
{
    PKG_CONFIG_PATH=$here/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dest pkg-config "$@" loam
}
if command -v pkg-config >/dev/null; then
    is "pkg-config knows the version" "$(pkg --modversion)" "$("$loam" version | grep -o '[0-9.]*' |
        head -1)"
    flags=$(pkg --cflags --libs)
else
    skip "pkg-config knows the version" "pkg-config is not installed"
    flags="-I$here/include -L$here/lib -lloam"
fi

cat >"$tmp/plain.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *p = strdup("a block");
    p = realloc(p, 100000);
    printf("%s %d\n", p, p != NULL);
    free(p);
    char *volatile q = malloc(10);
    if (getenv("CRIME") != NULL)
        free(q + 1);
    free(q);
    return 0;
}
C
cat >"$tmp/ours.c" <<'C'
#include <loam/chunk.h>
#include <loam/heap.h>
#include <stdio.h>
#include <string.h>
int main(void)
{
    char *p = (char *)loam_malloc(100);
    strcpy(p, "a block of loam's");
    void *chunk = loam_mem_chunk(4096, LOAM_CHUNK_MMAP);
    printf("%s, %d\n", p, loam_mem_chunk_release(chunk));
    loam_free(p);
    return 0;
}
C

# Whose malloc a program uses shows when it commits a crime: the last words differ.
whose()
{
    perl -e '$ENV{CRIME} = 1; system @ARGV' "$@" 2>&1 >/dev/null | head -1 | sed 's/:.*//'
}

ok "a plain program compiles" $cc -g -w -o "$tmp/plain" "$tmp/plain.c"
is "preload: it works" "$(LD_PRELOAD=$here/lib/libloam.so "$tmp/plain")" "a block 1"
is "preload: malloc is loam's" "$(whose env LD_PRELOAD="$here/lib/libloam.so" "$tmp/plain")" loam
is "without: malloc is not loam's" "$(whose "$tmp/plain" | grep -x loam)" ""

ok "with the flags of pkg-config it compiles" $cc -g -w -o "$tmp/ours" "$tmp/ours.c" $flags
is "shared: it works" "$(LD_LIBRARY_PATH=$here/lib "$tmp/ours")" "a block of loam's, 0"
ok "C++ compiles against the headers" ${CXX:-g++} -x c++ -std=c++17 -Wall -Werror -fsyntax-only \
    $flags "$tmp/ours.c"
ok "against libloam.a it compiles" $cc -g -w -I"$here/include" -o "$tmp/static" "$tmp/ours.c" \
    "$here/lib/libloam.a" -pthread
is "libloam.a: it works" "$("$tmp/static")" "a block of loam's, 0"

ok "against libloam_malloc.a it compiles" $cc -g -w -o "$tmp/override" "$tmp/plain.c" \
    "$here/lib/libloam_malloc.a" -pthread
is "override: it works" "$("$tmp/override")" "a block 1"
is "override: malloc is loam's" "$(whose "$tmp/override")" loam

ok "a program that keeps libc's malloc links libloam.a" $cc -g -w -I"$here/include" -o "$tmp/both" \
    "$tmp/plain.c" "$here/lib/libloam.a" -pthread
is "libloam.a does not replace malloc" "$(whose "$tmp/both" | grep -x loam)" ""

# The installed tool finds its library beside itself, wherever the folder stands.
is "the installed tool runs a program" \
    "$("$here/bin/loam" run --report "$tmp/report" -o "$tmp/rec.loam" -- "$tmp/plain")" "a block 1"
like "and its report says so" "$(cat "$tmp/report")" 'plain'
done_testing
