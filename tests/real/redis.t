#!/bin/sh
# redis: a server on loam's heap, clients that fill it, a benchmark, a dump by a forked child.
. "$(dirname "$0")/guest.sh"
need redis-server
need redis-benchmark
need redis-cli

cat >"$tmp/redis.conf" <<EOF2
port 0
unixsocket $tmp/redis.sock
dir $tmp
save ""
appendonly no
daemonize no
enable-debug-command local
logfile $tmp/redis.log
EOF2

cat >"$tmp/fill.lua" <<'LUA'
for i = 1, 20000 do
  redis.call('set', 'k' .. i, ('v'):rep(i % 200))
  redis.call('lpush', 'list' .. i % 50, i)
  redis.call('hset', 'hash' .. i % 100, 'f' .. i, i * 7)
  redis.call('zadd', 'z' .. i % 20, i * 7919 % 10007, 'm' .. i)
  if i % 3 == 0 then redis.call('del', 'k' .. i) end
end
return redis.call('dbsize')
LUA

client()
{
    redis-cli -s "$tmp/redis.sock" "$@"
}

# What a session with the server says, from start to shutdown.
session()
{
    rm -f "$tmp/redis.sock" "$tmp/dump.rdb"
    under $1 redis-server "$tmp/redis.conf" >"$tmp/server.out" 2>&1 </dev/null &
    server=$!
    for i in $(seq 200); do
        [ "$(client ping 2>/dev/null)" = PONG ] && break
        sleep 0.05
    done
    client --eval "$tmp/fill.lua"
    client debug digest
    client sort list7 limit 0 3
    redis-benchmark -s "$tmp/redis.sock" -q -n 10000 -c 30 -P 4 -r 5000 -d 300 \
        -t set,get,lpush,lpop,sadd,hset,zadd,mset,lrange_100 >"$tmp/benchmark" 2>&1
    echo "benchmark: $?, $(tr '\r' '\n' <"$tmp/benchmark" | grep -c 'requests per second')"
    client flushall
    client --eval "$tmp/fill.lua"
    client debug digest
    client bgsave
    for i in $(seq 200); do
        [ "$(client lastsave)" != 0 ] && client info persistence |
            grep -q 'rdb_bgsave_in_progress:0' && break
        sleep 0.05
    done
    client info persistence | tr -d '\r' | grep rdb_last_bgsave_status
    client debug reload nosave
    client debug digest
    client shutdown nosave 2>&1
    wait $server
    echo "exit status $?"
}

session plain >"$tmp/out.plain"
for how in preload leaks; do
    session $how >"$tmp/out.$how"
    is "a server's life: $how" "$(cat "$tmp/out.$how")" "$(cat "$tmp/out.plain")"
done
like "it works at all" "$(cat "$tmp/out.plain")" '^benchmark: 0, [1-9]'
done_testing
