# tap.sh: what shell tests share. Source it first:
#
#     . "$(dirname "$0")/../lib/tap.sh"
#     ok "two words" test "$x" = y        # runs the command; its success is the result
#     is "what it is" "$got" "$expected"  # compares two strings, shows both when they differ
#     like "what it is" "$got" 'pattern'  # extended regular expression, any line may match
#     pass "why"; fail "why"; skip "what" "why not"
#     skip_all "why not"                  # instead of everything; ends the test
#     done_testing                        # last line; exit status tells
#
# Sets $top (the tree), $build (the built files), $loam, $so (libloam.so) and $tmp, a folder that
# is removed at the end.
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build/release}
loam=$build/loam
so=$build/libloam.so
tmp=$(mktemp -d "${TMPDIR:-/tmp}/loam-test.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
LC_ALL=C XDG_CACHE_HOME=$tmp/cache XDG_STATE_HOME=$tmp/state
export LC_ALL XDG_CACHE_HOME XDG_STATE_HOME
unset LD_PRELOAD LOAM
tap_n=0
tap_failed=0

pass()
{
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1"
}

fail()
{
    tap_n=$((tap_n + 1))
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_n - $1"
}

ok()
{
    tap_name=$1
    shift
    if "$@"; then pass "$tap_name"; else fail "$tap_name"; fi
}

is()
{
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1"
        printf '%s\n' "got:" "$2" "expected:" "$3" | head -60 | sed 's/^/# /'
    fi
}

like()
{
    if printf '%s\n' "$2" | grep -Eq -e "$3"; then
        pass "$1"
    else
        fail "$1"
        printf '%s\n' "no line matches $3 in:" "$2" | head -60 | sed 's/^/# /'
    fi
}

# Show a file as diagnostics.
show()
{
    head -60 "$1" | sed 's/^/# /'
}

skip()
{
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1 # SKIP $2"
}

skip_all()
{
    echo "1..0 # SKIP $1"
    exit 0
}

done_testing()
{
    echo "1..$tap_n"
    [ $tap_failed = 0 ]
    exit
}
