#!/bin/sh
# Names, files and lines in the report of real programs: inlined, C++, stripped, in a library,
# changed or removed since.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cd "$tmp" || exit 1

cat >p.c <<'EOF'
#include <stdlib.h>
#include <string.h>
char *volatile kept;
static inline __attribute__((always_inline)) void fill(size_t n)
{
    kept = malloc(n);
}
__attribute__((noinline)) void load(size_t n)
{
    fill(n);
    memset(kept, 1, n);
}
__attribute__((noinline)) char *copy(const char *text)
{
    char *s = strdup(text);
    return s == NULL ? "" : s;
}
int main(void)
{
    load(5000);
    kept = copy("a text that is copied");
    return kept[0] == 0;
}
EOF

# told FILE: the places of a recording, without the bars.
told()
{
    "$loam" report -a "$1" | sed -n 's/^           \([^ 0-9].*\)/\1/p' | sed 's/  */ /g'
}

for cc in gcc clang; do
    command -v $cc >/dev/null || { skip "$cc: function, file and line" "no $cc"; continue; }
    for level in -O0 -O2; do
        $cc -g $level -o p p.c 2>/dev/null || fail "compile"
        "$loam" run -o p.loam -- ./p 2>err || show err
        told p.loam >out
        like "$cc $level: the inlined function" "$(cat out)" '^fill p.c:6 \(inlined\)$'
        like "$cc $level: the function around it" "$(cat out)" '^load p.c:10$'
        like "$cc $level: its caller" "$(cat out)" '^main p.c:20$'
        like "$cc $level: wrappers are folded" "$(cat out)" '^copy p.c:15 via (__)?strdup$'
    done
done

gcc -g -O2 -o p p.c && cp p whole && strip p && "$loam" run -o p.loam -- ./p 2>/dev/null
like "stripped: module and offset, and where the function begins" "$(told p.loam)" \
    '^p\+0x[0-9a-f]+ in function \+0x[0-9a-f]+$'
like "and a note that says so" "$("$loam" report p.loam | tr -s ' \n' ' ')" \
    'Functions without a name are in p, which is stripped'
"$loam" run -o p.loam --json j --report r -- ./p
offset=$(grep -o '"offset": [0-9]*' j | head -1 | tr -dc 0-9)
like "the offset is one for addr2line" "$(addr2line -fe whole $(printf '%x' $((offset - 1))))" \
    '^(load|fill|copy|main)$'

gcc -g -O2 -o p p.c && "$loam" run -o p.loam -- ./p 2>/dev/null
printf 'int added;\n' >>p.c && gcc -g -O2 -o p p.c
like "changed since: not believed" "$(told p.loam)" '^p\+0x[0-9a-f]+$'
like "and told" "$("$loam" report p.loam | tr -s ' \n' ' ')" \
    "p has changed since the recording: its frames stay addresses"
rm p
like "gone: told" "$("$loam" report p.loam | tr -s ' \n' ' ')" "p is not there any more"

cat >c.cc <<'EOF'
#include <string>
#include <vector>
namespace app {
template <class T> struct Cache {
    std::vector<T> items;
    __attribute__((noinline)) void put(const T &item) { items.push_back(item); }
};
}
int main()
{
    static app::Cache<std::string> cache;
    cache.put(std::string(1000, 'x'));
    return 0;
}
EOF
if ${CXX:-g++} -g -O2 -fno-optimize-sibling-calls -o c c.cc 2>/dev/null; then
    "$loam" run -o c.loam --report r -a -- ./c
    "$loam" report c.loam -a | sed 's/  */ /g' >out
    like "C++: short names, containers folded" "$(cat out)" \
        '^ app::Cache<std::string>::put c.cc:6( via std::.*)?$'
    like "C++: full names on request" "$("$loam" report c.loam -a --full-stacks)" \
        'app::Cache<std::__cxx11::basic_string<char, .*> >::put\(.*\)'
else
    skip "C++" "no C++ compiler"
fi

cat >lib.c <<'EOF'
#include <stdlib.h>
void *plugin_make(size_t n) { return malloc(n); }
EOF
cat >host.c <<'EOF'
#include <dlfcn.h>
#include <stddef.h>
void *volatile kept;
int main(void)
{
    void *lib = dlopen("./lib.so", RTLD_NOW);
    void *(*make)(size_t) = (void *(*)(size_t))dlsym(lib, "plugin_make");
    kept = make(7777);
    dlclose(lib);
    return 0;
}
EOF
gcc -g -O0 -shared -fPIC -o lib.so lib.c && gcc -g -o host host.c -ldl || fail "compile"
"$loam" run -o h.loam --report r -- ./host
like "a library that was closed again" "$(told h.loam)" '^plugin_make lib.c:2$'
like "and who called it" "$(told h.loam)" '^main host.c:8$'
done_testing
