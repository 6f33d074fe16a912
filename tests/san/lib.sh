# lib.sh: build the tests with a sanitizer, and run those that the arguments name.
#
#     sanitized address,undefined unit/class_test stress/shadow_test
#
# Everything below the libc names can be tested so: it is reached through names of its own, and the
# sanitizer's malloc and loam's do not meet.
. "$(dirname "$0")/../lib/tap.sh"

sanitized()
{
    san=$1
    shift
    export CHECK_SECONDS=300 # everything is slower, by up to twenty times
    o=$build/san-$(echo "$san" | tr , -)
    if ! echo 'int main(void) { return 0; }' |
        ${CC:-gcc} -fsanitize="$san" -x c - -o "$tmp/probe" 2>/dev/null || ! "$tmp/probe"; then
        skip_all "$san sanitizer does not work here"
    fi
    if ! make -s -C "$top" -j2 MODE=debug SAN="$san" O="$o" \
        $(printf "$o/tests/%s " "$@") >"$tmp/make" 2>&1; then
        fail "builds with SAN=$san"
        show "$tmp/make"
        done_testing
    fi
    for name in "$@"; do
        if "$o/tests/$name" >"$tmp/out" 2>&1; then
            pass "$name"
        else
            fail "$name"
            grep -v '^ok' "$tmp/out" >"$tmp/bad"
            show "$tmp/bad"
        fi
    done
    done_testing
}
