#!/bin/sh
# Signals, job control, and the day when somebody types kill -9.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cd "$tmp" || exit 1

# Wait up to ten seconds until a command succeeds.
wait_for()
{
    for _ in $(seq 200); do
        if "$@" 2>/dev/null; then return 0; fi
        sleep 0.05
    done
    return 1
}

state_is() # PID LETTER
{
    [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat")" = "$2" ]
}

gone() # PID
{
    [ ! -d "/proc/$1" ] || state_is "$1" Z
}

# ---- signals for loam alone reach the program

cat >trap.sh <<'EOF'
trap 'echo got TERM; exit 3' TERM
trap 'echo got HUP; exit 4' HUP
trap 'echo got USR1; exit 5' USR1
echo ready
while :; do sleep 0.05; done
EOF
for pair in TERM:3 HUP:4 USR1:5; do
    signal=${pair%:*} code=${pair#*:}
    : >out # the background job would empty it too late
    "$loam" run -- sh trap.sh >out 2>/dev/null &
    pid=$!
    wait_for grep -q ready out
    kill -s "$signal" $pid
    wait $pid
    is "SIG$signal is passed on: status" $? "$code"
    is "SIG$signal is passed on" "$(tail -1 out)" "got $signal"
done

# ---- ^C goes to both; the program decides

cat >int.sh <<'EOF'
trap 'echo caught' INT
echo ready
n=0
while [ $n -lt 200 ] && ! grep -q caught "$1"; do sleep 0.05; n=$((n + 1)); done
exit 0
EOF
# As an interactive shell starts a job. (bash's own job control leaves loops when a job stops.)
job='setpgrp(0, 0); $SIG{INT} = $SIG{QUIT} = "DEFAULT"; exec @ARGV or exit 99'
: >out
perl -e "$job" "$loam" run -- bash int.sh out >out 2>err &
pid=$!
wait_for grep -q ready out
kill -s INT -- -$pid # as the terminal does it
wait $pid
is "a program that handles ^C runs on" $? 0
like "and its report is whole" "$(cat err)" '^NEXT '
: >out
perl -e "$job" "$loam" run -- sh -c 'echo ready >ready; sleep 20' >out 2>err &
pid=$!
wait_for test -f ready
kill -s INT -- -$pid
wait $pid
is "a program that does not ends by it, and so does loam" $? 130
like "after its report" "$(cat err)" '^NEXT '

# ---- ^Z and fg

: >out
perl -e "$job" "$loam" run -- sh -c 'kill -TSTP $$; echo again; exit 5' >out 2>/dev/null &
pid=$!
ok "loam stops with a program that stops itself" wait_for state_is $pid T
kill -s CONT -- -$pid
wait $pid
is "both run on after fg" $? 5
is "and the program saw nothing else" "$(cat out)" "again"

: >out
perl -e "$job" "$loam" run -- sh -c 'echo ready; sleep 3; echo again; exit 5' >out 2>/dev/null &
pid=$!
wait_for grep -q ready out
kill -s TSTP -- -$pid # as the terminal does it
ok "loam stops with its program on ^Z" wait_for state_is $pid T
kill -s CONT -- -$pid
sleep 0.2
ok "once, not twice" state_is $pid S
wait $pid
is "and runs on" $? 5

: >out
perl -e "$job" "$loam" run -- sh -c 'kill -TSTP $$; exit 6' >out 2>/dev/null &
pid=$!
wait_for state_is $pid T
kill -s CONT $pid
wait $pid
is "SIGCONT for loam alone lets the program run on" $? 6

: >out
perl -e "$job" "$loam" run -- sh -c 'echo $$; kill -STOP $$; exit 7' >out 2>/dev/null &
pid=$!
wait_for test -s out
program=$(cat out)
wait_for state_is "$program" T
ok "loam does not stop with a program that somebody stopped by SIGSTOP" state_is $pid S
kill -s CONT "$program"
wait $pid
is "which runs on" $? 7

# ---- dispositions and masks

is "what was ignored stays ignored" "$( (trap '' HUP USR1; "$loam" run --report /dev/null -- \
    sh -c 'grep SigIgn /proc/self/status') | tr -d '\t ')" \
    "$( (trap '' HUP USR1; sh -c 'grep SigIgn /proc/self/status') | tr -d '\t ')"
is "the signal mask is what it was" "$("$loam" run --report /dev/null -- \
    grep SigBlk /proc/self/status)" "$(grep SigBlk /proc/self/status)"

# ---- kill -9

: >out
"$loam" run -o kept.loam -- sh -c 'echo $$; exec sleep 30' >out 2>/dev/null &
pid=$!
wait_for test -s out
recording=$(ls /dev/shm/loam-recording-$pid-* 2>/dev/null)
ok "the recording stands in /dev/shm" test -f "$recording"
is "and is nobody else's" "$(stat -c %a "$recording")" 600
sleep 1.5
kill -KILL $pid
wait $pid 2>/dev/null
"$loam" report kept.loam >report 2>&1
is "kill -9 of loam leaves a recording that can be read" $? 0
like "which says what it is" "$(cat report)" 'The recording ends before the program did'
program=$(cat out)
ok "the program lives on" kill -0 "$program"
kill "$program"
wait_for gone "$program"
"$loam" run --report /dev/null -- true
ok "the next one removes what the killed one left in /dev/shm" test ! -e "$recording"

# ---- background processes

start=$(date +%s)
"$loam" run --report /dev/null -- sh -c 'sleep 20 >/dev/null 2>&1 & echo $!; exit 3' >out
is "a process left behind changes no status" $? 3
ok "and is not waited for" test $(($(date +%s) - start)) -lt 10
kill "$(cat out)"
"$loam" run --report /dev/null -- sh -c 'echo one; (sleep 0.3; echo two) &' | cat >out
is "its output still arrives, and so does the end of it" "$(cat out)" "$(printf 'one\ntwo')"
"$loam" run --report /dev/null -- sh -c '(sleep 0.5; /bin/echo later) &' 2>&1 | cat >out
is "a program that starts later writes nothing of ours" "$(cat out)" "later"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    # The other user must be able to read the library: this tree may lie in root's own folder.
    chmod 755 "$tmp"
    cp "$loam" "$so" "$tmp/"
    is "nor does one under another user" "$("$tmp/loam" run --report /dev/null -- \
        setpriv --reuid=65534 --clear-groups /bin/echo other 2>&1)" "other"
else
    skip "nor does one under another user" "needs root"
fi
done_testing
