#!/bin/sh
# The heap at the kernel's limits, with calls refused, and with an environment that means it no good:
# NULL with ENOMEM or a slower way; never a crash, never other bytes than were written.
. "$(dirname "$0")/../lib/tap.sh"
[ -f "$so" ] || skip_all "$so is not built"
program=$tmp/limits
${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O1 -g -fno-builtin -o "$program" "$(dirname "$0")/limits.c" ||
    fail "compile"

# try NAME CASE...: the case ends well, or says that this machine does not let it.
try()
{
    name=$1
    shift
    LD_PRELOAD=$so timeout 100 "$program" "$@" >"$tmp/out" 2>"$tmp/err"
    status=$?
    case $status in
    77) skip "$name" "this machine does not let it" ;;
    *) is "$name" "$status$(cat "$tmp/err")" 0 ;;
    esac
}

# ---- limits of addresses and of memory

(ulimit -v 150000 && LD_PRELOAD=$so timeout 100 "$program" ulimit) >"$tmp/out" 2>&1
is "ulimit -v: NULL with ENOMEM, and the program goes on" "$?$(cat "$tmp/out")" 0
try "RLIMIT_AS lowered: there is room for the program's own mapping" lowered
try "vm.overcommit_memory=2 would charge little more than what lives" charge
if [ "$(cat /proc/sys/vm/overcommit_memory)" = 2 ]; then
    try "vm.overcommit_memory=2" live
else
    skip "vm.overcommit_memory=2" "it is the whole machine's setting; this one has another"
fi
try "mlockall(MCL_FUTURE) with a small RLIMIT_MEMLOCK" lock-small
try "mlockall(MCL_CURRENT | MCL_FUTURE)" lock-large
try "huge pages disabled, asked for, refused" huge

# The version 1 file or the version 2 file of a memory limit, in a group of our own.
group=
for root in /sys/fs/cgroup/memory /sys/fs/cgroup; do
    for file in memory.limit_in_bytes memory.max; do
        [ -z "$group" ] && [ -d "$root" ] && mkdir "$root/loam-test-$$" 2>/dev/null || continue
        group=$root/loam-test-$$
        [ -f "$group/$file" ] && echo 64M 2>/dev/null >"$group/$file" && break 2
        rmdir "$group"
        group=
    done
done
if [ -n "$group" ]; then
    trap 'rmdir "$group" 2>/dev/null; rm -rf "$tmp"' EXIT
    sh -c 'echo $$ >"$1/cgroup.procs" && LD_PRELOAD=$2 exec "$3" cgroup' - \
        "$group" "$so" "$program" >"$tmp/out" 2>&1
    is "45 MiB live, again and again, in a cgroup of 64 MiB" "$?$(cat "$tmp/out")" 0
    rmdir "$group"
else
    skip "a cgroup of 64 MiB" "this machine lets none be made"
fi

# ---- the limit of mappings

try "realloc's moves leave the program its mappings" moves
try "no mapping can be added" mappings

# ---- calls that are refused, every one, every second, every third ..

for call in "mmap ENOMEM" "madvise EINVAL" "madvise ENOMEM" "mremap ENOMEM" "mremap EINVAL" \
    "all ENOMEM"; do
    # shellcheck disable=SC2086
    try "$call" refused $call
done
try "memory that the kernel does not take back costs no walk at every free" storm

# ---- a core of a small program stays small

# gcore writes every mapped page, touched or not: what counts is what is mapped in advance.
# core FILE [PRELOAD]: its size in KiB
core()
{
    rm -f "$tmp/ready"
    mkfifo "$tmp/ready"
    LD_PRELOAD=$2 "$program" core >"$tmp/ready" &
    pid=$!
    read -r _ <"$tmp/ready"
    gcore -o "$1" $pid >/dev/null 2>&1
    kill $pid
    wait $pid 2>/dev/null
    [ -f "$1.$pid" ] && echo $(($(stat -c %s "$1.$pid") / 1024)) || echo 0
    rm -f "$1.$pid"
}
if command -v gcore >/dev/null; then
    glibc=$(core "$tmp/glibc") loam=$(core "$tmp/loam" "$so")
    echo "# core of a small program: glibc $glibc KiB, loam $loam KiB"
    ok "there are two cores" test "$glibc" -gt 0 -a "$loam" -gt 0
    ok "gcore: at most 3 MiB more than on glibc" test "$loam" -le $((glibc + 3072))
else
    skip "gcore" "gdb is not installed"
fi

# ---- the environment

# said VALUE: what a program with LOAM=VALUE writes to stderr, beside doing its work
said()
{
    LOAM=$1 LD_PRELOAD=$so "$program" live 2>&1 >"$tmp/out"
    [ "$(cat "$tmp/out")" = fine ] || echo "the program did not do its work"
}
is "an unknown key: one warning" "$(said 'shape=round')" "loam: LOAM: ignored: shape=round"
is "two: still one" "$(said 'shape=round,colour=red,mode=default' | wc -l)" 1
is "an unknown value" "$(said 'background=perhaps')" "loam: LOAM: ignored: background=perhaps"
for value in '' , ,,,, mode=default mode=default,mode=default background=on,background=off; do
    is "LOAM='$value': not a word" "$(said "$value")" ""
done
for value in = =,= == sample= sample=0 sample=99999999999999999999999 record mode=on,=; do
    is "LOAM='$value': one warning" "$(said "$value" | wc -l)" 1
done
said "$(head -c 100000 /dev/zero | tr '\0' x)" >"$tmp/long"
ok "100,000 bytes: a short warning" test "$(wc -c <"$tmp/long")" -lt 300 -a -s "$tmp/long"
said "$(printf '\033]0;evil\a\001\177=\377\376')" >"$tmp/bytes"
is "no orders to the terminal" "$(tr -d '\n\200-\377' <"$tmp/bytes")" \
    "loam: LOAM: ignored: ?]0;evil???="
is "a recording that is not there" "$(said "record=$tmp/none/$(head -c 5000 /dev/zero |
    tr '\0' y)" | wc -l)" 1
done_testing
