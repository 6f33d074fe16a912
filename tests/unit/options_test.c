// options_test.c: LOAM=key=value,key=value.
#include "base/options.h"

#include "tests/check.h"

static struct options o;

static bool is(struct option_text t, const char *word)
{
    return t.at != NULL && t.len == strlen(word) && memcmp(t.at, word, t.len) == 0;
}

TEST(nothing)
{
    options_parse(NULL, &o);
    CHECK(o.value[OPTION_RECORD].at == NULL && o.unknown.at == NULL);
    options_parse("", &o);
    CHECK(o.value[OPTION_RECORD].at == NULL && o.unknown.at == NULL);
}

TEST(values)
{
    options_parse("record=/dev/shm/x,mode=default", &o);
    CHECK(is(o.value[OPTION_RECORD], "/dev/shm/x"));
    CHECK(is(o.value[OPTION_MODE], "default"));
    CHECK(o.unknown.at == NULL);
}

TEST(the_last_one_counts)
{
    options_parse("record=a,record=b=c", &o);
    CHECK(is(o.value[OPTION_RECORD], "b=c"));
}

TEST(unknown)
{
    options_parse(",,recor=a,record=b,zzz", &o);
    CHECK(is(o.unknown, "recor=a")); // the first one only
    CHECK(is(o.value[OPTION_RECORD], "b"));
    options_parse("record", &o);
    CHECK(is(o.unknown, "record"));
    options_parse("record=", &o);
    CHECK(is(o.unknown, "record="));
    CHECK(o.value[OPTION_RECORD].at == NULL);
    options_parse("mode=fast", &o);
    CHECK(is(o.unknown, "mode=fast"));
    CHECK(o.value[OPTION_MODE].at == NULL);
}

TEST(table_is_complete)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        CHECK(option_info[i].name != NULL && option_info[i].type != NULL);
        CHECK(option_info[i].fallback != NULL && option_info[i].sentence != NULL);
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
