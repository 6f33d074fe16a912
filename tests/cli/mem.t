#!/usr/bin/perl
# loam mem: its figures are the kernel's, added up as smaps, smaps_rollup and pmap have them; and
# what it says when a process cannot be looked at.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp 'tempdir';
use JSON::PP;
use POSIX ();
use Tap;

# A process that stands still: it has touched a megabyte, has started so many others, and tells so
# before it waits. It is no fork of ours: that would share its pages with us, who go on.
my @children;
sub still {
    my ($forks) = @_;
    pipe my $read, my $write or die;
    my $pid = fork // die;
    if ($pid == 0) {
        open STDOUT, '>&', $write;
        exec $^X, '-e', <<'EOF', $forks // 0;
            $| = 1;
            my $block = 'x' x 1_000_000;
            for (1 .. $ARGV[0]) { last if !fork }
            print '.';
            sleep 1000 while 1;
EOF
    }
    push @children, $pid;
    sysread $read, my $ready, 1 for 0 .. $forks // 0;
    return $pid;
}
END {
    local $?;
    for my $pid (@children) {
        kill 'KILL', grep { $_ } split ' ', `cat /proc/$pid/task/$pid/children 2>/dev/null`;
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }
}


# Sums of smaps, in bytes.
sub smaps {
    my ($pid) = @_;
    my %sum;
    for (split /\n/, slurp("/proc/$pid/smaps")) {
        $sum{$1} += $2 * 1024 if /^(\w+):\s+(\d+) kB/;
    }
    return \%sum;
}

my $pid = still();
my $got = decode_json(scalar `$loam mem --json $pid`);
my $want = smaps($pid);
is($got->{schema}, 'loam-mem/1', 'schema');
my %names = (rss => 'Rss', private_dirty => 'Private_Dirty', shared_dirty => 'Shared_Dirty',
    anonymous => 'Anonymous', swap => 'Swap');
is($got->{$_}, $want->{$names{$_}}, "$_ is what smaps says") for sort keys %names;
# What is shared depends on who else runs, and others come and go.
my ($clean, $wanted) = map { $_->[0] + $_->[1] } [@$got{qw(shared_clean private_clean)}],
    [@$want{qw(Shared_Clean Private_Clean)}];
is($clean, $wanted, 'clean pages are what smaps says');
ok(abs($got->{pss} - $want->{Pss}) < 0.1 * $want->{Pss}, 'pss is what smaps says', $got->{pss}, $want->{Pss});
is($got->{uss}, $got->{private_clean} + $got->{private_dirty}, 'uss is the private part');

my ($sum, $size) = (0, 0);
$sum += $_->{rss} for @{$got->{mappings}};
is($sum, $got->{rss}, 'mappings add up to the total');
my @lines = split /\n/, slurp("/proc/$pid/maps");
is(scalar @{$got->{mappings}}, scalar(grep { !/vsyscall/ } @lines), 'every mapping is there');
my ($threads) = slurp("/proc/$pid/status") =~ /^Threads:\s+(\d+)/m;
is($got->{threads}, $threads, 'threads');

if (`pmap -x $pid` =~ /^total kB\s+(\d+)\s+(\d+)/m) {
    is($got->{rss}, $2 * 1024, 'rss is what pmap says');
} else {
    skip('rss is what pmap says', 'no pmap');
}

my $text = `$loam mem $pid`;
is($?, 0, 'a page: status');
ok($text =~ /^RSS +\d/m, 'a page: RSS', $text =~ /^RSS/m ? () : split /\n/, $text);
is(join("\n", grep { length > 100 } split /\n/, $text), '', 'a page: 100 columns');
my @all = grep { /^[0-9a-f]{12,16} / } split /\n/, `$loam mem --all $pid`;
is(scalar @all, scalar @lines, '--all has a line for every mapping');

# On loam's heap, recorded: a program that keeps every 200th of many blocks, and every 1,000th by
# another function; who keeps the memory, and what it would give to let go.
{
    my $tmp = tempdir(CLEANUP => 1);
    my $cc = $ENV{CC} || 'cc';
    open my $c, '>', "$tmp/frag.c" or die;
    print $c <<'EOF';
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *session(void) { return memset(malloc(64), 1, 64); }
static void *cached(void) { return memset(malloc(64), 1, 64); }
static void *line(void) { return memset(malloc(50), 1, 50); }
int main(void)
{
    enum { N = 100000 };
    static void *kept[N];
    for (int i = 0; i < N; i++)
        kept[i] = i % 200 == 7 ? session() : i % 1000 == 3 ? cached() : line();
    for (int i = 0; i < N - 10; i++)
        if (i % 200 != 7 && i % 1000 != 3)
            free(kept[i]);
    dprintf(1, "%d\n", getpid());
    for (;;)
        pause();
}
EOF
    close $c;
    system("$cc -g -O0 -w -o $tmp/frag $tmp/frag.c") == 0 or die;
    pipe my $read, my $write or die;
    my $run = fork // die;
    if ($run == 0) {
        open STDOUT, '>&', $write;
        open STDERR, '>', '/dev/null';
        exec $loam, 'run', '--', "$tmp/frag";
    }
    close $write;
    sysread $read, my $frag, 64 or die;
    $frag += 0;
    my $f = decode_json(scalar `$loam mem --json $frag`);
    my $a = $f->{account};
    my $sum = 0;
    $sum += $a->{$_} for qw(live waste free tables stacks files other);
    my $rss = smaps($frag)->{Rss};
    ok(abs($sum - $rss) <= $rss / 100, 'the account is within 1 % of smaps', $sum, $rss);
    is($a->{live_blocks}, 500 + 100 + 10, 'live blocks');
    is($a->{live}, 600 * 64 + 10 * 50, 'bytes that were asked for');
    is($a->{waste}, 10 * 14, 'size-class waste');
    my $g = $f->{fragmentation};
    my ($first, $second) = @{$g->{sites}};
    is($first->{stack}[0]{function}, 'session', 'who keeps most');
    is($first->{blocks}, 500, 'by how many blocks');
    is($second->{stack}[0]{function}, 'cached', 'who keeps less');
    is($second->{freed}, 0, 'who is never alone frees nothing');
    my $pinned = 0;
    $pinned += $_->{pinned} for @{$g->{sites}};
    ok(abs($pinned - ($g->{rss} - $g->{live})) < 2000, 'all of it is blamed', $pinned, $g->{rss} - $g->{live});
    ok($first->{freed} > $g->{rss} / 2 && $first->{freed} < $g->{rss}, 'what would be free', $first->{freed}, $g->{rss});
    my $said = `$loam mem $frag`;
    ok($said =~ /kept by 500 blocks.*would be free\n\s+session\s+\S*frag\.c:5/, 'a page: who keeps it', split /\n/, $said);
    kill 'KILL', $frag;
    waitpid $run, 0;
}

my $parent = still(2);
my $tree = decode_json(scalar `$loam mem --tree --json $parent`);
is(scalar @{$tree->{processes}}, 3, '--tree: the process and its children');
is(join(' ', map { $_->{depth} } @{$tree->{processes}}), '0 1 1', '--tree: who descends from whom');
my $pss = 0;
$pss += smaps($_->{pid})->{Pss} for @{$tree->{processes}};
ok(abs($tree->{pss} - $pss) < 0.1 * $pss, '--tree: PSS adds up', "$tree->{pss} and $pss");

# --watch ends with the process.
{
    my $tmp = tempdir(CLEANUP => 1);
    my $short = still();
    my $watch = fork // die;
    if ($watch == 0) {
        open STDOUT, '>', "$tmp/watched";
        exec $loam, 'mem', '--watch', 1, '--json', $short;
    }
    select undef, undef, undef, 0.01 until slurp("$tmp/watched") =~ /loam-mem/;
    kill 'KILL', $short;
    waitpid $watch, 0;
    is($?, 0, '--watch ends with the process');
}

sub refuses {
    my ($what, $status, $pattern, @arguments) = @_;
    my $said = `$loam mem @arguments 2>&1 >/dev/null`;
    is($? >> 8, $status, "$what: status");
    my $good = $said =~ /$pattern/;
    ok($good, "$what: sentence", $good ? () : $said);
}
refuses('no process', 2, qr/^loam mem: which process\?/);
refuses('no number', 2, qr/'frog' is no process number/, 'frog');
refuses('a negative number', 2, qr/unknown option/, '-5');
refuses('gone', 1, qr/there is no process 4194999/, '4194999');
my $zombie = fork // die;
POSIX::_exit(0) if $zombie == 0;
select undef, undef, undef, 0.01 until slurp("/proc/$zombie/stat") =~ /\) Z/;
refuses('a zombie', 1, qr/no memory of its own/, $zombie);
waitpid $zombie, 0;
if (slurp('/proc/2/status') =~ /^Kthread:\s+1/m) {
    refuses('a thread of the kernel', 1, qr/no memory of its own/, 2);
}
if ($> == 0) {
    my $root = still();
    my $said = `setpriv --reuid 65534 --clear-groups --bounding-set -all --inh-caps -all $loam mem $root 2>&1`;
    is($? >> 8, 1, "another user's process: status");
    my $good = $said =~ /may not be looked at.*Try as root/;
    ok($good, "another user's process: sentence", $good ? () : $said);
}

done_testing();
