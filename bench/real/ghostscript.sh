# Ghostscript: draw pages of curves, patterns and text.
. "$(dirname "$0")/lib.sh"
need gs
pages()
{
    cat <<'END'
%!PS
/rnd { rand 10000 mod 10000 div } def
1 1 12 {
    srand
    1 1 1500 {
        pop newpath rnd 600 mul rnd 800 mul moveto
        4 { 6 { rnd 600 mul } repeat curveto } repeat
        rnd rnd rnd setrgbcolor rnd 3 mul setlinewidth
        rnd 0.3 lt { fill } { stroke } ifelse
    } for
    /Times-Roman findfont 9 scalefont setfont 0 setgray
    1 1 80 { dup 9 mul 20 exch moveto 100 string cvs 12 { dup show ( of some text ) show } repeat pop } for
    showpage
} for
END
}
prepare()
{
    once pages.ps pages
}
run()
{
    for _ in $(seq "$(often 1)"); do
        on gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=ppmraw -r50 -o - pages.ps | cksum
    done
}
main "$@"
