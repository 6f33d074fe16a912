// C10 vec3: how large the handle of an owner is.

#include "lab/lab.h"

#include <fcntl.h>
#include <loam/box.h>
#include <loam/slice.h>
#include <loam/vec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char program[] =
    "use std::mem::size_of;\n"
    "fn main() { println!(\"{} {} {}\", size_of::<Vec<u64>>(), size_of::<Box<u64>>(),\n"
    "                     size_of::<&[u64]>()); }\n";

// What rustc says of its own; false: it is not here.
static bool ask_rust(struct lab *l, unsigned size[3])
{
    const char *folder = lab_folder(l);
    if (folder == NULL || !lab_has("rustc"))
        return false;
    char source[512], out[512];
    snprintf(source, sizeof source, "%s/size.rs", folder);
    snprintf(out, sizeof out, "%s/size", folder);
    int fd = open(source, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, program, sizeof program - 1) == sizeof program - 1;
    if (fd >= 0)
        close(fd);
    char *build[] = {"rustc", "-o", out, source, NULL}, *start[] = {out, NULL};
    struct lab_end end;
    return written && lab_program(l, build, 15, &end) == 0 && end.status == 0 &&
           lab_program(l, start, 5, &end) == 0 &&
           sscanf(end.said, "%u %u %u", &size[0], &size[1], &size[2]) == 3;
}

static void run(struct lab *l)
{
    unsigned rust[3];
    typedef loam_vec(u64) numbers;
    typedef loam_slice(u64) view;
    lab_exact(l, "vec", sizeof(numbers), "bytes");
    lab_exact(l, "box", sizeof(u64 *), "bytes");
    lab_exact(l, "slice", sizeof(view), "bytes");
    lab_why(l, "vec",
            "loam's vector also keeps the allocator that its elements came from, two "
            "words; Rust's knows it by its type");
    lab_table(l, "bytes of the handle, wherever its contents are", "owner|loam|Rust");
    bool asked = ask_rust(l, rust);
    const char *name[] = {"vec", "box", "slice"};
    size_t ours[] = {sizeof(numbers), sizeof(u64 *), sizeof(view)};
    for (u32 i = 0; i < 3; i++)
        if (asked)
            lab_row(l, "%s|%zu|%u", name[i], ours[i], rust[i]);
        else
            lab_row(l, "%s|%zu|rustc is not installed", name[i], ours[i]);
    if (asked) {
        lab_exact(l, "rust_vec", rust[0], "bytes");
        lab_exact(l, "rust_box", rust[1], "bytes");
    } else {
        lab_cannot(l, "rust_vec", "rustc is not installed");
        lab_cannot(l, "rust_box", "rustc is not installed");
    }
}

static const struct claim claims[] = {
    {S3, "topic 4", "a Vec's handle in C", "24 bytes", "vec", 24, 24, "bytes"},
    {S3, "topic 4", "a Box's handle in C", "8 bytes", "box", 8, 8, "bytes"},
    {S3, "topic 4", "Rust's own Vec", "24 bytes", "rust_vec", 24, 24, "bytes"},
    {S3, "topic 4", "Rust's own Box", "8 bytes", "rust_box", 8, 8, "bytes"},
};

LAB_EXPERIMENT(C10) = {
    .question = "How many bytes does the owner of a growing array have on the stack?",
    .prediction = "Three words: where, how many, room for how many. A box is a pointer, a slice a "
                  "pointer and a length.",
    .method = "sizeof of loam's owners; where rustc is installed, it is asked for its own.",
    .look = "The handle's size does not depend on what it owns: moving a vector of a gigabyte "
            "copies 24 bytes.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
