// name.c: names and paths cut down to what a reader needs.

#include "report/name.h"

#include "report/utf8.h"

#include <string.h>
#include <unistd.h>

// The '(' that opens the parameter list at the end of a demangled name, or NULL.
static char *parameters(char *name)
{
    size_t at = strlen(name);
    if (at == 0 || name[at - 1] != ')')
        return NULL;
    int depth = 0;
    while (at-- > 0) {
        depth += name[at] == ')' ? 1 : name[at] == '(' ? -1 : 0;
        if (depth == 0)
            break;
    }
    bool call_operator = at >= 8 && strncmp(name + at - 8, "operator", 8) == 0;
    return depth != 0 || at == 0 || call_operator ? NULL : name + at;
}

static void cut_suffix(char *name, const char *suffix)
{
    size_t n = strlen(name), k = strlen(suffix);
    if (n > k && strcmp(name + n - k, suffix) == 0)
        name[n - k] = 0;
}

// Behind the '>' that closes the '<' before `at`.
static char *template_end(char *at)
{
    for (int depth = 1; *at != 0 && depth > 0; at++)
        depth += *at == '<' ? 1 : *at == '>' && at[-1] != '-' ? -1 : 0;
    return at;
}

// Remove ", std::allocator<...>" wherever it stands: it is the default and doubles every name.
static void cut_allocators(char *name)
{
    static const char start[] = ", std::allocator<";
    char *at;
    while ((at = strstr(name, start)) != NULL) {
        char *end = template_end(at + sizeof start - 1);
        while (*end == ' ')
            end++;
        memmove(at, end, strlen(end) + 1);
    }
}

// Remove what the demangler puts in front of the names of templates: "void std::sort<...>". It is
// what stands before the last blank outside of all brackets, operators' own blanks apart.
static void cut_return_type(char *name)
{
    char *start = name, *stop = strstr(name, "operator");
    int depth = 0;
    for (char *at = name; *at != 0 && at != stop; at++) {
        depth += *at == '<' || *at == '(' || *at == '{' ? 1 : 0;
        depth -= *at == '>' || *at == ')' || *at == '}' ? 1 : 0;
        if (*at == ' ' && depth == 0)
            start = at + 1;
    }
    memmove(name, start, strlen(start) + 1);
}

static void replace(char *name, const char *old, const char *new)
{
    size_t n_old = strlen(old), n_new = strlen(new);
    char *at;
    while ((at = strstr(name, old)) != NULL) {
        memmove(at + n_new, at + n_old, strlen(at + n_old) + 1);
        memcpy(at, new, n_new);
    }
}

// Rust: "<Vec<T> as FromIterator<T>>::from_iter" is Vec<T>::from_iter to who reads it.
static void cut_impl(char *name)
{
    if (*name != '<')
        return;
    char *end = template_end(name + 1), *as = NULL;
    if (end[-1] != '>' || strncmp(end, "::", 2) != 0)
        return;
    int depth = 0;
    for (char *at = name; at < end && as == NULL; at++) {
        depth += *at == '<' ? 1 : *at == '>' && at[-1] != '-' ? -1 : 0;
        as = depth == 1 && strncmp(at, " as ", 4) == 0 ? at : NULL;
    }
    size_t size = (size_t)((as != NULL ? as : end - 1) - (name + 1));
    memmove(name, name + 1, size);
    memmove(name + size, end, strlen(end) + 1);
}

const char *name_short(struct store *store, const char *function)
{
    char *name = store_text(store, function, strlen(function));
    char *clone = strstr(name, " [clone");
    if (clone != NULL)
        *clone = 0;
    cut_suffix(name, " const");
    char *params = parameters(name);
    if (params != NULL) {
        *params = 0;
        cut_return_type(name);
    }
    cut_impl(name);
    replace(name, " >", ">");
    cut_allocators(name);
    replace(name, "std::__cxx11::basic_string<char, std::char_traits<char>>", "std::string");
    replace(name, "std::__cxx11::", "std::");
    return name;
}

const char *name_fit(struct store *store, const char *function, size_t width)
{
    char *name = store_text(store, function, strlen(function)), *at = name;
    // From the outside in, so that the last part, the function's own name, stays readable.
    while (utf8_width(name) > width && (at = strchr(at, '<')) != NULL) {
        if (at - name >= 8 && strncmp(at - 8, "operator", 8) == 0)
            break;
        char *end = template_end(at + 1);
        if (end - at < 6 || end[-1] != '>') {
            at++; // "<…>" would be no shorter
            continue;
        }
        memmove(at + 5, end, strlen(end) + 1);
        memcpy(at, "<…>", 5);
        at += 5;
    }
    return name;
}

// Remove "x/../" and "./" from a path, in place. Compilers write them; nobody wants to read them.
static void tidy_path(char *path)
{
    char *at;
    while (strncmp(path, "./", 2) == 0 && path[2] != 0)
        memmove(path, path + 2, strlen(path + 2) + 1);
    while ((at = strstr(path, "/./")) != NULL)
        memmove(at, at + 2, strlen(at + 2) + 1);
    while ((at = strstr(path, "/../")) != NULL) {
        char *before = at;
        while (before > path && before[-1] != '/')
            before--;
        if (before == path || before == at)
            return;
        memmove(before, at + 4, strlen(at + 4) + 1);
    }
}

// Relative to the working folder if it lies there, else its last three parts.
const char *name_near_path(char *path)
{
    char cwd[4096];
    tidy_path(path);
    if (getcwd(cwd, sizeof cwd) != NULL) {
        size_t n = strlen(cwd);
        if (strncmp(path, cwd, n) == 0 && path[n] == '/')
            return path + n + 1;
    }
    char *at = path + strlen(path);
    for (int parts = 0; at > path; at--) {
        if (*at == '/' && ++parts == 3)
            return at + 1;
    }
    return path;
}

const char *name_fit_path(struct store *store, const char *path, size_t width)
{
    size_t wide = utf8_width(path);
    if (wide <= width)
        return path;
    const char *last = strrchr(path, '/'), *first = strchr(path + 1, '/');
    size_t tail = last == NULL ? 0 : utf8_width(last);
    char *text = store_push(store, strlen(path) + 8);
    size_t head = first == NULL ? 0 : (size_t)(first + 1 - path);
    if (first != last && last != NULL &&
        utf8_width(path) - utf8_width(path + head) + 1 + tail <= width) {
        memcpy(text, path, head);
        strcpy(stpcpy(text + head, "…"), last);
        return text;
    }
    if (last != NULL && 1 + tail <= width) {
        strcpy(stpcpy(text, "…"), last);
        return text;
    }
    // Not even the last part fits: its end tells more, the line's number is there.
    strcpy(stpcpy(text, "…"), path + utf8_bytes(path, wide - (width > 0 ? width - 1 : 0)));
    return text;
}
