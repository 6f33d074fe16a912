# SQLite: fill two tables, index them, join, group, make and read JSON, delete; all in memory.
. "$(dirname "$0")/lib.sh"
need sqlite3
prepare()
{
    once rows.sql sql 30000
}
run()
{
    for _ in $(seq "$(often 2)"); do
        on sqlite3 :memory: <rows.sql
    done
}
main "$@"
