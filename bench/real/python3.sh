# Python: parse its own library, count words, write and read JSON. With `malloc`, every object is a
# block of its own; without, Python takes arenas and deals out small objects itself.
. "$(dirname "$0")/lib.sh"
need python3
prepare()
{
    once python.py python_program
}
run()
{
    [ "${1-}" != malloc ] || export PYTHONMALLOC=malloc
    on python3 python.py "$(often 2)"
}
main "$@"
