// own.c: the ownership toolkit against its models, with operations that libFuzzer makes up.
//
//     make fuzz-own FUZZ_SECONDS=60          all parts
//     build/fuzz/own-vec CRASH-FILE          one again
//
// One program with many names: what follows "own-" in the name that it is called by is the part.
#include "fuzz/own/box.h"
#include "fuzz/own/channel.h"
#include "fuzz/own/file.h"
#include "fuzz/own/gc.h"
#include "fuzz/own/layout.h"
#include "fuzz/own/mutex.h"
#include "fuzz/own/once.h"
#include "fuzz/own/pool.h"
#include "fuzz/own/rc.h"
#include "fuzz/own/region.h"
#include "fuzz/own/slice.h"
#include "fuzz/own/task.h"
#include "fuzz/own/track.h"
#include "fuzz/own/vec.h"

static const struct part {
    const char *name;
    void (*play)(struct input *in);
} parts[] = {
    {"vec", vec_play},       {"slice", slice_play},     {"region", region_play},
    {"pool", pool_play},     {"rc", rc_play},           {"box", box_play},
    {"layout", layout_play}, {"track", track_play},     {"mutex", mutex_play},
    {"once", once_play},     {"file", file_play},       {"task", task_play},
    {"gc", gc_play},         {"channel", channel_play},
};
static const struct part *chosen;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = *argc > 0 ? strstr((*argv)[0], "own-") : NULL;
    for (size_t i = 0; name != NULL && i < sizeof parts / sizeof *parts; i++)
        if (strcmp(name + 4, parts[i].name) == 0)
            chosen = &parts[i];
    if (chosen != NULL)
        return 0;
    fprintf(stderr, "the fuzzer's name says which part: own-vec, own-rc and so on\n");
    exit(2);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct input in = {bytes, size};
    chosen->play(&in);
    return 0;
}
