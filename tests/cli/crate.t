#!/bin/sh
# The crate in rust/: a Rust program whose heap is loam's. Only where there is a cargo, and without a
# network.
. "$(dirname "$0")/../lib/tap.sh"
command -v cargo >/dev/null || skip_all "no cargo"
cargo --version >/dev/null 2>&1 || skip_all "cargo does not run"

cp -r "$top/rust" "$tmp/crate" && cp "$top/LICENSE" "$tmp/"
cd "$tmp/crate" || exit 1
CARGO_TARGET_DIR=$tmp/target LOAM_LIB_DIR=$build CARGO_NET_OFFLINE=true
export CARGO_TARGET_DIR LOAM_LIB_DIR CARGO_NET_OFFLINE

ok "builds without a warning" env RUSTFLAGS="-D warnings" cargo test --no-run -q
RUSTFLAGS="-D warnings" cargo test -q >"$tmp/out" 2>&1
is "its tests pass" $? 0
[ $tap_failed = 0 ] || show "$tmp/out"
like "all of them ran" "$(cat "$tmp/out")" "6 passed; 0 failed"
printf 'b a b\nc b a\n' | RUSTFLAGS="-D warnings" cargo run -q --example words >"$tmp/out" 2>"$tmp/err"
is "the example counts words" "$(tr -s ' \n' ' ' <"$tmp/out")" " 3 b 2 a 1 c "
unset LOAM_LIB_DIR
PKG_CONFIG_PATH=/nonexistent cargo build -q >"$tmp/out" 2>&1
like "says what to do where there is no libloam.a" "$(cat "$tmp/out")" "run .make. in loam's tree"
done_testing
