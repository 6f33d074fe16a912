# memcached: a server that stores values of many sizes for a small client, by a socket in the working
# folder. It takes its memory in large pieces and deals it out itself.
. "$(dirname "$0")/lib.sh"
need memcached perl
client()
{
    cat <<'END'
use IO::Socket::UNIX;
my ($path, $n) = @ARGV;
my $s = IO::Socket::UNIX->new(Peer => $path) or die "no server: $!";
my $seed = 3;
for (my $i = 0; $i < $n; $i += 100) {
    my $order = "";
    for (1 .. 100) {
        $seed = ($seed * 1103515245 + 12345) % 2147483648;
        my $size = 20 + ($seed >> 8) % 2000;
        $order .= sprintf("set k%d 0 0 %d\r\n", ($seed >> 4) % 50000, $size) . "v" x $size . "\r\n";
    }
    print $s $order;
    $s->flush;
    for (1 .. 100) { <$s> eq "STORED\r\n" or die "not stored" }
}
END
}
prepare()
{
    once client.pl client
}
run()
{
    socket=$PWD/memcached.$$.sock user=
    [ "$(id -u)" != 0 ] || user="-u root"
    on memcached $user -s "$socket" -m 200 -t 2 &
    server=$!
    wait_for test -S "$socket"
    perl client.pl "$socket" "$(often 900000)"
    kill $server
    wait || :
    rm -f "$socket"
}
main "$@"
