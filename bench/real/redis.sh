# redis: a server that stores strings, lists, hashes and sets for its own benchmark client, by a
# socket in the working folder. Time is that of both; memory is the server's, the larger one.
. "$(dirname "$0")/lib.sh"
need redis-server redis-benchmark redis-cli
prepare()
{
    :
}
run()
{
    socket=redis.$$.sock
    on redis-server --port 0 --unixsocket "$PWD/$socket" --save '' --appendonly no \
        --loglevel warning >/dev/null &
    wait_for redis-cli -s "$socket" ping
    redis-benchmark -s "$socket" -q -P 32 -c 20 -r 100000 -d 200 -n "$(often 200000)" \
        -t set,get,lpush,lpop,sadd,hset,zadd >/dev/null
    redis-cli -s "$socket" shutdown nosave || :
    wait
}
main "$@"
