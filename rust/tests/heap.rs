// The crate as a program has it: everything that these tests allocate is loam's.
use std::alloc::{alloc, alloc_zeroed, dealloc, realloc, Layout};
use std::collections::BTreeMap;
use std::thread;

#[global_allocator]
static HEAP: loam::Heap = loam::Heap;

#[test]
fn what_rust_allocates_is_loams() {
    // Were it another heap's, loam would end the program here.
    let boxed = Box::new([0u64; 5]);
    assert!(loam::usable_size((&*boxed as *const [u64; 5]).cast()) >= 40);
}

#[test]
fn every_alignment_and_size() {
    for align in (0..=16).map(|log| 1usize << log) {
        for size in [1, 7, 16, 100, 5000, 40_000, 3_000_000] {
            let layout = Layout::from_size_align(size, align).unwrap();
            unsafe {
                let p = alloc(layout);
                assert!(!p.is_null() && p as usize % align == 0);
                p.write_bytes(0xa5, size);
                let grown = realloc(p, layout, size * 2 + 1);
                assert!(!grown.is_null() && grown as usize % align == 0);
                assert!((0..size).all(|i| *grown.add(i) == 0xa5));
                dealloc(grown, Layout::from_size_align(size * 2 + 1, align).unwrap());
                let zeroed = alloc_zeroed(layout);
                assert!(!zeroed.is_null() && zeroed as usize % align == 0);
                assert!((0..size).all(|i| *zeroed.add(i) == 0));
                dealloc(zeroed, layout);
            }
        }
    }
}

#[test]
fn shrinks_with_its_contents() {
    for align in [8, 64] {
        let layout = Layout::from_size_align(10_000, align).unwrap();
        unsafe {
            let p = alloc(layout);
            p.write_bytes(7, 10_000);
            let small = realloc(p, layout, 10);
            assert!((0..10).all(|i| *small.add(i) == 7));
            dealloc(small, Layout::from_size_align(10, align).unwrap());
        }
    }
}

#[test]
fn a_size_that_cannot_be_is_null() {
    let layout = Layout::from_size_align(isize::MAX as usize - 63, 64).unwrap();
    assert!(unsafe { alloc(layout) }.is_null());
    assert!(unsafe { alloc_zeroed(layout) }.is_null());
}

#[test]
fn blocks_cross_threads() {
    let makers: Vec<_> = (0..4u64)
        .map(|n| {
            thread::spawn(move || {
                (0..2000)
                    .map(|i| (i, vec![n; 9]))
                    .collect::<BTreeMap<_, _>>()
            })
        })
        .collect();
    let sum: u64 = makers
        .into_iter()
        .flat_map(|m| m.join().unwrap().into_values().flatten())
        .sum();
    assert_eq!(sum, 2000 * 9 * (0 + 1 + 2 + 3));
}

#[test]
fn free_memory_can_be_returned() {
    drop(vec![1u8; 8 << 20]);
    loam::trim(0);
    assert!(loam::background(true));
    assert!(loam::background(false));
}
