#!/bin/sh
# Completion in the shells themselves, those that are installed: commands, options, files. What
# bash offers is tested in usage.t.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"

"$loam" completion zsh >"$tmp/_loam"
"$loam" completion fish >"$tmp/loam.fish"
options=$("$loam" run -h | sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p')
for o in $options; do
    ok "zsh knows run --$o" grep -q -- "--$o[]=[}']" "$tmp/_loam"
    ok "fish knows run --$o" grep -q "'__loam_is run' .*-l $o " "$tmp/loam.fish"
done
"$loam" completion tcsh >"$tmp/out" 2>"$tmp/err"
is "another shell: status" $? 2
like "another shell" "$(cat "$tmp/err")" 'only bash, zsh and fish are known'

# zsh_line WORDS PATTERN: type the words and a tab into zsh; the line becomes what the pattern says.
cat >"$tmp/type.zsh" <<'END'
zmodload zsh/zpty || exit 3
zpty shell "PS1= zsh -f -i"
zpty -w shell "autoload -Uz compinit; compinit -u -D; source $1; cd ${1:h}; bindkey '^I' complete-word; echo RE''ADY"
zpty -r shell seen '*READY*' || exit 4
zpty -n -w shell "$2"$'\t'
zpty -r shell seen "*$3*" || exit 5
END
zsh_line()
{
    TERM=dumb HOME=$tmp timeout 60 zsh -f "$tmp/type.zsh" "$tmp/_loam" "$1" "$2" >/dev/null 2>&1
    is "zsh: $1 becomes $2" $? 0
}
if command -v zsh >/dev/null; then
    : >"$tmp/recording.loam"
    zsh_line "loam rep" "loam report "
    zsh_line "loam run --le" "loam run --leaks "
    zsh_line "loam run --sam" "loam run --sample"
    zsh_line "loam help dif" "loam help diff "
    zsh_line "loam report recor" "loam report recording.loam "
    zsh_line "loam run -o recor" "loam run -o recording.loam "
else
    skip "zsh" "zsh is not installed"
fi

# fish_offers WORDS PATTERN
fish_offers()
{
    like "fish: $1" "$(cd "$tmp" && HOME=$tmp fish -c 'source $argv[1]; complete -C $argv[2]' "$tmp/loam.fish" "$1" 2>&1)" "$2"
}
if command -v fish >/dev/null; then
    : >"$tmp/recording.loam"
    fish_offers "loam rep" '^report	show a recording'
    fish_offers "loam run --le" '^--leaks	scan'
    fish_offers "loam help dif" '^diff$'
    fish_offers "loam report recor" '^recording\.loam$'
    fish_offers "loam run --output recor" '^recording\.loam$'
    is "fish: options of another command" \
        "$(HOME=$tmp fish -c 'source $argv[1]; complete -C "loam ps --leak"' "$tmp/loam.fish")" ""
else
    skip "fish" "fish is not installed"
fi
done_testing
