#!/bin/sh
# loam elf: the same facts as readelf and ldd, hardening by what was asked of the compiler, what is
# resident of a program, and files that are no ELF files.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cc=${CC:-cc}
here=$top/tests/cli

# field EXPRESSION FILE [OPTIONS]: a python expression over the JSON `o`.
field()
{
    expression=$1
    shift
    "$loam" elf --json "$@" |
        python3 -c 'import json, sys; o = json.load(sys.stdin); print(eval(sys.argv[1]))' \
            "$expression"
}
verdict() { field "o['hardening']['$1']['verdict']" "$2"; }

echo 'int large[100000]; int main(void) { return large[7]; }' >"$tmp/a.c"
cd "$tmp" || exit 1
$cc -g -o pie -fPIE -pie a.c && $cc -o fixed -fno-PIE -no-pie a.c && $cc -static -o static a.c &&
    $cc -c a.c && $cc -shared -fPIC -o liba.so -Wl,-soname,liba.so a.c
libc=$(ldd "$loam" | sed -n 's/.*=> \(.*libc.so.6\) .*/\1/p')
is "readelf says the same" \
    "$(python3 "$here/elf_oracle.py" "$loam" pie fixed static a.o liba.so "$loam" "$so" "$libc")" ""

is "libraries are where ldd finds them" \
    "$(field "'\n'.join(sorted(n['path'] for n in o['needs'] if 'ld-linux' not in n['name']))" "$loam")" \
    "$(ldd "$loam" | sed -n 's/.*=> \(\S*\) .*/\1/p' | sort)"

is "a program" "$(field "o['kind']" pie)" "program (PIE)"
is "at a fixed address" "$(field "o['kind']" fixed)" "program at a fixed address"
is "static" "$(field "o['kind']" static)" "program, statically linked"
is "an object file" "$(field "o['kind']" a.o)" "object file, not linked yet"
is "a library" "$(field "o['kind'], o['soname']" liba.so)" "('shared library', 'liba.so')"
is "entry" "$(field "o['entry_name']" pie)" "_start"
is "bss is memory only" "$(field "o['memory_only'] > 400000 > o['disk_only']" pie)" True
is "debug information" "$(field "o['debug']['dwarf'] >= 4, o['debug']['symbols']" pie)" "(True, True)"
cp pie stripped && strip stripped
is "stripped" "$(field "o['debug']['dwarf'], o['debug']['symbols']" stripped)" "(None, False)"

# Hardening: what the compiler is asked for is what is found.
cat >h.c <<'X'
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
    char a[16];
    strcpy(a, argv[argc - 1]);
    return puts(a);
}
X
$cc -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-all -Wl,-z,relro,-z,now -o hard h.c
$cc -O0 -U_FORTIFY_SOURCE -fno-stack-protector -no-pie -fno-PIE -Wl,-z,norelro,-z,execstack \
    -o soft h.c 2>/dev/null
$cc -shared -nostdlib -fPIC -fcf-protection=full -Wl,-z,relro,-z,lazy -o libcet.so \
    -x c - <<'X'
int f(void) { return 1; }
X
for what in PIE:yes:no NX:yes:no RELRO:yes:no canaries:yes:no FORTIFY:yes:no; do
    name=${what%%:*} rest=${what#*:}
    is "$name, hardened" "$(verdict "$name" hard)" "${rest%:*}"
    is "$name, not hardened" "$(verdict "$name" soft)" "${rest#*:}"
done
is "partial RELRO" "$(verdict RELRO libcet.so)" partly
is "CET" "$(verdict CET libcet.so)" "$(readelf -n libcet.so | grep -q 'IBT, SHSTK' && echo yes || echo no)"
$cc -o lost -Wl,-rpath,'$ORIGIN/lib' -L. -la a.c 2>/dev/null || $cc -o lost a.c -Wl,--no-as-needed -L. -la \
    -Wl,-rpath,'$ORIGIN/lib'
$cc -o lost a.c -Wl,--no-as-needed -L. -la -Wl,-rpath,'$ORIGIN/lib'
is "a missing library" "$(field "[n['name'] for n in o['needs'] if n['missing']]" lost)" "['liba.so']"
like "is told" "$("$loam" elf lost)" 'liba.so +missing'
mkdir lib && cp liba.so lib
is "found by its RUNPATH" "$(field "o['needs'][0]['path']" lost)" "./lib/liba.so"

# What is resident: a library that this very test's shell does not map, and its own program.
sleep 100 &
pid=$!
while [ "$(readlink /proc/$pid/exe)" != "$(readlink -f "$(command -v sleep)")" ]; do :; done
is "resident: some, and not more than there is" \
    "$(field "0 < o['resident']['resident'] <= o['resident']['mapped']" sleep --vs $pid)" True
is "a number is a process's program" "$(field "o['build_id'] is not None or o['size'] > 0" $pid)" True
"$loam" elf liba.so --vs $pid 2>err
is "not mapped: status" $? 1
is "not mapped" "$(cat err)" "loam elf: process $pid does not map liba.so."
kill $pid
wait $pid 2>/dev/null
"$loam" elf sleep --vs $pid 2>err
is "a process that has ended: status" $? 1
like "a process that has ended" "$(cat err)" "there is no process $pid"

# No ELF file: one sentence, status 1, nothing on stdout.
refuses()
{
    "$loam" elf "$2" >out 2>err
    is "$1: status" $? 1
    is "$1: sentence" "$(cat err)" "loam elf: $3"
    is "$1: nothing on stdout" "$(cat out)" ""
}
echo hello >text
: >empty
printf '#!/bin/sh\n' >script
ar rc lib.a a.o
mkfifo pipe
head -c 40 pie >cut
refuses "text" text "text is no ELF file."
refuses "empty" empty "empty is empty."
refuses "script" script "script is a script for /bin/sh: look at that program instead."
refuses "archive" lib.a "lib.a is an archive: take a member out with 'ar x'."
refuses "folder" . ". is a folder, not a file."
refuses "pipe" pipe "pipe is a device or a pipe, not a file."
refuses "nothing" ./none "./none cannot be opened: No such file or directory."
refuses "header cut" cut "cut begins as an ELF file does, but its header is damaged."
head -c 2000 pie >cut
like "a file that is cut short is shown as far as it goes" "$("$loam" elf cut)" 'TROUBLE'
"$loam" elf 2>err
is "no file: status" $? 2
is "80 columns without colour" "$("$loam" elf pie | LC_ALL=C.UTF-8 awk 'length($0) > 100')" ""
"$loam" elf pie >/dev/full 2>err
is "a full disk: status" $? 125
"$loam" elf "$libc" --json 2>err | head -1 >/dev/null
is "a pipe that closes: nothing is said" "$(cat err)" ""
like "the page has the picture" "$("$loam" elf pie)" 'FILE +MEMORY'
done_testing
