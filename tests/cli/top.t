#!/bin/sh
# `loam ps`, `loam top` and `loam metrics`: a program that runs, looked at from outside.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
TERM=xterm LC_ALL=C.UTF-8
export TERM LC_ALL

# Takes 100 kB by one function, says so, and waits for its input to end.
cat >"$tmp/holder.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
char *volatile kept[64];
__attribute__((noinline)) void hoard(int i)
{
    kept[i] = malloc(100000);
    memset((void *)kept[i], 1, 100000);
}
int main(void)
{
    char line[16];
    for (int i = 0; i < 64; i++) {
        if (i % 4 == 0)
            hoard(i / 4);
        printf("%d\n", getpid());
        fflush(stdout);
        if (fgets(line, sizeof line, stdin) == NULL)
            return 0;
    }
    return 0;
}
END
${CC:-gcc} -g -O1 -o "$tmp/holder" "$tmp/holder.c" || exit 1

# until_said FILE: the program has written into it, or half a minute has gone.
until_said()
{
    i=0
    while [ ! -s "$1" ] && [ $i -lt 300 ]; do
        sleep 0.1
        i=$((i + 1))
    done
}

mkfifo "$tmp/in"
"$loam" run -o "$tmp/r.loam" -- "$tmp/holder" <"$tmp/in" >"$tmp/out" 2>"$tmp/err" &
session=$!
exec 3>"$tmp/in"
until_said "$tmp/out"
pid=$(head -1 "$tmp/out")

# ---------------------------------------------------------------- ps

"$loam" ps >"$tmp/ps" 2>/dev/null
ok "ps names the process, as recorded" grep -qE "^ *$pid +.*recorded.*holder" "$tmp/ps"
"$loam" ps --json >"$tmp/ps.json" 2>/dev/null
is "ps --json: pid, live bytes, recorded" "$(python3 - "$tmp/ps.json" "$pid" <<'END'
import json, sys
for p in json.load(open(sys.argv[1]))["processes"]:
    if p["pid"] == int(sys.argv[2]):
        print(p["recorded"], p["live_bytes"] >= 100000, p["rss_bytes"] > p["live_bytes"])
END
)" "True True True"
LD_PRELOAD=$so sleep 60 &
other=$!
i=0
until "$loam" ps 2>/dev/null | grep -qE "^ *$other +.* - +sleep" || [ $i -ge 100 ]; do
    sleep 0.1
    i=$((i + 1))
done
ok "ps names one that is preloaded and not recorded" test $i -lt 100

# ---------------------------------------------------------------- top

"$loam" top --once "$pid" >"$tmp/top" 2>&1
is "top --once ends well" $? 0
ok "the place that holds most comes first" sh -c "grep -A1 PLACE '$tmp/top' | grep -qE '^ +100 kB .* hoard +.*holder.c:8'"
ok "the account of RSS is told" grep -qE '^RSS .* = .*live blocks' "$tmp/top"
"$loam" top --once "$other" >"$tmp/no" 2>&1
is "one that is not recorded: refused" $? 1
ok "and the next step is named" grep -q "loam run --" "$tmp/no"
kill $other
"$loam" top --once --sort beauty "$pid" >"$tmp/no" 2>&1
is "an unknown sort is wrong usage" $? 2
"$loam" top --once /etc/passwd >"$tmp/no" 2>&1
is "a file that is no recording" $? 1

# Owners of the toolkit: who holds what while the program runs, and how its heap pauses.
cat >"$tmp/owners.c" <<'END'
#include <loam/loam.h>
#include <stdio.h>
struct conn {
    char text[1000];
};
LOAM_POOL(conns, struct conn)
int main(void)
{
    loam_region cache;
    conns all = conns_make(LOAM_HERE);
    conns_handle h;
    loam_gc *gc = loam_gc_new("trees", NULL);
    loam_region_init(&cache, "cache");
    void *object = loam_gc_alloc(gc, 3000);
    if (loam_new(&cache, struct conn) == NULL || conns_new(&all, &h) == NULL || object == NULL)
        return 1;
    for (int i = 0; i < 5; i++)
        if (loam_gc_collect(gc) != 0)
            return 1;
    printf("%p\n", object);
    fflush(stdout);
    return getchar() != 'x';
}
END
mkfifo "$tmp/in2"
${CC:-gcc} -I"$top/include" "$tmp/owners.c" -o "$tmp/owners" -L"$build" -lloam -Wl,-rpath,"$build"
"$loam" run -o "$tmp/o.loam" -- "$tmp/owners" <"$tmp/in2" >"$tmp/out2" 2>"$tmp/err2" &
owners=$!
exec 4>"$tmp/in2"
until_said "$tmp/out2"
owner=$("$loam" ps | awk '$0 ~ "recorded.*/owners" { print $1; exit }')
"$loam" top --once "$owner" >"$tmp/top2" 2>&1
like "owners stand above the places" "$(cat "$tmp/top2")" \
    '^1 region [0-9.]+ k?B . 1 pool [0-9.]+ k?B . 1 gc [0-9.]+ k?B, collected 5 times, .*s at most$'
like "an address in a collected heap is its" \
    "$("$loam" translate "$owner" "$(head -1 "$tmp/out2")" 2>&1)" 'gc trees'
echo x >&4
exec 4>&-
wait $owners
is "the program was not disturbed" $? 0

# On a terminal: growth, a stack, a filter, and out again. The program never notices.
python3 - "$loam" "$pid" "$tmp/in" >"$tmp/screen" 2>&1 <<'END'
import fcntl, os, pty, select, struct, sys, termios, time
loam, pid, fifo = sys.argv[1:4]
child, fd = pty.fork()
if child == 0:
    os.execv(loam, [loam, "top", pid])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
seen = b""
def until(word):
    global seen
    end = time.time() + 30
    while word not in seen and time.time() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                seen += os.read(fd, 65536)
            except OSError:
                break
    print(word.decode(), "seen" if word in seen else "MISSED")
until(b"hoard")
with open(fifo, "w") as f:      # four lines: the program takes another 100 kB
    f.write("\n" * 4); f.flush()
    seen = b""
    os.write(fd, b"g")
    until(b"growth")
    until(b"+  100 k")
    os.write(fd, b"\n")
    until(b"main")
    os.write(fd, b"h")
    until(b"sort by growth")
    os.write(fd, b"h/zebra\n")
    until(b"no place has that")
    os.write(fd, b"q")
    end = time.time() + 20
    status = None
    while status is None and time.time() < end:
        try:
            while select.select([fd], [], [], 0.1)[0] and os.read(fd, 65536): pass
        except OSError: pass
        p, s = os.waitpid(child, os.WNOHANG)
        status = s if p else None
    print("left with", status)
END
is "the screen follows keys and the program" "$(cat "$tmp/screen")" "hoard seen
growth seen
+  100 k seen
main seen
sort by growth seen
no place has that seen
left with 0"

# ---------------------------------------------------------------- metrics

"$loam" metrics "$pid" >"$tmp/metrics"
is "metrics end with their mark" "$(tail -1 "$tmp/metrics")" "# EOF"
ok "the place is a label" grep -q 'loam_place_live_bytes{function="hoard",where=".*holder.c:8"' "$tmp/metrics"
"$loam" metrics --listen 127.0.0.1:0 "$pid" 2>"$tmp/served" &
server=$!
i=0
while ! grep -q port "$tmp/served" && [ $i -lt 100 ]; do
    sleep 0.1
    i=$((i + 1))
done
port=$(sed 's/.*port \([0-9]*\).*/\1/' "$tmp/served")
is "the server: a page, and nothing else" "$(python3 - "$port" <<'END'
import http.client, socket, sys
port = int(sys.argv[1])
def ask(method, path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.request(method, path)
    r = c.getresponse()
    return r.status, r.getheader("Content-Type").split(";")[0], r.read()
status, kind, body = ask("GET", "/metrics")
print(status, kind, body.endswith(b"# EOF\n"))
print(ask("HEAD", "/metrics")[2], ask("GET", "/etc/passwd")[0], ask("POST", "/metrics")[0])
s = socket.create_connection(("127.0.0.1", port))
s.sendall(b"x" * 20000)
s.close()
print(ask("GET", "/metrics?x=1")[0])
END
)" "200 application/openmetrics-text True
b'' 404 405
200"
if command -v prometheus >/dev/null; then
    cat >"$tmp/prometheus.yml" <<END
scrape_configs:
  - job_name: loam
    scrape_interval: 1s
    static_configs:
      - targets: ['127.0.0.1:$port']
END
    web=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/tsdb" \
        --web.listen-address="127.0.0.1:$web" >"$tmp/prometheus.log" 2>&1 &
    monitor=$!
    is "a real Prometheus scrapes it" "$(python3 - "$web" <<'END'
import json, sys, time, urllib.request
url = "http://127.0.0.1:%s/api/v1/query?query=sum(loam_live_bytes)" % sys.argv[1]
for _ in range(150):
    try:
        result = json.load(urllib.request.urlopen(url, timeout=5))["data"]["result"]
        if result:
            print(float(result[0]["value"][1]) >= 100000)
            break
    except OSError:
        pass
    time.sleep(0.2)
END
)" True
    kill $monitor
    wait $monitor 2>/dev/null
else
    skip "a real Prometheus scrapes it" "prometheus is not installed"
fi
kill $server
wait $server
is "SIGTERM ends the server in order" $? 0
"$loam" metrics --listen nowhere:x "$pid" >"$tmp/no" 2>&1
is "an address that is none" $? 125

exec 3>&-
wait $session
is "the program was never disturbed" $? 0
done_testing
