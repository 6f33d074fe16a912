# Tap.pm: what Perl tests of the tool share.
#
#     use FindBin;
#     use lib "$FindBin::Bin/../lib";
#     use Tap;
#     ok($good, 'a name', @why);      # @why is shown if it is not good
#     is($got, $want, 'a name');      # compares two strings
#     skip('a name', 'why not');
#     done_testing();                 # last line: ends the program, its status tells
#
# Sets $top (the tree), $build (the built files), $loam and $cc, and skips everything if the tool is
# not built. A test that hangs dies after two minutes.
package Tap;
use strict;
use warnings;
use Exporter 'import';
use FindBin;
our @EXPORT = qw($top $build $loam $cc ok is skip slurp done_testing);

our $top = "$FindBin::Bin/../..";
our $build = $ENV{BUILD} || "$top/build/release";
our $loam = "$build/loam";
our $cc = $ENV{CC} || 'cc';
unless (-x $loam) {
    print "1..0 # SKIP $loam is not built\n";
    exit;
}
$| = 1;
alarm 120;
my ($n, $failed) = (0, 0);

sub ok($$;@) {
    my ($good, $name, @why) = @_;
    printf "%sok %d - %s\n", $good ? '' : 'not ', ++$n, $name;
    print map { "# $_\n" } @why unless $good;
    $failed++ unless $good;
}

sub is {
    my ($got, $want, $name) = @_;
    $got //= 'undef';
    ok($got eq $want, $name, "got $got", "expected $want");
}

sub skip {
    my ($name, $why) = @_;
    printf "ok %d - %s # SKIP %s\n", ++$n, $name, $why;
}

sub slurp {
    open my $in, '<', $_[0] or return '';
    local $/;
    return scalar <$in> // '';
}

sub done_testing {
    print "1..$n\n";
    exit($failed ? 1 : 0);
}

1;
