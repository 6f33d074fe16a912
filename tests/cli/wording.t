#!/bin/sh
# What a reader sees: lines of 80 columns, places told apart or joined, the next command.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cc=${CC:-gcc}

# wide FILE: its lines that are longer than 80 columns, in UTF-8.
wide()
{
    LC_ALL=C.UTF-8 awk '{ n = gsub(/[\200-\277]/, "&") } length - n > 80' "$1"
}

# One function that leaks by four calls. Without debug information they look alike.
deep=$tmp/a_folder_with_a_long_name/and_one_more_that_is_longer/and_the_last_of_the_folders
mkdir -p "$deep"
cat >"$deep/the_name_of_this_source_file_is_long_too.c" <<'END'
#include <stdlib.h>
void *volatile kept;
__attribute__((noinline)) void a_function_with_a_name_that_takes_more_than_half_of_a_line(void)
{
    kept = malloc(1000);
    kept = malloc(1000);
    kept = malloc(1000);
    kept = malloc(1000);
    kept = NULL;
}
int main(void)
{
    a_function_with_a_name_that_takes_more_than_half_of_a_line();
    a_function_with_a_name_that_takes_more_than_half_of_a_line();
    return 0;
}
END
(cd "$deep" && $cc -g -O1 -rdynamic -fno-optimize-sibling-calls -o with_lines ./*.c && strip -o alike with_lines)

"$loam" run --leaks -o "$tmp/r.loam" --report "$tmp/out" -- "$deep/alike"
like "what looks alike is one place" "$(cat "$tmp/out")" '^LEAKED .* in 8 blocks, from 1 place$'
like "and tells by how many ways" "$(cat "$tmp/out")" 'by 8 call paths$'
is "no line is longer than 80" "$(wide "$tmp/out")" ""
"$loam" report "$tmp/r.loam" --full-stacks -n 20 >"$tmp/out"
is "whole stacks differ by their addresses" \
    "$(grep -A1 '^ *a_function_with' "$tmp/out" | grep -o 'alike+0x[0-9a-f]*' | sort -u | wc -l)" 4
is "machines get every place" "$("$loam" report "$tmp/r.loam" --json |
    python3 -c 'import json, sys; print(sum(p["leaked"]["bytes"] > 0 for p in json.load(sys.stdin)["places"]))')" 8

"$loam" run --leaks -o "$tmp/r.loam" --report "$tmp/out" -- "$deep/with_lines"
like "what has lines stays apart" "$(cat "$tmp/out")" '^LEAKED .* in 8 blocks, from [48] places$'
is "no line is longer than 80, with lines" "$(wide "$tmp/out")" ""
like "a path that is too long keeps its end" "$(cat "$tmp/out")" '_too\.c:[5-8]$'
"$loam" report "$tmp/r.loam" --full-stacks >"$tmp/out"
is "no line is longer than 80, whole stacks" "$(wide "$tmp/out")" ""

# The next command: one line each where that fits, the path once where it does not.
(cd "$tmp" && "$loam" report r.loam >out)
like "a short path" "$(cat "$tmp/out")" '^           loam report r.loam --full-stacks   *every frame'
mkdir -p "$tmp/a_long_way_to_the_recording"
cp "$tmp/r.loam" "$tmp/a_long_way_to_the_recording/and_its_name_is_long.loam"
"$loam" report "$tmp/a_long_way_to_the_recording/and_its_name_is_long.loam" >"$tmp/out"
like "a long path, the command" "$(cat "$tmp/out")" '^NEXT       loam report /.*long\.loam$'
like "a long path, its options" "$(cat "$tmp/out")" '^             --full-stacks   *every frame'

# What a recording without anything in it means.
"$loam" run --sample=off -o "$tmp/off.loam" --report "$tmp/out" -- "$deep/alike"
like "sampling was off" "$(tr -s '\n ' ' ' <"$tmp/out")" 'NOTE No block was looked at: sampling was off'
is "and nothing else is noted" "$(grep -c 'estimates\|allocates nothing' "$tmp/out")" 0
"$loam" run --leaks -o "$tmp/r.loam" --report "$tmp/out" -- env -i /bin/true
like "what became something unseen" "$(tr -s '\n ' ' ' <"$tmp/out")" \
    'LEAKS not known\. The program ended by _exit, or became another program'
is "no line is longer than 80, a sentence" "$(wide "$tmp/out")" ""
done_testing
