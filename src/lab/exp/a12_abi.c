// A12 abi: the order of fields, and what alignment costs.

#include "lab/lab.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct declared {
    char a;
    double b;
    char c;
    int d;
    char e;
};

struct sorted { // the same fields, the largest first
    double b;
    int d;
    char a, c, e;
};

struct field {
    const char *name;
    size_t at, size;
};

// One character a byte: the field's letter, or a dot where nothing is.
static void draw(struct lab *l, const char *name, const struct field *f, u32 count, size_t size)
{
    char bytes[65];
    memset(bytes, '.', sizeof bytes);
    for (u32 i = 0; i < count; i++)
        memset(bytes + f[i].at, f[i].name[0], f[i].size);
    bytes[size] = 0;
    lab_line(l, "%-9s %2zu bytes  %s", name, size, bytes);
}

#define FIELD(type, name)                                                 \
    {                                                                     \
#name, offsetof(struct type, name), sizeof((struct type){0}.name) \
    }

// rustc may reorder fields, unless it is told repr(C).
static void rust(struct lab *l)
{
    static const char program[] =
        "#![allow(dead_code)]\nstruct R { a: u8, b: f64, c: u8, d: i32, e: u8 }\n"
        "#[repr(C)] struct C { a: u8, b: f64, c: u8, d: i32, e: u8 }\n"
        "fn main() { println!(\"{} {}\", std::mem::size_of::<R>(), std::mem::size_of::<C>()); }\n";
    const char *folder = lab_folder(l);
    char source[512], binary[512];
    if (folder == NULL || !lab_has("rustc")) {
        lab_cannot(l, "rust_bytes", "rustc is not installed");
        lab_cannot(l, "rust_repr_c_bytes", "rustc is not installed");
        return;
    }
    snprintf(source, sizeof source, "%s/abi.rs", folder);
    snprintf(binary, sizeof binary, "%s/abi", folder);
    int fd = open(source, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, program, sizeof program - 1) == sizeof program - 1;
    if (fd >= 0)
        close(fd);
    char *build[] = {"rustc", "-o", binary, source, NULL}, *start[] = {binary, NULL};
    struct lab_end end;
    unsigned free_order = 0, repr_c = 0;
    if (!written || lab_program(l, build, 15, &end) != 0 || end.status != 0 ||
        lab_program(l, start, 5, &end) != 0 ||
        sscanf(end.said, "%u %u", &free_order, &repr_c) != 2) {
        lab_cannot(l, NULL, "rustc did not compile a small program");
        return;
    }
    lab_exact(l, "rust_bytes", free_order, "bytes");
    lab_exact(l, "rust_repr_c_bytes", repr_c, "bytes");
}

static void run(struct lab *l)
{
    const struct field declared[] = {FIELD(declared, a), FIELD(declared, b), FIELD(declared, c),
                                     FIELD(declared, d), FIELD(declared, e)};
    const struct field sorted[] = {FIELD(sorted, a), FIELD(sorted, b), FIELD(sorted, c),
                                   FIELD(sorted, d), FIELD(sorted, e)};
    lab_picture(l, "one character a byte, dots are padding");
    draw(l, "declared", declared, countof(declared), sizeof(struct declared));
    draw(l, "sorted", sorted, countof(sorted), sizeof(struct sorted));
    size_t fields = 0;
    bool in_order = true, aligned = true;
    for (u32 i = 0; i < countof(declared); i++) {
        fields += declared[i].size;
        in_order &= i == 0 || declared[i].at > declared[i - 1].at;
        aligned &= declared[i].at % declared[i].size == 0;
    }
    lab_exact(l, "declared_bytes", sizeof(struct declared), "bytes");
    lab_exact(l, "sorted_bytes", sizeof(struct sorted), "bytes");
    lab_exact(l, "padding_bytes", (double)(sizeof(struct declared) - fields), "bytes");
    lab_check(l, "fixed_order", in_order, "fields lie in the order in which they were written");
    lab_check(l, "fields_aligned", aligned, "each field lies at a multiple of its size");
    rust(l);
}

static const struct claim claims[] = {
    {S3, "topic 2", "C keeps the fields' order", "repr(C): fixed order", "fixed_order", 0, 0, NULL},
    {S2, NULL, "fields are aligned", "each to its own size", "fields_aligned", 0, 0, NULL},
    {S2, NULL, "padding in the struct as written", "padding is added", "padding_bytes", 1, INFINITY,
     "bytes"},
    {S3, "topic 2", "Rust may reorder", "smaller than repr(C)", "rust_bytes", 15, 23, "bytes"},
    {S3, "topic 2", "repr(C) in Rust", "as in C", "rust_repr_c_bytes", sizeof(struct declared),
     sizeof(struct declared), "bytes"},
};

LAB_EXPERIMENT(A12) = {
    .question = "How large is a struct, and why is it larger than its fields?",
    .prediction = "Each field begins at a multiple of its alignment; what lies between is padding. "
                  "C keeps the order in which fields are written, Rust may change it.",
    .method = "Two structs of the same five fields, as written and with the largest first: offsets "
              "and sizes as the compiler tells them. If there is a rustc, the same struct in Rust, "
              "with its own order and with repr(C).",
    .look = "The dots. 'loam layout FILE' draws them for any program and proposes an order.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
