# z3: a puzzle of pigeons and holes, and equations over bit vectors.
. "$(dirname "$0")/lib.sh"
need z3
puzzle()
{
    awk -v n=8 'BEGIN {
        for (p = 0; p <= n; p++) for (h = 0; h < n; h++) printf "(declare-const p%d_%d Bool)\n", p, h
        for (p = 0; p <= n; p++) { printf "(assert (or"; for (h = 0; h < n; h++) printf " p%d_%d", p, h; print "))" }
        for (h = 0; h < n; h++) for (p = 0; p <= n; p++) for (q = 0; q < p; q++)
            printf "(assert (not (and p%d_%d p%d_%d)))\n", p, h, q, h
        print "(check-sat)\n(reset)"
        for (i = 0; i < 400; i++) printf "(declare-const x%d (_ BitVec 16))\n", i
        for (i = 2; i < 400; i++)
            printf "(assert (= x%d (bvadd (bvmul x%d #x%04x) (bvxor x%d x%d))))\n", i, i - 1, i * 31 % 65536, i - 2, i - 1
        print "(assert (= ((_ extract 3 0) x399) #x5))\n(check-sat)"
    }'
}
prepare()
{
    once puzzle.smt2 puzzle
}
run()
{
    for _ in $(seq "$(often 1)"); do
        on z3 puzzle.smt2
    done
}
main "$@"
