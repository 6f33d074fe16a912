#!/bin/sh
# What the tool says about itself: help, wrong usage, completion, man pages; all from one table.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"

# wrong NAME SENTENCE ARGUMENT...: usage errors are status 2 and one line on stderr.
wrong()
{
    what=$1 sentence=$2
    shift 2
    "$loam" "$@" >"$tmp/out" 2>"$tmp/err"
    is "$what: status" $? 2
    is "$what: sentence" "$(cat "$tmp/err")" "$sentence"
    is "$what: stdout is empty" "$(cat "$tmp/out")" ""
}
wrong "near option" \
    "loam run: unknown option '--leek'. Did you mean '--leaks'? Try 'loam run -h'." \
    run --leek -- true
wrong "unknown option" "loam run: unknown option '--frobnicate'. Try 'loam run -h'." \
    run --frobnicate true
wrong "unknown letter" "loam report: unknown option '-z'. Try 'loam report -h'." report -z
wrong "near command" "loam: unknown command 'reprot'. Did you mean 'report'? Try 'loam help'." reprot
wrong "unknown command" "loam: unknown command 'xyzzy'. Try 'loam help'." xyzzy
wrong "no program" \
    "loam run: which program? Try 'loam run -- ./prog', or 'loam run -h'." run --leaks
wrong "no value" "loam run: '--output' wants a value: FILE. Try 'loam run -h'." run -o
wrong "value of a flag" "loam run: '--leaks' takes no value. Try 'loam run -h'." run --leaks=1 true
wrong "no number" \
    "loam report: '--places' wants a number above zero, not 'x'. Try 'loam report -h'." report -n x
wrong "zero" \
    "loam report: '--places' wants a number above zero, not '0'. Try 'loam report -h'." report -n0
wrong "version of what" "loam version: takes nothing, not 'x'. Try 'loam version'." version x
wrong "two manuals" "loam help: one command at a time, not 2. Try 'loam help'." help run report
wrong "two recordings" \
    "loam report: one recording at a time, not 2. Try 'loam report -h'." report a b

"$loam" report >"$tmp/out" 2>"$tmp/err"
is "no recording yet: status" $? 1
like "no recording yet" "$(cat "$tmp/err")" '^loam report: there is no recording yet: make one'
echo hello >"$tmp/x"
"$loam" report "$tmp/x" 2>"$tmp/err"
is "not a recording: status" $? 1
is "not a recording" "$(cat "$tmp/err")" "loam report: $tmp/x is not a loam recording"
"$loam" report "$tmp/none" 2>"$tmp/err"
is "no such recording" "$(cat "$tmp/err")" \
    "loam report: $tmp/none cannot be opened: No such file or directory"
"$loam" run -o "$tmp/r.loam" -- true 2>/dev/null
head -c 100 "$tmp/r.loam" >"$tmp/cut.loam"
"$loam" report "$tmp/cut.loam" 2>"$tmp/err"
is "a recording without a whole header: status" $? 1
{ head -c 8 "$tmp/r.loam"; printf '\11'; tail -c +10 "$tmp/r.loam"; } >"$tmp/new.loam"
is "a newer recording" "$("$loam" report "$tmp/new.loam" 2>&1)" \
    "loam report: $tmp/new.loam is a recording of version 9; this loam reads version 4"

is "options end at the program" "$("$loam" run --report "$tmp/rep" echo --leaks -n)" "--leaks -n"
is "loam version" "$("$loam" version)" "$("$loam" --version)"
is "loam without a command is loam help" "$("$loam")" "$("$loam" help)"
is "loam -h" "$("$loam" -h)" "$("$loam" help)"
like "loam help options prints the table" "$("$loam" help options)" '^  record=PATH'

commands=$("$loam" completion bash | sed -n "s/.*compgen -W '\([a-z ]*\)'.*/\1/p")
like "the commands" "$commands" '^run report '
for c in $commands; do
    "$loam" "$c" -h >"$tmp/short" 2>&1
    is "loam $c -h: status" $? 0
    ok "loam $c -h fits one screen" test "$(wc -l <"$tmp/short")" -le 24
    like "loam $c -h starts with an example" "$(head -1 "$tmp/short")" "loam "
    is "loam $c -h and --help: no line is longer than 80" \
        "$({ cat "$tmp/short"; "$loam" "$c" --help; } | sed 's/…/./' | awk 'length > 80')" ""
    is "loam help $c is loam $c --help" "$("$loam" help "$c")" "$("$loam" "$c" --help)"
    ok "loam help names $c" sh -c "'$loam' help | grep -q '^  $c '"
done

# Each option stands in the man page of its command, and no others do.
for c in $commands; do
    case $c in help | version | completion) continue ;; esac
    page=$top/man/loam-$c.1
    is "man page of $c: options" \
        "$(sed -n 's/^\.It .*Fl -\([a-z-]*\).*/--\1/p' "$page" | sort | tr '\n' ' ')" \
        "$("$loam" "$c" -h | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p' | sort |
            tr '\n' ' ')"
done
if command -v mandoc >/dev/null; then
    for page in "$top"/man/*.[1-8]; do
        is "mandoc has nothing to say about $(basename "$page")" \
            "$(mandoc -Tlint -Wwarning "$page" 2>&1)" ""
    done
else
    skip "man pages" "mandoc is not installed"
fi

"$loam" completion bash >"$tmp/completion"
# What bash offers behind the given words.
offers()
{
    bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _loam; echo "${COMPREPLY[*]}"' \
        "$tmp/completion" "$@"
}
is "bash completes an option" "$(offers loam run --le)" "--leaks"
is "bash completes a command" "$(offers loam rep)" "report"
done_testing
