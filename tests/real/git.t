#!/bin/sh
# git: a repository of eighty commits and a merge, packed, cloned, checked, blamed.
. "$(dirname "$0")/guest.sh"
need git

export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE='1700000000 +0000'
export GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org
export GIT_COMMITTER_DATE='1700000000 +0000' GIT_CONFIG_NOSYSTEM=1 HOME="$tmp" GIT_PAGER=cat
cat >"$tmp/guest" <<'SH'
set -e
git init -q -b main repo
cd repo
i=0
while [ $i -lt 80 ]; do
    i=$((i + 1))
    mkdir -p "d$((i % 7))"
    seq $i $((i * 3 + 200)) >"d$((i % 7))/f$((i % 13)).txt"
    git add -A
    git commit -q -m "number $i"
done
git checkout -q -b side HEAD~20
seq 1000 >only-here.txt
git add -A
git commit -q -m side
git checkout -q main
git merge -q -m merged side
git gc -q --aggressive --prune=now
git log --oneline --graph --stat | sha256sum
git rev-parse HEAD
git count-objects -v | grep -v '^size'
git fsck --full --strict
git blame d3/f3.txt | tail -3
git grep -c 77 | head -5
git diff --stat HEAD~30 | tail -1
git status
cd ..
git clone -q repo copy
cd copy
git rev-parse HEAD
git log -p -3 | sha256sum
git archive HEAD | tar -t | wc -l
! git checkout -q nowhere
SH
same "a repository's life" sh "$tmp/guest"
done_testing
