#!/bin/sh
# gcc and g++ on large generated files: the objects must be the same to the last bit.
. "$(dirname "$0")/guest.sh"
need gcc
need g++

awk 'BEGIN {
    print "#include <stdio.h>\n#include <string.h>\n#include <stdlib.h>"
    for (i = 0; i < 120; i++) {
        printf "struct s%d { int a, b[%d]; char *name; };\n", i, i % 9 + 1
        printf "static int f%d(int x, struct s%d *s)\n{\n    int sum = %d;\n", i, i, i
        printf "    for (int i = 0; i < x %% %d + 3; i++) {\n", i % 17 + 1
        printf "        s->b[i %% %d] = sum * i + s->a;\n", i % 9 + 1
        printf "        sum += s->b[i %% %d] ^ (i << %d);\n    }\n", i % 9 + 1, i % 5
        printf "    switch (x & 3) {\n    case 0: return sum;\n    case 1: return sum / 3;\n"
        printf "    case 2: return (int)strlen(\"string %d\");\n    }\n    return -sum;\n}\n", i
    }
    print "int main(void)\n{\n    int sum = 0;\n"
    for (i = 0; i < 120; i++)
        printf "    struct s%d v%d = {.a = %d};\n    sum += f%d(sum & 255, &v%d);\n", i, i, i, i, i
    print "    printf(\"%d\\n\", sum);\n    return 0;\n}"
}' >"$tmp/large.c"

awk 'BEGIN {
    print "#include <algorithm>\n#include <iostream>\n#include <map>\n#include <memory>"
    print "#include <regex>\n#include <sstream>\n#include <string>\n#include <vector>"
    print "template <int N> struct Fold { static long of(long x) { return Fold<N - 1>::of(x * N + 1); } };"
    print "template <> struct Fold<0> { static long of(long x) { return x; } };"
    for (i = 0; i < 12; i++) {
        printf "struct C%d { std::map<std::string, std::vector<C%d>> m; long v = Fold<%d>::of(%d);\n", i, i, i * 3 + 1, i
        printf "  std::string say() const { std::ostringstream o; o << v %% 1000 << m.size(); return o.str(); } };\n"
    }
    print "int main()\n{\n    std::vector<std::string> all;"
    for (i = 0; i < 12; i++)
        printf "    { C%d c; c.m[\"x\"].push_back(C%d{}); all.push_back(c.say()); }\n", i, i
    print "    std::sort(all.begin(), all.end());\n    std::regex r(\"([0-9])+1\");"
    print "    long n = 0;\n    for (auto &s : all) n += std::regex_match(s, r) + s.size();"
    print "    std::cout << n << std::endl;\n}"
}' >"$tmp/large.cc"

same "gcc -O2, 300 functions" sh -c \
    "gcc -O2 -g -c '$tmp/large.c' -o large.o && sha256sum large.o && gcc large.o -o large && ./large"
same "g++ -O1, templates" sh -c \
    "g++ -O1 -std=c++17 -c '$tmp/large.cc' -o l.o && sha256sum l.o && g++ l.o -o large && ./large"
same "a file with errors" sh -c 'echo "int main(void) { return x +; }" >bad.c; gcc -c bad.c; echo $?'
done_testing
