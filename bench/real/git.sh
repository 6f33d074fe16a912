# git: pack a history anew, then walk it with all differences.
. "$(dirname "$0")/lib.sh"
need git
prepare()
{
    repository
}
run()
{
    for _ in $(seq "$(often 1)"); do
        on git -C repo -c pack.threads=1 repack -a -d -f -q
        on git -C repo log -p --stat --all | cksum
        on git -C repo fsck --no-progress
    done
}
main "$@"
