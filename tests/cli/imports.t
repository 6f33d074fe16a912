#!/bin/sh
# What the libraries take from libc and what they define. A name that appears here by accident is
# how an allocator calls itself, or clashes with somebody's program.
. "$(dirname "$0")/../lib/tap.sh"

allowed=$(sed -e 's/#.*//' "$top/tools/imports" | tr -s ' \t' '\n' | grep . | sort -u)

# Undefined names of file $1, without versions, and without the linker's own weak ones.
undefined()
{
    nm "$2" --undefined-only "$1" | awk '$1 == "U" || $1 == "w" { print $2 }' | sed 's/@.*//' | sort -u |
        grep -vxE '_ITM_(de)?registerTMCloneTable|__gmon_start__|__cxa_finalize|_GLOBAL_OFFSET_TABLE_|__st(art|op)_loam_text'
}

# Lines of $1 that are not in $2.
beyond()
{
    printf '%s\n' "$1" >"$tmp/a"
    printf '%s\n' "$2" >"$tmp/b"
    grep -vxFf "$tmp/b" "$tmp/a" | grep .
}

is "libloam.so imports only what tools/imports lists" \
    "$(beyond "$(undefined "$so" -D)" "$allowed")" ""
is "libloam.a imports only what tools/imports lists" \
    "$(beyond "$(undefined "$build/libloam.a" --quiet)" "$allowed
$(nm --defined-only "$build/libloam.a" | awk 'NF == 3 { print $3 }')")" ""

is "libloam.so needs libc alone" "$(readelf -d "$so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -vE '^(libc\.so\.6|ld-linux-x86-64\.so\.2)$')" ""

is "libloam.a defines only loam_ names" "$(nm -g --defined-only "$build/libloam.a" |
    awk 'NF == 3 && $3 !~ /^loam_/ { print $3 }')" ""

malloc_names='malloc|calloc|realloc|reallocarray|free|cfree|free_sized|free_aligned_sized'
malloc_names="$malloc_names|aligned_alloc|posix_memalign|memalign|valloc|pvalloc"
malloc_names="$malloc_names|malloc_usable_size|mallinfo|mallinfo2|malloc_info|malloc_trim"
malloc_names="$malloc_names|malloc_stats|mallopt"

# Names of processes and operators that the library takes over besides malloc's stand in
# tools/imports too, behind the word "exports".
exports=$(sed -n 's/^# exports: *//p' "$top/tools/imports" | tr -s ' ' '\n')
is "libloam.so exports the libc names, C++'s operators, loam_ and nothing else" \
    "$(nm -D --defined-only "$so" | awk '{ print $NF }' | sed 's/@.*//' |
        grep -vxE "loam_.*|$malloc_names|_Zn[wa].*|_Zd[la].*" | grep -vxF "$exports")" ""

missing=
for name in malloc calloc realloc reallocarray free cfree free_sized free_aligned_sized \
    aligned_alloc posix_memalign memalign valloc pvalloc malloc_usable_size mallinfo mallinfo2 \
    malloc_info malloc_trim mallopt _Znwm _Znam _ZnwmRKSt9nothrow_t _ZnamRKSt9nothrow_t \
    _ZnwmSt11align_val_t _ZnamSt11align_val_t _ZnwmSt11align_val_tRKSt9nothrow_t \
    _ZnamSt11align_val_tRKSt9nothrow_t _ZdlPv _ZdaPv _ZdlPvm _ZdaPvm _ZdlPvSt11align_val_t \
    _ZdaPvSt11align_val_t _ZdlPvmSt11align_val_t _ZdaPvmSt11align_val_t _ZdlPvRKSt9nothrow_t \
    _ZdaPvRKSt9nothrow_t _ZdlPvSt11align_val_tRKSt9nothrow_t _ZdaPvSt11align_val_tRKSt9nothrow_t; do
    nm -D --defined-only "$so" | grep -q " $name\(@\|$\)" || missing="$missing $name"
done
is "libloam.so exports every entry point of malloc and of C++" "$missing" ""

is "libloam.so has initial-exec TLS only" \
    "$(readelf -rW "$so" | grep -E 'TLSDESC|DTPMOD')" ""
is "libloam.so needs no executable stack and is bound at once" \
    "$(readelf -lW "$so" | grep GNU_STACK | grep -c E) $(readelf -d "$so" | grep -c 'FLAGS_1.*NOW')" \
    "0 1"

done_testing
