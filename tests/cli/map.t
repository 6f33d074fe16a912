#!/usr/bin/perl
# loam map: its page states add up to the kernel's smaps mapping by mapping, owners and parts cover
# the address space exactly, sections are where readelf has them, and loam's heap is seen into.
use strict;
use warnings;
no warnings 'portable'; # addresses have more than 32 bits
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use Encode 'decode';
use File::Temp 'tempdir';
use Tap;

my $tmp = tempdir(CLEANUP => 1);

# The subject: one page or more in every state that can be had without swap, threads with names, a
# mapped file that it has written to. It stops changing before it says so.
open my $c, '>', "$tmp/subject.c" or die;
print $c <<'EOF';
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#define PAGES(n) ((size_t)(n) * 4096)
int table[3000] = {1, 2, 3};
static char *map(size_t size, int flags, int fd)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
}
static void *worker(void *name)
{
    pthread_setname_np(pthread_self(), name);
    write(1, "t", 1);
    for (;;)
        pause();
}
int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    char *small = map(PAGES(10), MAP_PRIVATE | MAP_ANONYMOUS, -1);
    memset(small, 1, PAGES(7));
    char *zero = map(PAGES(20), MAP_PRIVATE | MAP_ANONYMOUS, -1);
    volatile char sum = 0;
    for (int i = 0; i < 5; i++)
        sum += zero[PAGES(i)];
    zero[PAGES(9)] = 1;
    char *huge = map(8 << 20, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    huge = (char *)(((unsigned long)huge + (2 << 20) - 1) & ~((2ul << 20) - 1));
    madvise(huge, 2 << 20, MADV_HUGEPAGE);
    memset(huge, 1, 2 << 20);
    char *guarded = map(PAGES(8), MAP_PRIVATE | MAP_ANONYMOUS, -1);
    memset(guarded, 1, PAGES(8));
    int guards = madvise(guarded + PAGES(2), PAGES(3), MADV_GUARD_INSTALL) == 0;
    int fd = open(argv[1], O_RDWR);
    char *file = map(PAGES(16), MAP_SHARED, fd);
    for (int i = 0; i < 12; i++)
        sum += file[PAGES(i)];
    char *copied = map(PAGES(16), MAP_PRIVATE, fd);
    copied[0] = copied[PAGES(3)] = 1;
    sum += copied[PAGES(8)];
    char *both = map(PAGES(6), MAP_SHARED | MAP_ANONYMOUS, -1);
    memset(both, 1, PAGES(4));
    printf("%p %p %p %p %p %p %p %d\n", small, zero, huge, guarded, file, copied, both, guards);
    pthread_t t;
    pthread_create(&t, NULL, worker, "alpha");
    pthread_create(&t, NULL, worker, "beta gamma");
    void **keep = calloc(20000, sizeof *keep);
    for (int i = 0; i < 20000; i++)
        memset(keep[i] = malloc(200), 1, 200);
    for (int i = 0; i < 20000; i += 2)
        free(keep[i]);
    write(1, "R\n", 2);
    for (;;)
        pause();
}
EOF
close $c;
system("$cc -g -O1 -w -o $tmp/subject $tmp/subject.c -pthread") == 0 or die;
open my $f, '>', "$tmp/file" or die;
print $f 'x' x (16 * 4096);
close $f;

my @children;
END {
    local $?;
    for (@children) { kill 'KILL', $_; waitpid $_, 0 }
}
# Start it; returns its pid and the addresses it printed.
sub start {
    my (%env) = @_;
    pipe my $read, my $write or die;
    my $pid = fork // die;
    if ($pid == 0) {
        open STDOUT, '>&', $write;
        %ENV = (%ENV, %env);
        chdir $tmp;
        exec 'sh', '-c', 'ulimit -c unlimited; exec "$0" "$@"', "$tmp/subject", "$tmp/file" if $env{loam_core};
        exec "$tmp/subject", "$tmp/file";
    }
    close $write;
    push @children, $pid;
    my $said = '';
    until ($said =~ /R\n/ && (() = $said =~ /t/g) == 2) {
        sysread $read, $said, 4096, length $said or die 'it died';
    }
    my @at = map { hex } (split ' ', $said)[0 .. 6];
    return ($pid, \@at, (split ' ', $said)[7] =~ /^1/);
}

sub smaps {
    my ($pid) = @_;
    my (@all, $last);
    for (split /\n/, slurp("/proc/$pid/smaps")) {
        if (/^([0-9a-f]+)-([0-9a-f]+) /) {
            push @all, $last = { start => hex $1, end => hex $2 };
        } elsif (/^(\w+):\s+(\d+) kB/) {
            $last->{$1} = $2 * 1024;
        }
    }
    return @all;
}
sub sum { my $s = 0; $s += $_ // 0 for @_; $s }
sub in_ram { my ($s) = @_; sum(@$s{qw(small huge clean dirty shared)}) }

my ($pid, $at, $guards) = start();
my $m = decode_json(scalar `$loam map --json --pages $pid`);
is($m->{schema}, 'loam-map/1', 'schema');
my @smaps = smaps($pid);
is($m->{rss}, sum(map { $_->{Rss} } @smaps), 'rss is what smaps adds up to');
is(in_ram($m->{states}), $m->{rss}, 'states add up to rss');

my (%parts, @bad, $before);
push @{$parts{$_->{start}}}, $_ for @{$m->{parts}};
for my $want (grep { $_->{start} < 2**63 } @smaps) { # JSON's integers end there
    my ($rss, $swap, $at) = (0, 0, $want->{start});
    for my $p (grep { $_->{start} >= $want->{start} && $_->{end} <= $want->{end} } @{$m->{parts}}) {
        push @bad, sprintf 'hole at %x', $at if $p->{start} != $at;
        $at = $p->{end};
        $rss += in_ram($p->{states});
        $swap += $p->{states}{swapped} // 0;
        push @bad, sprintf '%x: states do not cover it', $p->{start}
            if sum(values %{$p->{states}}) != $p->{end} - $p->{start};
        my %runs;
        $runs{$_->[2]} += $_->[1] - $_->[0] for @{$p->{pages}};
        for (keys %runs) {
            push @bad, sprintf '%x: %s by pages %d, by part %d', $p->{start}, $_, $runs{$_}, $p->{states}{$_}
                if $runs{$_} != ($p->{states}{$_} // 0);
        }
    }
    push @bad, sprintf '%x is not covered', $want->{start} if $at != $want->{end};
    push @bad, sprintf '%x: rss %d, smaps %d', $want->{start}, $rss, $want->{Rss} if $rss != $want->{Rss};
    push @bad, sprintf '%x: swap', $want->{start} if $swap != $want->{Swap};
}
ok(!@bad, 'every mapping: covered, Rss and Swap as in smaps, runs as the sums', @bad);

# The pages that the subject made.
sub state_at {
    my ($addr) = @_;
    for my $p (@{$m->{parts}}) {
        next unless $p->{start} <= $addr && $addr < $p->{end};
        for (@{$p->{pages}}) { return $_->[2] if $_->[0] <= $addr && $addr < $_->[1] }
        return 'absent';
    }
    return 'unmapped';
}
sub states { my ($from, @pages) = @_; join ' ', map { state_at($from + 4096 * $_) } @pages }
is(states($at->[0], 0, 6, 7, 9), 'small small absent absent', 'written and untouched pages');
is(states($at->[1], 0, 4, 5, 9), 'zero zero absent small', 'the zero page');
if (grep { $_->{AnonHugePages} } @smaps) {
    is(states($at->[2], 0, 511), 'huge huge', 'a huge page');
} else {
    skip('a huge page', 'the kernel gave none');
}
if ($guards) {
    is(states($at->[3], 1, 2, 4, 5), 'small guard guard small', 'guards inside a mapping');
} else {
    skip('guards inside a mapping', 'not in this kernel');
}
# Mapped by two mappings, a page is shared, whoever they belong to.
like_one(states($at->[4], 0, 11), 'clean|dirty|shared', 'pages of a file');
is(states($at->[5], 0, 3), 'small small', 'copied pages of a file');
is(states($at->[6], 0, 3), 'dirty dirty', 'shared anonymous memory, mapped here alone');
sub like_one { my ($got, $want, $name) = @_; ok(!(grep { !/^($want)$/ } split ' ', $got), $name, $got) }

# Owners.
my %owner = map { $_->{label} => $_ } @{$m->{owners}};
ok($owner{subject}{rss}, 'the program is an owner');
ok($owner{'libc.so.6'}{rss}, 'a library is an owner');
is(sum(map { $_->{rss} } @{$m->{owners}}), $m->{rss}, 'owners add up');
my %stacks = map { $_->{name} => $_->{tid} } grep { $_->{kind} eq 'stack' } @{$m->{parts}};
is(join(',', sort keys %stacks), 'alpha,beta gamma,subject', 'stacks by name of their thread');
is($stacks{subject}, $pid, "the first thread's stack");

# Sections, against readelf.
my ($bias) = map { $_->{start} } grep { $_->{kind} eq 'program' } @{$m->{parts}};
my %section = map { ($_->{name} => $_) } map { @{$_->{sections}} } grep { $_->{kind} eq 'program' } @{$m->{parts}};
@bad = ();
for (`readelf -SW $tmp/subject`) {
    next unless /^\s+\[\s*\d+\] (\.\S+)\s+\w+\s+([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) \w+\s+\w*A/;
    my ($name, $addr, $size) = ($1, hex $2, hex $3);
    my $s = $section{$name};
    push @bad, $name if !$s || $s->{start} != $bias + $addr || $s->{end} - $s->{start} != $size;
}
ok(!@bad && keys %section > 10, 'sections are where readelf has them', @bad);

# Frames: the same that pagemap has.
if ($> == 0 && $m->{frames_known}) {
    my ($page) = map { $_->[3] } grep { $_->[0] == $at->[0] } map { @{$_->{pages}} } @{$m->{parts}};
    open my $pm, '<:raw', "/proc/$pid/pagemap" or die;
    seek $pm, $at->[0] / 4096 * 8, 0;
    read $pm, my $word, 8;
    is($page, unpack('Q', $word) & ((1 << 55) - 1), 'a frame is what pagemap says');
} else {
    skip('a frame is what pagemap says', 'not root');
}

# Without privilege: the same sums, no frames.
if ($> == 0) {
    my $said = `setpriv --reuid 65534 --clear-groups --bounding-set -all --inh-caps -all $loam map --json --pages self`;
    is($?, 0, 'without privilege: status');
    my $own = decode_json($said);
    ok(!$own->{frames_known}, 'without privilege: no frames');
    is(in_ram($own->{states}), $own->{rss}, 'without privilege: states add up');
    is(scalar(grep { defined $_->[3] } map { @{$_->{pages}} } @{$own->{parts}}), 0, 'without privilege: none is told');
}

# On loam's heap.
my ($lpid) = start(LD_PRELOAD => "$build/libloam.so");
my $l = decode_json(scalar `$loam map --json $lpid`);
ok($l->{loam_heap}, "loam's heap is found");
my $acc = $l->{account};
my $parts = sum(map { $acc->{$_} // 0 } qw(live waste free tables stacks files other));
is($parts, $l->{rss}, 'the account is closed');
my $total = sum(map { $_->{Rss} } smaps($lpid));
ok(abs($parts - $total) <= $total / 100, 'and within 1 % of smaps', $parts, $total);
my ($class) = grep { defined $_->{size} && $_->{size} == 208 } @{$l->{classes}};
ok($class && $class->{live} >= 10000 && $class->{live} < 10100, 'blocks of a class', encode_json($class // {}));
ok($acc->{live} >= 10000 * 208 && $acc->{live} < 3_000_000, 'live bytes', $acc->{live});
ok($acc->{free} >= 1_500_000, 'free but dirty bytes', $acc->{free});
ok(!defined $acc->{waste}, 'waste is not known without a recording');
like_text(`$loam map $lpid`, "loam's heap", 'the page names the heap');
like_text(`$loam map --pages $lpid`, 'blocks of 208 bytes are live', '--pages shows slabs');

# On pages.
my $page = `$loam map $pid`;
is($?, 0, 'a page: status');
is(join("\n", grep { length > 100 } split /\n/, decode('UTF-8', $page)), '', 'a page: 100 columns');
like_text($page, 'WHO HAS IT', 'a page: who has it');
like_text(scalar `$loam map --all $pid`, '\.text', '--all shows sections');
sub like_text { my ($text, $want, $name) = @_; ok($text =~ /$want/, $name, split /\n/, $text) }

# The page for a browser, drawn by one if there is one.
system("$loam map --html $tmp/map.html $lpid");
is($?, 0, '--html: status');
if (-x '/usr/bin/chromium') {
    my $dom = `HOME=$tmp timeout 60 /usr/bin/chromium --headless --no-sandbox --disable-gpu --dump-dom $tmp/map.html 2>/dev/null`;
    like_text($dom, '<h2[^>]*>The address space</h2>', '--html: the picture');
    like_text($dom, 'bars-label">libc\.so\.6<', '--html: owners');
} else {
    skip('--html', 'no chromium');
}

# Differences.
system("$loam map --json $pid >$tmp/before.json");
like_text(scalar `$loam map --diff $tmp/before.json $pid`, "nobody's memory", '--diff: nothing has changed');
my $edited = decode_json(slurp("$tmp/before.json"));
$_->{label} eq 'subject' and $_->{rss} += 1_000_000 for @{$edited->{owners}};
open my $out, '>', "$tmp/before.json" or die;
print $out encode_json($edited);
close $out;
my $d = decode_json(scalar `$loam map --json --diff $tmp/before.json $pid`);
is($d->{changes}[0]{label}, 'subject', '--diff: who has changed');
is($d->{changes}[0]{rss_before} - $d->{changes}[0]{rss}, 1_000_000, '--diff: by how much');

sub refuses {
    my ($what, $status, $pattern, @arguments) = @_;
    my $said = `$loam map @arguments 2>&1 >/dev/null`;
    is($? >> 8, $status, "$what: status");
    ok($said =~ /$pattern/, "$what: sentence", $said);
}
refuses('gone', 1, qr/there is no process 4194999/, '4194999');
refuses('no map', 1, qr/is no map/, '--diff', "$tmp/subject.c", $pid);
refuses('no file', 1, qr/cannot be read/, '--diff', "$tmp/none", $pid);
open $out, '>', "$tmp/odd.json" or die;
print $out '{"schema": "loam-map/1", "owners": [1, {"kind": 5}, {"kind": "brk", "name": "", "rss": -1}], "rss": "x"}';
close $out;
like_text(scalar `$loam map --diff $tmp/odd.json $pid`, 'what has changed', 'a strange map does not hurt');

# A core of the same program, by the kernel, or by gcore where the kernel's go elsewhere.
my $core;
{
    my ($cpid) = start(LD_PRELOAD => "$build/libloam.so", loam_core => 1);
    my $seen = decode_json(scalar `$loam map --json $cpid`);
    if (slurp('/proc/sys/kernel/core_pattern') =~ m{^[^/|]*core}) {
        kill 'ABRT', $cpid;
        waitpid $cpid, 0;
        ($core) = glob "$tmp/*core*";
    } elsif (-x '/usr/bin/gcore') {
        system("gcore -o $tmp/core $cpid >/dev/null 2>&1");
        $core = "$tmp/core.$cpid";
    }
    if ($core && -s $core) {
        my $k = decode_json(scalar `$loam map --json $core`);
        ok($k->{core} && $k->{loam_heap}, "a core: loam's heap is found");
        is($k->{account}{live_blocks}, $seen->{account}{live_blocks}, 'a core: its blocks');
        is($k->{pid}, $cpid, 'a core: whose it is');
        ok(abs($k->{account}{live} - $seen->{account}{live}) < 4096, 'a core: their bytes',
            $k->{account}{live}, $seen->{account}{live});
        is(scalar(grep { $_->{kind} eq 'stack' } @{$k->{parts}}), 3, 'a core: stacks of threads');
        my $overlap = grep { $k->{parts}[$_]{start} < $k->{parts}[$_ - 1]{end} } 1 .. $#{$k->{parts}};
        is($overlap, 0, 'a core: parts in order');
    } else {
        skip('a core', 'no core could be had');
        undef $core;
    }
}
if ($core) {
    # Cut, and with bytes changed at random in what describes it: told or refused, never worse.
    my $worst = 0;
    my $try = sub {
        system("timeout 20 $loam map $core >$tmp/out 2>&1");
        $worst++, print '# ', slurp("$tmp/out") if ($? >> 8) > 1 || $? & 127;
    };
    my $size = -s $core;
    open my $io, '+<:raw', $core or die;
    read $io, my $head, 16384;
    srand 7;
    for (1 .. 40) {
        my $bent = $head;
        substr $bent, int(rand(rand() < 0.5 ? 4096 : length $head)), 1, chr int rand 256 for 1 .. 1 + rand 6;
        seek $io, 0, 0;
        print $io $bent;
        $io->flush;
        $try->();
    }
    seek $io, 0, 0;
    print $io $head;
    $io->flush;
    for my $cut (map { int $size / $_ } 1.5, 2, 5, 50) {
        truncate $io, $cut;
        $try->();
    }
    for my $cut (5000, 1000, 100, 64, 20, 0) {
        truncate $io, $cut;
        $try->();
    }
    is($worst, 0, 'cores that are cut or bent are told or refused');
}
refuses('a program is no core', 1, qr/no core file: 'loam elf'/, "$tmp/subject");
refuses('a text is no core', 1, qr/is no core file/, "$tmp/subject.c");
refuses('a folder', 1, qr/is no regular file/, $tmp);
refuses('a core to watch', 2, qr/--watch needs a process/, '--watch', 1, "$tmp/subject");

# A process that dies while it is looked at, again and again.
my $died = 0;
for (1 .. 20) {
    my $short = fork // die;
    if ($short == 0) { exec 'sleep', '0.00' . $_ }
    system("$loam map $short >/dev/null 2>&1");
    $died++ if ($? >> 8) > 1 || $? & 127;
    waitpid $short, 0;
}
is($died, 0, 'a process that dies meanwhile is told or refused');

done_testing();
