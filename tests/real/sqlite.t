#!/bin/sh
# sqlite3: 100,000 rows, indexes, joins, a sort that spills, text, blobs, a file and a vacuum.
. "$(dirname "$0")/guest.sh"
need sqlite3

cat >"$tmp/in.sql" <<'SQL'
PRAGMA cache_size=-4000;
CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT, c BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
INSERT INTO t SELECT i, i * 7919 % 10007, printf('row %d of many', i * 31 % 1000),
    zeroblob(i % 50) FROM n;
CREATE INDEX t_a ON t(a);
CREATE INDEX t_b ON t(b, a);
SELECT count(*), sum(a), count(DISTINCT b), sum(length(c)) FROM t;
SELECT b, count(*), max(a) FROM t GROUP BY b ORDER BY 2 DESC, 1 LIMIT 5;
SELECT count(*) FROM t x JOIN t y ON x.a = y.id WHERE x.b < 'row 5';
SELECT group_concat(a) FROM (SELECT a FROM t ORDER BY c DESC, a DESC LIMIT 20);
SELECT sum(length(replace(b, 'many', hex(a)))) FROM t;
DELETE FROM t WHERE id % 3 = 0;
UPDATE t SET b = b || b WHERE id % 5 = 0;
SELECT count(*), sum(length(b)) FROM t;
WITH RECURSIVE f(a, b) AS (SELECT 1, 1 UNION ALL SELECT b, a + b FROM f LIMIT 60)
SELECT max(b) FROM f;
SELECT json_group_array(id) FROM (SELECT id FROM t LIMIT 20);
VACUUM;
PRAGMA integrity_check;
SQL
same "in memory" sqlite3 :memory: ".read $tmp/in.sql"
same "in a file" sqlite3 file.db ".read $tmp/in.sql"
done_testing
