#!/usr/bin/perl
# What the documents say is there, is there: links lead somewhere, paths in backquotes exist, each
# folder's README names each of its files, and the examples of public headers compile.
use strict;
use warnings;
use File::Basename;
use File::Temp qw(tempdir);
use FindBin;
chdir "$FindBin::Bin/../.." or die;

my ($n, $failed) = (0, 0);
sub ok {
    my ($name, @why) = @_;
    printf "%sok %d - %s\n", @why ? 'not ' : '', ++$n, $name;
    print "# $_\n" for @why;
    $failed++ if @why;
}

sub slurp {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!";
    local $/;
    return scalar <$in>;
}

my @documents = grep { -e } map { glob } '*.md', 'docs/*.md', '{src,tests}/{*/,}README.md';

my @dead;
for my $file (@documents) {
    my $text = slurp($file);
    while ($text =~ /\]\((?!https?:)([^)#]+)(#[^)]*)?\)/g) {
        push @dead, "$file: link to $1" unless -e dirname($file) . "/$1";
    }
}
ok('links between documents lead somewhere', @dead);

# `src/heap/fast.h`, also without the src/; build/ and installed paths are no part of the tree.
my @gone;
for my $file (@documents) {
    my $text = slurp($file);
    while ($text =~ m{`((?:src/|include/|tests/|tools/|docs/|examples/|man/)?[a-z_]+/[\w./]+\.(?:[ch]|md|t))`}g) {
        push @gone, "$file: $1" unless -e $1 || -e "src/$1" || -e dirname($file) . "/$1";
    }
}
ok('paths in backquotes exist', @gone);

my @unlisted;
my $index = slurp('docs/README.md');
for my $essay (map { basename($_) } glob 'docs/*.md') {
    push @unlisted, $essay unless $essay eq 'README.md' || $index =~ /\Q$essay\E/;
}
ok('docs/README.md lists every essay', @unlisted);

for my $readme (glob 'src/*/README.md') {
    my ($dir, $text) = (dirname($readme), slurp($readme));
    my %named = map { $_ => 1 } map { s/\.[chS]$//r } $text =~ /`(\w+\.[chS])`/g; # sites.c: and sites.h
    my @missing = grep { !$named{s/\.[chS]$//r} } map { basename($_) } glob("$dir/*.[chS]");
    my @stale = grep { !-e "$dir/$_" } $text =~ /`(\w+\.[chS])`/g;
    ok("$readme names the files of its folder", map({ "not named: $_" } @missing),
        map({ "not there: $_" } @stale));
    my $lines = () = $text =~ /\n/g;
    ok("$readme fits one screen", $lines > 50 ? "$lines lines" : ());
}

# The example of a public header stands in its opening comment, indented by five blanks.
my $tmp = tempdir(CLEANUP => 1);
my $cc = $ENV{CC} || 'cc';
for my $header (glob 'include/loam/*.h') {
    my ($comment) = slurp($header) =~ m{\A((?://.*\n)+)};
    my @code = map { m{^//     (.*)} ? $1 : () } split /\n/, $comment;
    next unless @code;
    my $name = basename($header);
    open my $out, '>', "$tmp/example.c" or die;
    my $whole = grep { /^int main/ } @code; # it declares something at file scope
    print $out "#include <loam/$name>\n#include <stdio.h>\n#include <string.h>\n" unless $whole;
    print $out "int main(void)\n{\n" unless $whole;
    print $out map({ "$_\n" } @code), $whole ? '' : "return 0;\n}\n";
    close $out;
    my $said = `$cc -std=gnu17 -Wall -Iinclude -c -o $tmp/example.o $tmp/example.c 2>&1`;
    ok("the example in loam/$name compiles", $? ? split(/\n/, $said) : ());
}

for my $header (glob 'include/loam/*.h') {
    my $name = basename($header);
    my @why;
    for my $compiler ("$cc -std=c11 -x c", "$cc -std=c++17 -x c++") {
        my $said = `printf '#include <loam/$name>\\nextern int unused;\\n' | $compiler -Wall -Wextra -Wpedantic -Iinclude -c -o $tmp/h.o - 2>&1`;
        push @why, $compiler, split(/\n/, $said) if $? || $said;
    }
    ok("loam/$name stands alone, in C11 and in C++17", @why);
}

print "1..$n\n";
exit($failed ? 1 : 0);
