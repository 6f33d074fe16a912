# gcc: compile one long C file, without and with optimisation.
. "$(dirname "$0")/lib.sh"
need gcc
prepare()
{
    once large.c c_source 160
}
run()
{
    for _ in $(seq "$(often 1)"); do
        on gcc -w -O0 -c large.c -o large.$$.o
        on gcc -w -O1 -c large.c -o large.$$.o
    done
    rm -f large.$$.o
}
main "$@"
