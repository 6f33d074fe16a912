#!/bin/sh
# A recording with more stacks than fit on a page: what each form of report takes, and that what was
# merged is told.
. "$(dirname "$0")/../lib/tap.sh"
fabricate=$build/tests/golden/fabricate
[ -x "$loam" ] && [ -x "$fabricate" ] || skip_all "$fabricate is not built"
command -v python3 >/dev/null || skip_all "python3 is not installed"
"$fabricate" many "$tmp/many.loam" || fail "a recording"

# takes NAME MEGABYTES ARGUMENT...: the report's peak RSS.
takes()
{
    name=$1 most=$2
    shift 2
    ok "$name: less than $most MB" python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[3:], stdout=open(sys.argv[2], "w"), check=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
sys.exit(0 if peak < int(sys.argv[1]) * 1000000 else "%d bytes" % peak)
' "$most" "$tmp/out" "$loam" report "$tmp/many.loam" "$@"
}
takes "a page" 200 --html "$tmp/page.html"
ok "the page: less than 2 MB" test "$(wc -c <"$tmp/page.html")" -lt 2000000
takes "JSON" 200 --json
is "JSON has every place, one a line" "$(grep -c '^  {"leaked"' "$tmp/out")" 150002
takes "text" 200
like "the report tells what was merged" "$(tr -s ' \n' ' ' <"$tmp/out")" \
    'more stacks than a recording has room for: some 1000 that asked for least are counted together'
takes "pprof" 250 --export pprof
done_testing
