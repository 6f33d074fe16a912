// rust.c: a parser by descent of the grammar that rustc's documents give for v0 symbols.
//
// Input is hostile: every step is counted, depth and output are bounded, and the first thing that
// makes no sense ends it.

#include "report/rust.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 200
#define STEPS_MAX 20000
#define OUT_MAX   4096

struct rust {
    const char *text; // behind "_R"
    size_t size, at;
    char *out;
    size_t used;
    u32 depth, steps;
    u32 lifetimes; // bound by the binders around
    bool silent;   // parsed, but not printed
    bool bad;
};

struct ident {
    const char *text;
    size_t size;
    bool punycode;
};

static void put_bytes(struct rust *r, const char *text, size_t size)
{
    if (r->silent || r->bad)
        return;
    if (r->used + size >= OUT_MAX) {
        r->bad = true;
        return;
    }
    memcpy(r->out + r->used, text, size);
    r->used += size;
}

static void put(struct rust *r, const char *text)
{
    put_bytes(r, text, strlen(text));
}

static void put_number(struct rust *r, u64 n)
{
    char digits[DECIMAL_MAX];
    put_bytes(r, digits, decimal(digits, n));
}

static char peek(const struct rust *r)
{
    return r->at < r->size ? r->text[r->at] : 0;
}

static char next(struct rust *r)
{
    char c = peek(r);
    r->bad |= c == 0 || ++r->steps > STEPS_MAX;
    r->at += c != 0;
    return c;
}

static bool eat(struct rust *r, char c)
{
    if (r->bad || peek(r) != c)
        return false;
    r->at++;
    return true;
}

// Base 62, with "_" as end: "_" is 0, "0_" is 1.
static u64 number62(struct rust *r)
{
    u64 n = 0;
    if (eat(r, '_'))
        return 0;
    while (!r->bad && !eat(r, '_')) {
        char c = next(r);
        u64 digit = isdigit((u8)c)   ? (u64)(c - '0')
                    : islower((u8)c) ? (u64)(c - 'a' + 10)
                                     : (u64)(c - 'A' + 36);
        r->bad |= !isalnum((u8)c);
        n = n * 62 + digit;
    }
    return n + 1;
}

static u64 disambiguator(struct rust *r)
{
    return eat(r, 's') ? number62(r) + 1 : 0;
}

static struct ident ident(struct rust *r)
{
    struct ident id = {.punycode = eat(r, 'u')};
    size_t n = 0;
    if (!isdigit((u8)peek(r)))
        r->bad = true;
    if (!eat(r, '0')) {
        while (isdigit((u8)peek(r)) && n < r->size)
            n = n * 10 + (size_t)(next(r) - '0');
    }
    eat(r, '_');
    if (r->bad || n > r->size - r->at) {
        r->bad = true;
        return id;
    }
    id.text = r->text + r->at;
    id.size = n;
    r->at += n;
    return id;
}

static void put_ident(struct rust *r, struct ident id)
{
    put(r, id.punycode ? "punycode{" : "");
    put_bytes(r, id.text == NULL ? "" : id.text, id.size);
    put(r, id.punycode ? "}" : "");
}

static void put_lifetime(struct rust *r, u64 index)
{
    if (index == 0) {
        put(r, "'_");
        return;
    }
    if (index > r->lifetimes) {
        r->bad = true;
        return;
    }
    u64 depth = r->lifetimes - index;
    put(r, "'");
    if (depth < 26)
        put_bytes(r, &"abcdefghijklmnopqrstuvwxyz"[depth], 1);
    else {
        put(r, "_");
        put_number(r, depth);
    }
}

static void path(struct rust *r, bool in_value);
static void type(struct rust *r);
static void constant(struct rust *r);

// Go on at an earlier place, and come back.
static void backref(struct rust *r, void (*parse)(struct rust *))
{
    size_t here = r->at - 1;
    u64 to = number62(r);
    r->bad |= to >= here;
    if (r->bad || r->silent)
        return;
    size_t after = r->at;
    r->at = (size_t)to;
    parse(r);
    r->at = after;
}

static bool deeper(struct rust *r)
{
    r->bad |= ++r->depth > DEPTH_MAX || ++r->steps > STEPS_MAX;
    return !r->bad;
}

// ---------------------------------------------------------------- paths

static void generic_arg(struct rust *r)
{
    if (eat(r, 'L'))
        put_lifetime(r, number62(r));
    else if (eat(r, 'K'))
        constant(r);
    else
        type(r);
}

static void generic_args(struct rust *r)
{
    for (u32 i = 0; !r->bad && !eat(r, 'E'); i++) {
        put(r, i > 0 ? ", " : "");
        generic_arg(r);
    }
}

static void nested(struct rust *r, bool in_value)
{
    char space = next(r);
    r->bad |= !isalpha((u8)space);
    path(r, in_value);
    u64 number = disambiguator(r);
    struct ident name = ident(r);
    if (islower((u8)space)) {
        put(r, name.size > 0 ? "::" : "");
        put_ident(r, name);
        return;
    }
    put(r, "::{");
    if (space == 'C' || space == 'S')
        put(r, space == 'C' ? "closure" : "shim");
    else
        put_bytes(r, &space, 1);
    put(r, name.size > 0 ? ":" : "");
    put_ident(r, name);
    put(r, "#");
    put_number(r, number);
    put(r, "}");
}

// Where an impl stands is no part of how it is called.
static void skip_impl_path(struct rust *r)
{
    bool silent = r->silent;
    r->silent = true;
    disambiguator(r);
    path(r, false);
    r->silent = silent;
}

static void path_type(struct rust *r)
{
    path(r, false);
}

static void path_value(struct rust *r)
{
    path(r, true);
}

static void path(struct rust *r, bool in_value)
{
    if (!deeper(r))
        return;
    char tag = next(r);
    switch (tag) {
    case 'C':
        disambiguator(r);
        put_ident(r, ident(r));
        break;
    case 'N':
        nested(r, in_value);
        break;
    case 'M':
    case 'X':
        skip_impl_path(r);
        // fall through
    case 'Y':
        put(r, "<");
        type(r);
        if (tag != 'M') {
            put(r, " as ");
            path(r, false);
        }
        put(r, ">");
        break;
    case 'I':
        path(r, in_value);
        put(r, in_value ? "::<" : "<");
        generic_args(r);
        put(r, ">");
        break;
    case 'B':
        backref(r, in_value ? path_value : path_type);
        break;
    default:
        r->bad = true;
    }
    r->depth--;
}

// ---------------------------------------------------------------- types

static const char *basic_type(char tag)
{
    static const char *const names[26] = {
        "i8",    "bool", "char", "f64", "str",  "f32",  NULL,  "u8", "isize",
        "usize", NULL,   "i32",  "u32", "i128", "u128", "_",   NULL, NULL,
        "i16",   "u16",  "()",   "...", NULL,   "i64",  "u64", "!",
    };
    return islower((u8)tag) ? names[tag - 'a'] : NULL;
}

// Lifetimes that hold for what follows; the caller takes them back.
static u32 binder(struct rust *r)
{
    u64 count = eat(r, 'G') ? number62(r) + 1 : 0;
    r->bad |= count > 64;
    for (u64 i = 0; i < count && !r->bad; i++) {
        r->lifetimes++;
        put(r, i == 0 ? "for<" : ", ");
        put_lifetime(r, 1);
    }
    put(r, count > 0 ? "> " : "");
    return (u32)count;
}

static void abi(struct rust *r)
{
    put(r, "extern \"");
    if (eat(r, 'C')) {
        put(r, "C");
    } else {
        struct ident name = ident(r);
        for (size_t i = 0; i < name.size && !r->bad; i++)
            put_bytes(r, name.text[i] == '_' ? "-" : name.text + i, 1);
    }
    put(r, "\" ");
}

static void function_type(struct rust *r)
{
    u32 bound = binder(r);
    if (eat(r, 'U'))
        put(r, "unsafe ");
    if (eat(r, 'K'))
        abi(r);
    put(r, "fn(");
    for (u32 i = 0; !r->bad && !eat(r, 'E'); i++) {
        put(r, i > 0 ? ", " : "");
        type(r);
    }
    put(r, ")");
    if (!eat(r, 'u')) {
        put(r, " -> ");
        type(r);
    }
    r->lifetimes -= bound;
}

static bool path_open(struct rust *r);

static void path_open_again(struct rust *r)
{
    // Whether it stays open is known from the character that it begins with.
    path_open(r);
}

// A path whose generic arguments are not closed yet: "Iterator<" may go on with "Item = u8".
static bool path_open(struct rust *r)
{
    if (eat(r, 'B')) {
        size_t mark = r->at;
        u64 to = number62(r);
        bool open = !r->bad && to < mark && r->text[to] == 'I';
        r->at = mark;
        backref(r, path_open_again);
        return open;
    }
    if (eat(r, 'I')) {
        path(r, false);
        put(r, "<");
        generic_args(r);
        return true;
    }
    path(r, false);
    return false;
}

static void dyn_trait(struct rust *r)
{
    bool open = path_open(r);
    while (eat(r, 'p')) {
        put(r, open ? ", " : "<");
        open = true;
        put_ident(r, ident(r));
        put(r, " = ");
        type(r);
    }
    put(r, open ? ">" : "");
}

static void dyn_type(struct rust *r)
{
    put(r, "dyn ");
    u32 bound = binder(r);
    for (u32 i = 0; !r->bad && !eat(r, 'E'); i++) {
        put(r, i > 0 ? " + " : "");
        dyn_trait(r);
    }
    r->lifetimes -= bound;
    if (!eat(r, 'L')) {
        r->bad = true;
        return;
    }
    u64 lifetime = number62(r);
    if (lifetime != 0) {
        put(r, " + ");
        put_lifetime(r, lifetime);
    }
}

static void reference(struct rust *r, bool mutable)
{
    put(r, "&");
    u64 lifetime = eat(r, 'L') ? number62(r) : 0;
    if (lifetime != 0) {
        put_lifetime(r, lifetime);
        put(r, " ");
    }
    put(r, mutable ? "mut " : "");
    type(r);
}

static void tuple(struct rust *r)
{
    u32 count = 0;
    put(r, "(");
    for (; !r->bad && !eat(r, 'E'); count++) {
        put(r, count > 0 ? ", " : "");
        type(r);
    }
    put(r, count == 1 ? ",)" : ")");
}

static void type(struct rust *r)
{
    if (!deeper(r))
        return;
    char tag = next(r);
    const char *basic = basic_type(tag);
    switch (tag) {
    case 'R':
    case 'Q':
        reference(r, tag == 'Q');
        break;
    case 'P':
    case 'O':
        put(r, tag == 'P' ? "*const " : "*mut ");
        type(r);
        break;
    case 'A':
    case 'S':
        put(r, "[");
        type(r);
        if (tag == 'A') {
            put(r, "; ");
            constant(r);
        }
        put(r, "]");
        break;
    case 'T':
        tuple(r);
        break;
    case 'F':
        function_type(r);
        break;
    case 'D':
        dyn_type(r);
        break;
    case 'B':
        backref(r, type);
        break;
    default:
        if (basic != NULL) {
            put(r, basic);
        } else if (!r->bad) {
            r->at--;
            path(r, false);
        }
    }
    r->depth--;
}

// ---------------------------------------------------------------- constants

static u64 hex_digits(struct rust *r, const char **ret_digits, size_t *ret_count)
{
    u64 n = 0;
    *ret_digits = r->text + r->at;
    *ret_count = 0;
    while (!r->bad && !eat(r, '_')) {
        char c = next(r);
        r->bad |= !isxdigit((u8)c);
        n = n << 4 | (u64)(isdigit((u8)c) ? c - '0' : c - 'a' + 10);
        ++*ret_count;
    }
    return n;
}

static void put_character(struct rust *r, u64 n)
{
    char text[16];
    if (n >= 0x20 && n < 0x7f && n != '\'' && n != '\\')
        snprintf(text, sizeof text, "'%c'", (int)n);
    else
        snprintf(text, sizeof text, "'\\u{%x}'", (u32)n);
    put(r, text);
}

static void constant(struct rust *r)
{
    if (!deeper(r))
        return;
    const char *digits;
    size_t count;
    char tag = next(r);
    if (tag == 'B') {
        backref(r, constant);
    } else if (tag == 'p') {
        put(r, "_");
    } else if (tag != 0 && strchr("aslxnihtmyojbc", tag) != NULL) {
        if (strchr("aslxni", tag) != NULL && eat(r, 'n'))
            put(r, "-");
        u64 n = hex_digits(r, &digits, &count);
        if (tag == 'b')
            put(r, n == 0 ? "false" : "true");
        else if (tag == 'c')
            put_character(r, n);
        else if (count > 16) {
            put(r, "0x");
            put_bytes(r, digits, count);
        } else
            put_number(r, n);
    } else {
        r->bad = true;
    }
    r->depth--;
}

// ---------------------------------------------------------------- entries

char *rust_demangle(const char *mangled)
{
    if (strncmp(mangled, "_R", 2) != 0 || !isupper((u8)mangled[2]))
        return NULL;
    struct rust r = {
        .text = mangled + 2, .size = strcspn(mangled + 2, "."), .out = malloc(OUT_MAX)};
    if (r.out == NULL)
        die("loam: no memory for the report", NULL);
    path(&r, true);
    // Behind it, the crate that made this instance of a generic function.
    if (!r.bad && r.at < r.size) {
        r.silent = true;
        path(&r, false);
    }
    if (r.bad || r.at != r.size) {
        free(r.out);
        return NULL;
    }
    r.out[r.used] = 0;
    return r.out;
}
