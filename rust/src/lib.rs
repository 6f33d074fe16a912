//! loam's heap as the global allocator of a Rust program.
//!
//! ```
//! #[global_allocator]
//! static HEAP: loam::Heap = loam::Heap;
//!
//! let v: Vec<u8> = Vec::with_capacity(100);
//! assert!(loam::usable_size(v.as_ptr()) >= 100);
//! ```
//!
//! Only Rust's own allocations come from it: C libraries in the same program keep their malloc. To
//! replace that too, and for leaks and reports, run the program under `loam run`, which needs no
//! crate.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;

extern "C" {
    fn loam_malloc(size: usize) -> *mut c_void;
    fn loam_calloc(n: usize, size: usize) -> *mut c_void;
    fn loam_realloc(p: *mut c_void, size: usize) -> *mut c_void;
    fn loam_aligned_alloc(align: usize, size: usize) -> *mut c_void;
    fn loam_free(p: *mut c_void);
    fn loam_usable_size(p: *const c_void) -> usize;
    fn loam_trim(keep: usize) -> usize;
    fn loam_background(on: bool) -> bool;
}

/// What every block of loam is aligned to without being asked.
const ALIGN: usize = 16;

/// The heap. It has no state of its own, so each value of this type is the same heap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heap;

// Safety: loam's functions keep the contract of malloc's, may be called by any thread and never
// unwind. What they return is aligned to ALIGN, or to what loam_aligned_alloc was asked for, and
// loam_free takes both.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= ALIGN {
            loam_malloc(layout.size()).cast()
        } else {
            loam_aligned_alloc(layout.align(), layout.size()).cast()
        }
    }

    #[inline]
    unsafe fn dealloc(&self, p: *mut u8, _layout: Layout) {
        loam_free(p.cast())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= ALIGN {
            return loam_calloc(1, layout.size()).cast(); // knows what is zero already
        }
        let p = self.alloc(layout);
        if !p.is_null() {
            p.write_bytes(0, layout.size());
        }
        p
    }

    #[inline]
    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() <= ALIGN {
            return loam_realloc(p.cast(), size).cast();
        }
        // loam_realloc promises ALIGN alone.
        let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
        if !moved.is_null() {
            moved.copy_from_nonoverlapping(p, layout.size().min(size));
            self.dealloc(p, layout);
        }
        moved
    }
}

/// Bytes that the block at `p` can hold. `p` must be the start of a block of loam's, else the
/// program ends with a message.
pub fn usable_size(p: *const u8) -> usize {
    unsafe { loam_usable_size(p.cast()) }
}

/// Return free memory to the kernel until at most `keep` bytes of it are left; says how many bytes
/// were returned. The heap does so by itself; this is for the beginning of a long rest.
pub fn trim(keep: usize) -> usize {
    unsafe { loam_trim(keep) }
}

/// Start or stop the thread that returns free memory while the program rests. False: the kernel
/// gives no thread.
pub fn background(on: bool) -> bool {
    unsafe { loam_background(on) }
}
