// file.h: a file as bytes in memory.
//
// loam_file_map shows a file as if it lay in memory: nothing is read until it is looked at, and
// nothing is copied. loam_file_read copies it instead. Look at the bytes with slice.h: lines
// without copies, numbers and structs through checked views.
//
//     loam_file f;
//     if (loam_file_map("/etc/services", &f) < 0)
//         return 1;
//     loam_bytes rest = f.bytes, line;
//     while (loam_bytes_line(&rest, &line))
//         if (loam_bytes_begins(line, loam_bytes_text("ssh")))
//             printf("%.*s\n", LOAM_BYTES(line));
//     loam_file_done(&f);
//
// A mapping is the file, not a copy: what others write to it shows through, and if somebody makes
// it shorter, a look behind its new end ends the program with SIGBUS. Map what nobody truncates
// (what is replaced by rename(2) is safe: the mapping keeps the old file); ask loam_file_check
// before a long pass over a doubtful one; and read, don't map, what others may truncate.
//
// May be used from any thread; each loam_file by one at a time.
#ifndef LOAM_FILE_H
#define LOAM_FILE_H

#include <loam/alloc.h>
#include <loam/slice.h>

LOAM_BEGIN_C

typedef struct loam_file {
    loam_bytes bytes; // the contents; borrowed from this file until loam_file_done
    int fd;           // of a mapped file, to ask after its size; else -1
    size_t mapped;    // bytes that are mapped; 0 if none are
    loam_layout copy; // of the block that holds a copy; not valid if there is none
    loam_alloc alloc;
} loam_file;

// Map a regular file, to be read only. An empty file has no bytes, and that is no error. Returns 0,
// or a negative error: -ENOENT, -EACCES and so on as open(2), -EISDIR for a folder, -EINVAL for
// what is no regular file, -ENOMEM, -EOVERFLOW for one too large. On failure *ret_file is not
// written. Holds a file descriptor until loam_file_done.
LOAM_API LOAM_NODISCARD int loam_file_map(const char *path, loam_file *ret_file) LOAM_NONNULL(1, 2);

// Read all there is into a block of `alloc`: any file that can be read to an end, also those in
// /proc, which have no size, and pipes. What happens to the file later does not matter. Errors as
// above, and those of read(2).
LOAM_API LOAM_NODISCARD int loam_file_read(const char *path, loam_alloc alloc, loam_file *ret_file)
    LOAM_NONNULL(1, 3);

// Is a mapped file still as long as its bytes? 0, or -ESTALE when it has become shorter. It may
// become so right after. A copy is always whole.
LOAM_API int loam_file_check(const loam_file *file) LOAM_NONNULL(1);

// Give everything back; its bytes are dead. NULL is allowed; a second time does nothing.
LOAM_API void loam_file_done(loam_file *file);

LOAM_END_C

#endif
