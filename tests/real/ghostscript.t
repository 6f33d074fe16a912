#!/bin/sh
# ghostscript: a drawn page with fonts, as pixels, as PDF and back.
. "$(dirname "$0")/guest.sh"
need gs

cat >"$tmp/page.ps" <<'PS'
%!PS
/Times-Roman findfont 14 scalefont setfont
0 1 39 { /i exch def 72 i 16 mul 72 add moveto (Line number ) show i 10 string cvs show } for
0 1 200 { /i exch def gsave 300 400 translate i 1.8 mul rotate i 200 div 1 i 200 div sub 0.5
  setrgbcolor 0 0 moveto 150 i 7 mod 10 mul 50 60 200 i curveto stroke grestore } for
/Helvetica findfont 40 scalefont setfont 100 700 moveto (loam) true charpath gsave clip
0 2 400 { 0 exch moveto 600 0 rlineto stroke } for grestore
save 1000 { 5000 string pop 100 array pop } repeat restore
showpage
10 dict begin /f { dup 2 lt { pop 1 } { dup 1 sub f exch 2 sub f add } ifelse } def
100 100 moveto /Courier findfont 20 scalefont setfont 18 f 20 string cvs show end
showpage
PS
same "pixels" sh -c "gs -q -dBATCH -dNOPAUSE -dSAFER -sDEVICE=png16m -r100 -o page%d.png '$tmp/page.ps' &&
    sha256sum page1.png page2.png"
same "PDF, and text out of it" sh -c "gs -q -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -o page.pdf '$tmp/page.ps' &&
    gs -q -dBATCH -dNOPAUSE -sDEVICE=txtwrite -o - page.pdf"
done_testing
