#!/bin/sh
# perl: hashes, sorting, regular expressions, closures, pack, fork and pipe.
. "$(dirname "$0")/guest.sh"
need perl

cat >"$tmp/guest.pl" <<'PERL'
use strict; use warnings; use List::Util qw(sum max shuffle); use Data::Dumper; use POSIX;
$Data::Dumper::Sortkeys = 1;
my (%count, @list);
for my $i (1 .. 60000) {
    my $w = join '', map { chr 97 + $i * $_ % 26 } 1 .. 1 + $i % 12;
    $count{$w}++;
    push @list, [$i, $w] if $i % 7 == 0;
}
print scalar(keys %count), ' ', sum(values %count), ' ', max(values %count), "\n";
my @sorted = sort { $a->[1] cmp $b->[1] || $b->[0] <=> $a->[0] } @list;
print "$_->[0] $_->[1]\n" for @sorted[0 .. 4];
my $text = join ' ', map { $_->[1] } @sorted;
my $hits = () = $text =~ /\b(\w)(\w*)\1\b/g;
(my $copy = $text) =~ s/([aeiou])/<$1>/g;
print "$hits ", length $copy, ' ', unpack('%32C*', $copy), "\n";
my @tree = map { my $n = $_; { name => $n, kids => [map { { name => "$n.$_" } } 1 .. 3] } } 1 .. 3;
print Dumper(\@tree);
my @subs = map { my $k = $_; sub { $k += $_[0] } } 1 .. 1000;
print sum(map { $_->(5) } @subs), "\n";
pipe my $r, my $w or die;
if (!fork) { close $r; print {$w} 'child ', length(pack('N*', 1 .. 10000)), "\n"; close $w; exit 0 }
close $w; print <$r>; wait; print 'status ', $?, "\n";
print eval { die { code => 42 } } // $@->{code}, "\n";
local $_ = 'x' x 1_000_000; my $n = tr/x/y/; print "$n\n";
print sprintf('%.6f', sum(map { sqrt } 1 .. 10000)), ' ', strftime('%F', gmtime 86400), "\n";
PERL
same "a script" perl "$tmp/guest.pl"
same "its own documentation" perl -MPod::Text -e \
    'Pod::Text->new(width => 72)->parse_file($INC{"Pod/Text.pm"})'
done_testing
