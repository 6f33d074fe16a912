#!/bin/sh
# postgres: initdb, a server with a handful of backends, pgbench, a backup, a stop.
. "$(dirname "$0")/guest.sh"
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
[ -x "$bin/initdb" ] || skip_all "postgres is not installed"

# It refuses to run as root; the one who runs it must be able to read what it runs.
cp "$loam" "$so" "$tmp/"
loam=$tmp/loam
so=$tmp/libloam.so
if [ "$(id -u)" = 0 ]; then
    user=$(getent passwd postgres nobody | head -1 | cut -d: -f1)
    chown "$user" "$tmp"
    as="setpriv --reuid $user --regid $(id -g "$user") --clear-groups --"
fi

cat >"$tmp/guest" <<'SH'
set -e
data=$PWD/data sock=$PWD
initdb -D "$data" -A trust -U me --no-sync --no-instructions >initdb.log 2>&1
pg_ctl -D "$data" -w -l log -s -o "-k $sock -c listen_addresses= -c shared_buffers=16MB \
    -c fsync=off -c max_connections=20" start >/dev/null 2>&1
trap 'pg_ctl -D "$data" -s -m immediate stop' EXIT
export PGHOST=$sock PGUSER=me PGDATABASE=postgres
pgbench -q -i -s 1 >/dev/null 2>&1
pgbench -c 4 -j 2 -t 150 >bench.log 2>&1
grep 'transactions actually processed' bench.log
psql -At <<'SQL'
select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history);
select count(*), sum(length(md5(aid::text))) from pgbench_accounts;
create table t as select i, repeat('x', i % 300) as s, array[i, i * 2] as a from generate_series(1, 20000) i;
create index on t(s, i);
select count(distinct s), max(a[2]) from t;
select json_agg(x) from (select i, s from t where i < 4 order by i) x;
do $$ begin for i in 1..2000 loop perform regexp_replace(repeat('ab', i % 50), '(a)(b)', '\2\1', 'g'); end loop; end $$;
select percentile_cont(0.5) within group (order by i) from t;
select to_tsvector('english', 'the quick brown foxes were jumping') @@ to_tsquery('jump & fox');
SQL
! psql -At -c 'select 1/0' 2>&1
pg_dump -t t | grep -v -e '^--' -e '^\\' | sha256sum
trap - EXIT
pg_ctl -D "$data" -w -s -m fast stop
SH
chmod 755 "$tmp/guest"
export PATH="$bin:$PATH" HOME="$tmp"
same "a cluster's life" sh "$tmp/guest"
done_testing
