#!/usr/bin/perl
# Includes follow the arrows of tools/layers: one test per src/ folder, one for the public headers,
# one that no folder is missing from the list.
use strict;
use warnings;
use FindBin;
chdir "$FindBin::Bin/../.." or die;

my %may;
open my $list, '<', 'tools/layers' or die "tools/layers: $!";
while (<$list>) {
    next if /^\s*(#|$)/;
    my ($layer, $rest) = /^(\w+):\s*(.*)$/ or die "tools/layers: cannot read: $_";
    $may{$layer} = { map { $_ => 1 } $layer, 'base', split ' ', $rest };
}

my $n = 0;
sub ok {
    my ($good, $name, @why) = @_;
    printf "%sok %d - %s\n", $good ? '' : 'not ', ++$n, $name;
    print "# $_\n" for @why;
    return $good;
}

# Includes of `file` with a folder in front, as [folder, line number, text].
sub includes {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!";
    my @found;
    while (<$in>) {
        push @found, [$1, $., $2] if m{^\s*#\s*include\s*"((?:\.\./)*\w+)/([^"]+)"};
    }
    return @found;
}

my $failed = 0;
for my $dir (sort glob 'src/*/') {
    my ($layer) = $dir =~ m{^src/(\w+)/};
    my @bad;
    if (!$may{$layer}) {
        $failed++ unless ok(0, "$layer is listed in tools/layers");
        next;
    }
    for my $file (glob "$dir*.[chS]") {
        for my $i (includes($file)) {
            my ($to, $line, $what) = @$i;
            push @bad, "$file:$line: $layer may not include $to/$what" unless $may{$layer}{$to};
        }
    }
    $failed++ unless ok(!@bad, "$layer includes only what it may", @bad);
}

# A public header stands alone: it includes the system and other public headers.
my @bad;
for my $file (glob 'include/loam/*') {
    push @bad, "$file:$_->[1]: $_->[0]/$_->[2]" for includes($file);
}
$failed++ unless ok(!@bad, 'public headers include only <loam/...> and the system', @bad);

print "1..$n\n";
exit($failed ? 1 : 0);
