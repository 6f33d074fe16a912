#!/bin/sh
# Names and lines that were looked up once are kept by build-id, and never believed when damaged.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cd "$tmp" || exit 1

# As many frames as make a recording large.
i=0
while [ $i -lt 400 ]; do
    echo "__attribute__((noinline)) void f$i(void) { keep(malloc($i)); }"
    i=$((i + 1))
done >f.h
{
    printf '#include <stdlib.h>\nvoid *volatile kept;\n'
    echo '__attribute__((noinline)) void keep(void *p) { kept = p; }'
    cat f.h
    printf 'int main(void)\n{\n'
    sed 's/.*void \(f[0-9]*\)(.*/\1();/' f.h
    printf 'return 0;\n}\n'
} >many.c
ok "the program" ${CC:-cc} -g -O1 -o many many.c
"$loam" run -o m.loam --report r -- ./many
is "status" $? 0

says() { "$loam" report m.loam --json >out 2>err && sed '/^ "notes"/,$d' out; }
says >first
file=$(echo "$XDG_CACHE_HOME"/loam/symbols/*)
ok "kept by build-id" test -f "$file"
is "for its owner alone" "$(stat -c %a "$file")" 600
like "names" "$(cat first)" '"function": "f123"'
says >second
ok "the same from the shelf" cmp first second

cp "$file" whole
size=$(stat -c %s whole)
bad=
for cut in 0 1 71 72 100 $((size / 2)) $((size - 1)); do
    head -c $cut whole >"$file"
    says >got && cmp -s first got || bad="$bad cut at $cut"
done
is "cut short: as if it were not there" "$bad" ""
for at in 0 9 17 40 60 64 68 80 $((size / 3)) $((size - 2)); do
    cp whole "$file"
    printf '\377\377\377' | dd of="$file" bs=1 seek=$at conv=notrunc 2>dd.err
    says >got && cmp -s first got || bad="$bad flipped at $at"
done
is "bytes flipped: the same" "$bad" ""
rm -f "$file" && mkfifo "$file"
ok "a pipe: nobody waits for it" sh -c "timeout 20 '$loam' report m.loam --json >out"
rm -f "$file" && ln -s "$tmp/whole" "$file"
ok "a link is not followed" sh -c "'$loam' report m.loam --json >out && test ! -L '$file'"

# The oldest go when there is too much.
folder=$XDG_CACHE_HOME/loam/symbols
rm -f "$file"
truncate -s 200M "$folder/older" "$folder/newer"
touch -d '2 days ago' "$folder/older"
touch -d '1 day ago' "$folder/newer"
says >got
is "bounded: the oldest went" "$(cd "$folder" && ls | tr '\n' ' ')" "$(basename "$file") newer "
mv many gone
says >got
like "known by build-id when the file is gone" "$(cat got)" '"function": "f123"'
XDG_CACHE_HOME=/proc/nowhere "$loam" report m.loam --json >out 2>err
is "nowhere to keep it: no word" "$? $(cat err)" "0 "
done_testing
