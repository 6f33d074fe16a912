# trace.sh NAME: the calls of malloc that a real program made, recorded when they are first needed,
# then replayed under each allocator. See real/lib.sh for how `loam bench` calls it.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../real/lib.sh"

# The program, on an input of its own. Names are those of the rows.
program()
{
    case $1 in
    python3)
        need python3
        once python.py python_program
        PYTHONMALLOC=malloc recorded python3 python.py 1
        ;;
    gcc)
        need gcc
        once medium.c c_source 200
        recorded gcc -w -O1 -c medium.c -o medium.o
        ;;
    sqlite3)
        need sqlite3
        once few.sql sql 10000
        recorded sqlite3 :memory: <few.sql
        ;;
    git)
        need git
        repository
        recorded git -C repo log -p --stat --all
        ;;
    redis)
        need redis-server redis-benchmark redis-cli
        socket=$PWD/trace.$$.sock
        recorded redis-server --port 0 --unixsocket "$socket" --save '' --appendonly no &
        wait_for redis-cli -s "$socket" ping
        redis-benchmark -s "$socket" -q -P 32 -c 20 -r 20000 -d 200 -n 40000 \
            -t set,get,lpush,lpop,sadd,hset,zadd >/dev/null
        redis-cli -s "$socket" shutdown nosave || :
        wait
        ;;
    esac
}

recorded()
{
    BENCH_TRACE=$PWD/raw.$$ LD_PRELOAD=$here/record.so "$@" >/dev/null
}

prepare()
{
    [ ! -e "$1.trace" ] || return 0
    rm -f raw.$$.*
    program "$1"
    # Of several processes, the one that did most: cc1, not the driver. The files are sparse.
    largest=$(du raw.$$.* | sort -n | tail -1 | cut -f2)
    "$here/pack" "$largest" "$1.trace.part"
    rm -f raw.$$.*
    mv "$1.trace.part" "$1.trace"
}

run()
{
    on "$here/replay" "$1.trace"
}
main "$@"
