#!/usr/bin/perl
# loam translate: an address's bits, page, frame, file and block, against what the kernel's files
# say about it and what the program knows about its own memory.
use strict;
use warnings;
no warnings 'portable'; # addresses have more than 32 bits
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use File::Temp 'tempdir';
use Tap;

my $tmp = tempdir(CLEANUP => 1);

open my $c, '>', "$tmp/subject.c" or die;
print $c <<'EOF';
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static char *wanted(void)
{
    char *p = malloc(100);
    return memset(p, 1, 100);
}
int main(void)
{
    char *page = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[4096] = 1;
    char *block = wanted(), *freed = wanted(), *large = malloc(300000);
    memset(large, 1, 300000);
    free(freed);
    int child = fork();
    if (child != 0) {
        dprintf(1, "%p %p %p %p %p %d\n", page, block, freed, large, (void *)main, child);
    }
    for (;;)
        pause();
}
EOF
close $c;
system("$cc -g -O0 -w -o $tmp/subject $tmp/subject.c") == 0 or die;

my @kill;
my @own; # of those, our own children
END {
    local $?;
    kill 'KILL', $_ for grep { $_ } @kill, @own;
    waitpid $_, 0 for @own;
}
# Start it by a command; returns its pid, addresses and its child's pid.
sub start {
    my ($env, @command) = @_;
    pipe my $read, my $write or die;
    my $pid = fork // die;
    if ($pid == 0) {
        open STDOUT, '>&', $write;
        open STDERR, '>', '/dev/null';
        %ENV = (%ENV, %$env);
        exec @command, "$tmp/subject";
    }
    close $write;
    my $said = '';
    until ($said =~ /\n/) { sysread $read, $said, 4096, length $said or die 'it died' }
    my @said = split ' ', $said;
    my $child = pop @said;
    my ($subject) = slurp("/proc/$child/status") =~ /^PPid:\s+(\d+)/m;
    push @kill, $child, $subject;
    push @own, $pid;
    return ($subject, $child, map { hex } @said);
}
sub translate { my ($pid, $addr) = @_; return decode_json(scalar(`$loam translate --json $pid @{[sprintf '%#x', $addr]}`)) }
sub entry {
    my ($pid, $addr) = @_;
    open my $pm, '<:raw', "/proc/$pid/pagemap" or die;
    seek $pm, int($addr / 4096) * 8, 0;
    read $pm, my $word, 8;
    return unpack 'Q', $word;
}

my ($pid, $child, $page, undef, undef, undef, $main) = start({});
my $t = translate($pid, $page + 4096 + 0x123);
is($t->{schema}, 'loam-translate/1', 'schema');
my @index = map { $_->{index} } @{$t->{levels}};
my ($at, $back) = (0, 0);
$back = $back * 512 + $_ for @index;
is(sprintf('%x', $back * 4096 + 0x123), sprintf('%x', $page + 4096 + 0x123), 'the indices make the address');
is($t->{state}, 'shared', 'a page that a child of fork shares');
is(translate($pid, $page)->{state}, 'absent', 'an untouched page');
ok($t->{levels}[-1]{rss} == 4096, 'the last entry has one page', $t->{levels}[-1]{rss});
ok($t->{levels}[0]{rss} >= $t->{levels}[1]{rss} && $t->{levels}[1]{rss} >= $t->{levels}[2]{rss},
    'an outer entry has at least what inner ones have');

if ($> == 0 && $t->{frames_known}) {
    is($t->{frame}{number}, entry($pid, $page + 4096) & ((1 << 55) - 1), 'the frame is what pagemap says');
    open my $count, '<:raw', '/proc/kpagecount' or die;
    seek $count, $t->{frame}{number} * 8, 0;
    read $count, my $word, 8;
    is($t->{frame}{mapped}, unpack('Q', $word), 'mapped as often as kpagecount says');
    is(join(' ', map { $_->{pid} } @{$t->{frame}{others}}), $child, 'by whom else');
    ok(scalar(grep { $_ eq 'anon' } @{$t->{frame}{flags}}), 'its flags', @{$t->{frame}{flags}});
    my $text = `$loam translate $pid @{[sprintf '%x', $page + 4096]}`;
    ok($text =~ /^SHARED +$child subject/m, 'a page: who shares it', split /\n/, $text);
    my $said = `setpriv --reuid 65534 --clear-groups --bounding-set -all --inh-caps -all $loam translate self @{[sprintf '%x', 0x1000]} 2>&1`;
    is($? >> 8, 0, 'without privilege: status');
    ok($said =~ /nothing is mapped there/, 'without privilege: what can be told', $said);
} else {
    skip('frames', 'not root');
}

my $code = translate($pid, $main);
is($code->{mapping}{section}, '.text', 'the section of a function');
is($code->{mapping}{path}, "$tmp/subject", 'its file');
my ($symbol) = `nm $tmp/subject` =~ /^([0-9a-f]+) T main$/m;
my ($text) = `readelf -SW $tmp/subject` =~ /\.text\s+PROGBITS\s+([0-9a-f]+ [0-9a-f]+)/;
my ($addr, $offset) = map { hex } split ' ', $text;
is($code->{mapping}{offset}, hex($symbol) - $addr + $offset, 'its place in the file');

# On loam's heap, recorded.
my ($rpid, undef, undef, $block, $freed, $large) = start({}, $loam, 'run', '--');
my $b = translate($rpid, $block + 40)->{block};
ok($b && $b->{live}, 'a live block');
is($b->{start}, sprintf('0x%x', $block), 'where it begins');
is($b->{offset}, 40, 'how far inside');
is($b->{asked}, 100, 'what was asked for');
is($b->{size}, 112, 'its class');
ok($b->{stack} && $b->{stack}[0]{function} eq 'malloc' || $b->{stack}[0]{function} eq 'wanted',
    'who allocated it', map { "$_->{function} $_->{where}" } @{$b->{stack} || []});
ok(scalar(grep { $_->{function} eq 'wanted' && $_->{where} =~ /subject\.c:9/ } @{$b->{stack} || []}), 'at which line', map { "$_->{function} $_->{where}" } @{$b->{stack}});
my $f = translate($rpid, $freed)->{block};
ok($f && !$f->{live}, 'a block that was freed');
my $l = translate($rpid, $large + 299_999)->{block};
ok($l && $l->{live} && $l->{large}, 'a large block');
is($l->{asked}, 300_000, 'what was asked for of it');
my $human = `$loam translate $rpid @{[sprintf '%x', $block]}`;
ok($human =~ /wanted\s+\S*subject\.c:9/, 'a page: who allocated it', split /\n/, $human);

# Named owners: a region, a pool, a task's stack; in a program that has loam linked in.
open $c, '>', "$tmp/owners.c" or die;
print $c <<'EOF';
#include <loam/pool.h>
#include <loam/region.h>
#include <loam/task.h>
#include <stdio.h>
#include <unistd.h>
struct conn {
    int fd;
    char name[60];
};
LOAM_POOL(conns, struct conn)
static void all(void *arg)
{
    char here;
    loam_region r;
    loam_region_init(&r, "http.request");
    char *p = loam_region_push_raw(&r, 5000, 16);
    conns c = conns_make(LOAM_HERE);
    conns_handle h;
    struct conn *k = NULL;
    for (int i = 0; i < 100; i++)
        k = conns_new(&c, &h);
    dprintf(1, "%p %p %p %d\n", (void *)p, (void *)k, (void *)&here, (int)getpid());
    for (;;)
        pause();
}
int main(void) { return loam_task_run(NULL, all, NULL); }
EOF
close $c;
system("$cc -g -O1 -w -I$top/include -o $tmp/owners $tmp/owners.c $build/libloam_malloc.a -pthread") == 0 or die;
pipe my $from, my $to or die;
my $opid = fork // die;
if ($opid == 0) {
    open STDOUT, '>&', $to;
    exec "$tmp/owners";
}
close $to;
push @own, $opid;
my @said = (split ' ', scalar <$from>)[0 .. 2];
my ($region, $object, $stack) = map { translate($opid, hex($_) + 3)->{named} } @said;
is("$region->{kind} $region->{name} $region->{offset}", 'region http.request 3', 'a region by its name');
ok($region->{place} =~ /owners\.c:15$/, 'where it was made', $region->{place});
is("$object->{kind} $object->{offset}", 'pool 3', 'an object in a pool');
is($stack->{kind}, 'task', 'the stack of a task');
my $owned = decode_json(scalar `$loam map --json $opid`);
is(scalar(grep { $_->{kind} eq 'tasks' && $_->{rss} } @{$owned->{parts}}) > 0 ? 1 : 0, 1, 'stacks of tasks in the map');
is(join(' ', sort map { $_->{kind} } @{$owned->{named}}), 'pool region task tasks', 'named owners in the map');

# Nothing there, nobody's, and no address.
ok(scalar(`$loam translate $pid 10` =~ /nothing is mapped there.*\n.*below the start of/), 'nothing is mapped, and what is near');
ok(scalar(`$loam translate $pid 0x8000000000000000` =~ /no address of a program/), 'the hole in the middle');
ok(scalar(`$loam translate $pid ffffffffffffffff` =~ /no address of a program/), 'the last address');
my ($vsyscall) = slurp("/proc/$pid/maps") =~ /^([0-9a-f]+)-\S+ .*\[vsyscall\]/m;
ok(scalar(!$vsyscall || `$loam translate $pid $vsyscall` =~ /\[vsyscall\]/), 'vsyscall');
sub refuses {
    my ($what, $status, $pattern, @arguments) = @_;
    my $said = `$loam translate @arguments 2>&1 >/dev/null`;
    is($? >> 8, $status, "$what: status");
    ok($said =~ /$pattern/, "$what: sentence", $said);
}
refuses('no address', 2, qr/a process and an address are needed/, $pid);
refuses('an odd address', 2, qr/'xyz' is no address/, $pid, 'xyz');
refuses('too large an address', 2, qr/is no address/, $pid, '0x10000000000000000');
refuses('gone', 1, qr/there is no process/, 4194999, 10);

done_testing();
