# Perl: hashes, sorting, regular expressions and strings that grow.
. "$(dirname "$0")/lib.sh"
need perl
program()
{
    cat <<'END'
my ($repeats) = @ARGV;
my $total = 0;
for my $round (1 .. $repeats) {
    my (%count, @lines);
    my $seed = 7;
    for my $i (1 .. 60000) {
        $seed = ($seed * 1103515245 + 12345) % 2147483648;
        my $word = sprintf "w%x", $seed >> 16;
        push @{ $count{ substr $word, 0, 4 } }, $word;
        push @lines, "$word:$i:" . "x" x ($seed >> 24 & 31);
    }
    for my $line (sort @lines) {
        $total += $2 if $line =~ /^(\w+):(\d+):(x*)$/;
    }
    my $text = join ",", map { "$_=" . scalar @{ $count{$_} } } sort keys %count;
    $total += length $text;
    $text =~ s/(\w)=(\d)/$2-$1/g;
}
print "$total\n";
END
}
prepare()
{
    once words.pl program
}
run()
{
    on perl words.pl "$(often 8)"
}
main "$@"
