#!/usr/bin/perl
# No false leaks: on programs that do next to nothing, loam reports no leak that memcheck does not
# report too. (Several of them do leak a little, and memcheck says so.)
#
# Compared are bytes and blocks of what is lost, and the sizes of the blocks: memcheck's frames in
# stripped programs carry no names to compare.
use strict;
use warnings;
use FindBin;
use JSON::PP;
use File::Temp 'tempdir';

my $build = $ENV{BUILD} // "$FindBin::Bin/../../build/release";
my $tmp   = tempdir('/tmp/loam-quiet.XXXXXX', CLEANUP => 1);
delete @ENV{qw(LD_PRELOAD LOAM)};
$ENV{LC_ALL} = 'C';
my $n = my $failed = 0;

sub slurp {
    my ($file) = @_;
    open my $in, '<', $file or return '';
    local $/;
    return <$in> // '';
}

sub run {
    my (@argv) = @_;
    my $pid = fork // die;
    if ($pid == 0) {
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>',  "$tmp/out";
        open STDERR, '>&', \*STDOUT;
        chdir "$tmp/work" or die;
        exec 'timeout', '-k', '5', 120, @argv;
        exit 127;
    }
    waitpid $pid, 0;
    return $?;
}

# Bytes and blocks that memcheck calls lost in any way, over the process tree. What is "possibly"
# lost counts as seen by memcheck: a pointer into the middle is all that holds it.
sub memcheck {
    unlink glob "$tmp/mc.*";
    local $ENV{PYTHONMALLOC} = 'malloc';
    run('valgrind', '--trace-children=yes', '--leak-check=full', "--log-file=$tmp/mc.%p", @_);
    my ($bytes, $blocks, $logs) = (0, 0, 0);
    for (map { slurp($_) } glob "$tmp/mc.*") {
        $logs++ if /LEAK SUMMARY|All heap blocks were freed/;
        while (/(?:definitely|indirectly|possibly) lost: ([\d,]+) bytes in ([\d,]+) blocks/g) {
            my ($x, $y) = map { s/,//gr } $1, $2;
            $bytes += $x;
            $blocks += $y;
        }
    }
    return ($bytes, $blocks, $logs);
}

# What loam calls leaked: the one field of its report that is of interest here. Python reads it, as
# JSON::PP takes half a minute for all the places of a large program.
sub leaked_of {
    my ($file) = @_;
    open my $python, '-|', 'python3', '-c',
        'import json, sys; print(json.dumps(json.load(open(sys.argv[1]))["leaked"]))', $file or die;
    my $text = <$python> // 'null';
    close $python;
    return JSON::PP->new->allow_nonref->decode($text);
}

sub loam {
    unlink "$tmp/json";
    my $status = run("$build/loam", 'run', '--leaks', '-o', "$tmp/rec.loam", '--report',
        "$tmp/report", '--json', "$tmp/json", '--', @_);
    return ($status, leaked_of("$tmp/json"));
}

sub check {
    my ($name, @argv) = @_;
    $n++;
    my $program = $argv[0];
    if (!grep { -x "$_/$program" } '', split /:/, $ENV{PATH}) {
        print "ok $n - $name # SKIP $program is not installed\n";
        return;
    }
    my ($bytes, $blocks, $logs) = memcheck(@argv);
    my ($status, $leaked) = loam(@argv);
    my @why;
    if (!$logs) {
        push @why, 'memcheck said nothing', split /\n/, slurp("$tmp/out");
    } elsif (!$leaked) {
        push @why, "loam did not look for leaks (status $status)", split /\n/, slurp("$tmp/report");
    } else {
        my $count = 0;
        $count += $leaked->{$_}{blocks} for qw(direct indirect cycle);
        push @why, "loam: $leaked->{bytes} bytes in $count blocks, "
            . "memcheck: $bytes bytes in $blocks blocks", split /\n/, slurp("$tmp/report")
            if $leaked->{bytes} > $bytes || $count > $blocks;
    }
    push @why, "exit status $status under loam" if $status;
    printf "%sok %d - %s\n", @why ? 'not ' : '', $n, $name;
    print "# $_\n" for @why;
    $failed++ if @why;
}

mkdir "$tmp/work";
chdir "$tmp/work";
open my $c, '>', "$tmp/work/hello.c" or die;
print $c "#include <stdio.h>\nint main(void) { return puts(\"hello\") < 0; }\n";
close $c;
system 'git init -q . && git -c user.name=a -c user.email=a@example.org add hello.c';

check('python3 -c pass',  '/usr/bin/python3', '-c', 'pass');
check('sqlite3',          'sqlite3', ':memory:', 'create table t(a); insert into t values(1);');
check('git status',       'git', 'status');
check('gcc -c',           'gcc', '-c', 'hello.c', '-o', 'hello.o');
check('perl -e 1',        'perl', '-e', '1');
check('node -e 0',        'node', '-e', '0');
check('bash',             'bash', '-c', 'x=$(echo 1); for i in 1 2 3; do :; done; exit 0');
check('lua',              'lua5.4', '-e', 't = {1, 2, {}}');
check('ls -l',            'ls', '-lR', '/usr/share/doc/libc6');
chdir '/'; # so that the folder can be removed
print "1..$n\n";
exit($failed ? 1 : 0);
