#!/bin/sh
# One program per crime against the toolkit, tests/misuse/own/NAME.c. What its first lines say:
#
#     // always: TEXT    told in one line, and SIGABRT; with LOAM=debug=on, with both places
#     // debug: TEXT     told with LOAM=debug=on alone, with both places; the program goes on to 0
#     // fault: TEXT     a crime that the heap alone does not see; with debug, told and SIGABRT
#     // plain: TEXT     told in one line, and SIGABRT, with debug too; there is one place alone
#     // words: REGEX    the same, where no address is told
#     // first: NAME     the function in which it began, // then: NAME in which it ended
#     // line: REGEX, // object: TEXT     what else is said
. "$(dirname "$0")/../lib/tap.sh"
here=$top/tests/misuse/own
ulimit -c 0

# Run a command that may die. A shell would add "Aborted" to what it says.
quietly()
{
    perl -e '$s = system "timeout", 30, @ARGV; exit($s & 127 ? 128 + ($s & 127) : $s >> 8)' "$@"
}

says()
{
    sed -n "1,8s|^// $1: ||p" "$source"
}

# Both places, each under words of its own, in the order in which they were.
both_places()
{
    FIRST=$(says first) THEN=$(says then) TEXT=$text perl -0777 -ne '
        my ($t, $f, $n) = @ENV{"TEXT", "FIRST", "THEN"};
        my $frames = qr/(?:    .*\n)*?/;
        my $first = $f eq "" ? "" : qr/  \S.*:\n$frames    \Q$f\E\+0x.*\n(?:    .*\n)*/;
        exit(/^loam: \Q$t\E: 0x[0-9a-f]+\n(?:  .*[^:]\n)*$first  \S.*:\n$frames    \Q$n\E\+0x/m
            ? 0 : 1)' "$1"
}

compile()
{
    ${CC:-gcc} -std=gnu17 -D_GNU_SOURCE -D$1 -O1 -g -w -I"$top/include" "$source" \
        "$build/libloam.a" -pthread -o "$tmp/$name.$1" 2>"$tmp/cc" || show "$tmp/cc"
}

# What has one place: the same line whether debug is on or off.
one_place()
{
    compile PLAIN
    for debug in off on; do
        quietly env LOAM=debug=$debug "$tmp/$name.PLAIN" >"$tmp/out" 2>"$tmp/err"
        is "$name: debug=$debug: ends by abort" $? 134
        like "$name: debug=$debug: in one line" "$(cat "$tmp/err")" "^$1\$"
        is "$name: debug=$debug: and no more" "$(wc -l <"$tmp/err")" 1
    done
}

for source in "$here"/*.c; do
    name=$(basename "$source" .c)
    text=$(says plain)
    words=$(says words)
    if [ -n "$text$words" ]; then
        one_place "${words:-loam: $text: 0x[0-9a-f]+}"
        continue
    fi
    kind=always
    [ -n "$(says debug)" ] && kind=debug
    [ -n "$(says fault)" ] && kind=fault
    text=$(says $kind)
    compile PLAIN
    compile DEBUG
    quietly "$tmp/$name.PLAIN" >"$tmp/out" 2>"$tmp/err"
    status=$?
    case $kind in
    always)
        is "$name: ends by abort" $status 134
        like "$name: in one line" "$(cat "$tmp/err")" "^loam: $text: 0x[0-9a-f]+$"
        is "$name: and no more" "$(wc -l <"$tmp/err")" 1
        expected=134
        ;;
    debug)
        is "$name: goes on, and nothing is said" "$status $(cat "$tmp/err")" "0 "
        expected=0
        ;;
    fault) expected=134 ;;
    esac
    quietly env LOAM=debug=on "$tmp/$name.DEBUG" >"$tmp/out" 2>"$tmp/err"
    is "$name: LOAM=debug=on: exit status" $? $expected
    if both_places "$tmp/err"; then
        pass "$name: LOAM=debug=on: both places"
    else
        fail "$name: LOAM=debug=on: both places"
        show "$tmp/err"
    fi
    for extra in line object; do
        more=$(says $extra)
        [ -z "$more" ] || like "$name: $extra" "$(cat "$tmp/err")" "$more"
    done
done

# The same in a program that has loam as a library of its own, and under the tool.
source=$here/pool_stale.c
text=$(says debug)
${CC:-gcc} -std=gnu17 -D_GNU_SOURCE -O1 -g -w -I"$top/include" "$source" -L"$build" -lloam \
    -Wl,-rpath,"$build" -o "$tmp/dynamic"
quietly env LOAM=debug=on "$tmp/dynamic" >"$tmp/out" 2>"$tmp/err"
ok "libloam.so: both places" both_places "$tmp/err"
quietly env LOAM=debug=on "$loam" run --report "$tmp/report" -- "$tmp/dynamic" \
    >"$tmp/out" 2>"$tmp/err"
ok "loam run: both places" both_places "$tmp/err"

# A circle under the leak report: its blocks are there, and with debug the way around is on stderr.
${CC:-gcc} -std=gnu17 -D_GNU_SOURCE -O1 -g -w -I"$top/include" "$here/rc_circle.c" \
    "$build/libloam_malloc.a" -pthread -o "$tmp/circle"
for debug in off on; do
    quietly env LOAM=debug=$debug "$loam" run --leaks --report "$tmp/report" -- "$tmp/circle" \
        >"$tmp/out" 2>"$tmp/err"
    like "loam run --leaks, debug=$debug: the circle is told" "$(cat "$tmp/report")" \
        '^ +112 B in cycles$'
done
like "debug=on: and the reference to weaken" "$(cat "$tmp/err")" \
    '^  make the reference at \+16 of the struct child, .*rc_circle\.c:30 weak'
done_testing
