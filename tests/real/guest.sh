# guest.sh: what the tests of real programs share. Source it first; it brings tap.sh.
#
# A guest is a program that nobody here wrote. It is run three times: as it is, on loam's heap
# (LD_PRELOAD), and under `loam run --leaks`; output and exit status must be the same each time.
#
#     need sqlite3                      # or skip everything
#     same "name" command...            # three runs, two tests: one for each way onto loam
#     under preload|leaks|plain command...
. "$(dirname "$0")/../lib/tap.sh"
seconds=170 # for each run of a guest
as=         # words before each guest's command: who runs it

need()
{
    command -v "$1" >/dev/null || skip_all "$1 is not installed"
}

# Run a command in one of three ways. Its streams and status are its own; the report of the last
# one stands in $tmp/report.
under()
{
    under_how=$1
    shift
    case $under_how in
    plain) timeout -k 5 $seconds $as "$@" ;;
    preload) timeout -k 5 $seconds $as env LD_PRELOAD="$so" "$@" ;;
    leaks)
        timeout -k 5 $seconds $as "$loam" run --leaks -o "$tmp/recording.loam" \
            --report "$tmp/report" -- "$@"
        ;;
    esac
}

same()
{
    same_name=$1
    shift
    for how in plain preload leaks; do
        # For guests that write files: a folder of their own, empty each time.
        rm -rf "$tmp/work" "$tmp/report" "$tmp/recording.loam"
        $as mkdir "$tmp/work"
        (cd "$tmp/work" && under $how "$@") >"$tmp/out.$how" 2>"$tmp/err.$how" </dev/null
        echo "exit status $?" >>"$tmp/out.$how"
        cat "$tmp/err.$how" >>"$tmp/out.$how"
    done
    for how in preload leaks; do
        if cmp -s "$tmp/out.plain" "$tmp/out.$how"; then
            pass "$same_name: $how"
        else
            fail "$same_name: $how"
            diff "$tmp/out.plain" "$tmp/out.$how" | head -40 | sed 's/^/# /'
        fi
    done
    if ! grep -q '^exit status 0$' "$tmp/out.plain"; then
        fail "$same_name: works at all"
        show "$tmp/out.plain"
    fi
}
