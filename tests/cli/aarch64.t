#!/bin/sh
# The toolkit and its tasks on the other processor, under qemu. Not looked at there, because qemu's
# user mode does not have them: guards that the kernel makes by advice, robust mutexes, and
# (its own threads answer no signal) the collected heap.
. "$(dirname "$0")/../lib/tap.sh"
cc=aarch64-linux-gnu-gcc
command -v $cc >/dev/null || skip_all "no gcc-aarch64-linux-gnu"
command -v qemu-aarch64 >/dev/null || skip_all "no qemu-user"
flags="-std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -I$top/src -I$top/include -I$top -fPIC"

for layer in base os heap scan own; do
    mkdir "$tmp/$layer"
    cd "$tmp/$layer" && $cc $flags -c "$top"/src/$layer/*.c
done >"$tmp/log" 2>&1
is "the layers below the recorder have nothing to say" "$(cat "$tmp/log")" ""
for name in stack_test task_test channel_test region_test pool_test rc_test box_test layout_test \
    slice_test vec_test once_test file_test tracking_allocator_test; do
    only=
    [ $name = stack_test ] && only=context
    if ! $cc $flags -static -pthread "$top/tests/unit/$name.c" "$tmp"/*/*.o -o "$tmp/$name" \
        >"$tmp/log" 2>&1; then
        fail "$name builds"
        show "$tmp/log"
    elif CHECK_SECONDS=300 qemu-aarch64 "$tmp/$name" $only >"$tmp/out" 2>&1; then
        pass "$name"
    else
        fail "$name"
        show "$tmp/out"
    fi
done
done_testing
