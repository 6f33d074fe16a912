#!/bin/sh
# The fuzzers of the toolkit, from nothing and for a bounded number of runs each. Under the sanitizers
# and for longer: make fuzz-own; what these operations find under sanitizers is unit/own_model_test.
. "$(dirname "$0")/../lib/tap.sh"
command -v clang >/dev/null || skip_all "clang is not installed"
if ! echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return p == 0 && n != 0; }' |
    clang -fsanitize=fuzzer -x c - -o "$tmp/probe" 2>/dev/null; then
    skip_all "clang has no libFuzzer here"
fi
if ! clang -std=gnu17 -D_GNU_SOURCE -O1 -g -w -fblocks -fsanitize=fuzzer -I"$top" -I"$top/include" \
    -o "$tmp/own" "$top/fuzz/own.c" "$build/internal.a" -pthread -ldl 2>"$tmp/cc"; then
    fail "builds"
    show "$tmp/cc"
    done_testing
fi
cd "$tmp" || exit 1 # where it would leave what it finds
for part in $(sed -n 's/^OWN_PARTS := //p' "$top/Makefile"); do
    ln -f own "own-$part"
    if "./own-$part" -seed=1 -runs=150 -max_len=2000 -len_control=0 -timeout=100 >out 2>&1; then
        pass "$part agrees with its model"
    else
        fail "$part agrees with its model"
        show out
    fi
done
"./own" >out 2>&1
is "a part has to be named" $? 2
done_testing
