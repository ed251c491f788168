//! The modules' allocator: a list of free blocks in the order of their addresses, of which the first that is large
//! enough is taken.
//!
//! A worklet allocates when something is loaded or subscribed, and never while it plays, so what counts is how little
//! there is to download: a sixth of a general allocator. Blocks next to each other become one, so that no
//! sequence of loads leaves memory in pieces for ever.
//!
//! Safety of this file. A [`Heap`] hands out only what [`Heap::give`] gave it or got back, and each byte of that once:
//! a block is either in the list or in use. Addresses and lengths of blocks are multiples of [`GRAIN`], so that each has
//! room for the [`Free`] that describes it, aligned.
#![allow(unsafe_code)]

use core::mem::{align_of, size_of};
use core::ptr::null_mut;

/// Blocks begin and end at multiples of this: the alignment of a vector.
const GRAIN: usize = 16;
const _: () = assert!(size_of::<Free>() <= GRAIN && align_of::<Free>() <= GRAIN);

/// What stands at the start of a free block.
struct Free {
    next: *mut Free,
    len: usize,
}

/// Free blocks.
pub(crate) struct Heap {
    first: *mut Free,
}

impl Heap {
    /// Without memory.
    pub(crate) const fn new() -> Self {
        Self { first: null_mut() }
    }

    /// Memory for `len` bytes at a multiple of `align`, a power of two; null when no block is large enough.
    pub(crate) fn take(&mut self, len: usize, align: usize) -> *mut u8 {
        let len = grains(len);
        let mut link: *mut *mut Free = &mut self.first;
        // SAFETY: `link` is `first` or the `next` of a free block, and all blocks of the list are free and valid.
        unsafe {
            while let Some(block) = (*link).as_mut() {
                let start: *mut Free = block;
                // To the next multiple.
                let skipped = start.addr().wrapping_neg() & (align - 1);
                if skipped <= block.len && len <= block.len - skipped {
                    let rest = block.len - skipped - len;
                    let taken = start.byte_add(skipped);
                    let mut next = block.next;
                    if rest > 0 {
                        let after = taken.byte_add(len);
                        after.write(Free { next, len: rest });
                        next = after;
                    }
                    if skipped > 0 {
                        *block = Free { next, len: skipped };
                    } else {
                        *link = next;
                    }
                    return taken.cast();
                }
                link = &mut block.next;
            }
        }
        null_mut()
    }

    /// Gives memory, or gives it back.
    ///
    /// # Safety
    /// From `start`, a multiple of 16, on, `len` bytes rounded up to a multiple of 16 belong to nobody else, now and
    /// until they are [taken](Self::take).
    pub(crate) unsafe fn give(&mut self, start: *mut u8, len: usize) {
        let (new, mut len) = (start.cast::<Free>(), grains(len));
        if len == 0 {
            return;
        }
        let mut before: *mut Free = null_mut();
        let mut after = self.first;
        // SAFETY: as above; the new block is the list's from here on, as the caller grants.
        unsafe {
            while !after.is_null() && after < new {
                before = after;
                after = (*after).next;
            }
            if !after.is_null() && new.byte_add(len) == after {
                len += (*after).len;
                after = (*after).next;
            }
            if !before.is_null() && before.byte_add((*before).len) == new {
                (*before).len += len;
                (*before).next = after;
                return;
            }
            new.write(Free { next: after, len });
            if before.is_null() {
                self.first = new;
            } else {
                (*before).next = new;
            }
        }
    }
}

/// Bytes of the blocks that hold so many.
fn grains(len: usize) -> usize {
    len.saturating_add(GRAIN - 1) / GRAIN * GRAIN
}

#[cfg(target_arch = "wasm32")]
mod global {
    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32::memory_grow;
    use core::cell::UnsafeCell;

    use super::{Heap, grains};

    const PAGE: usize = 65_536;

    struct Global(UnsafeCell<Heap>);

    // SAFETY: the module has no shared memory and so no second thread.
    unsafe impl Sync for Global {}

    #[global_allocator]
    static GLOBAL: Global = Global(UnsafeCell::new(Heap::new()));

    // SAFETY: blocks are as long and as aligned as asked for; the heap has its own memory, new pages, alone. With one
    // thread, and no call out of it, the reference to the heap is the only one.
    unsafe impl GlobalAlloc for Global {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as above.
            let heap = unsafe { &mut *self.0.get() };
            let (len, align) = (layout.size(), layout.align());
            let found = heap.take(len, align);
            if !found.is_null() {
                return found;
            }
            // As if the last block were in use.
            let n_pages = (grains(len).saturating_add(align)).div_ceil(PAGE);
            let old = memory_grow::<0>(n_pages);
            if old == usize::MAX {
                return core::ptr::null_mut();
            }
            // SAFETY: the pages are new.
            unsafe { heap.give((old * PAGE) as *mut u8, n_pages * PAGE) };
            heap.take(len, align)
        }

        unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
            // SAFETY: as above; the caller gives back what it took.
            unsafe { (*self.0.get()).give(start, layout.size()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C, align(64))]
    struct Arena([u8; 1 << 16]);

    /// Uniform below `n`, from a fixed seed.
    fn below(seed: &mut u32, n: usize) -> usize {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 17;
        *seed ^= *seed << 5;
        *seed as usize % n
    }

    /// (address, length) of each free block.
    fn free(heap: &Heap) -> Vec<(usize, usize)> {
        let mut blocks = Vec::new();
        let mut block = heap.first;
        // SAFETY: the blocks of the list are valid.
        while let Some(Free { next, len }) = unsafe { block.as_ref() } {
            blocks.push((block.addr(), *len));
            block = *next;
        }
        blocks
    }

    #[test]
    fn whatever_is_taken_and_given_back_is_whole_in_the_end() {
        let mut arena = Box::new(Arena([0; 1 << 16]));
        let mut heap = Heap::new();
        let start = arena.0.as_mut_ptr();
        // In two pieces, the later one first, with one block between that is missing.
        // SAFETY: the arena is nobody else's.
        unsafe { heap.give(start.add(1 << 15), 1 << 15) };
        // SAFETY: as above.
        unsafe { heap.give(start, (1 << 15) - GRAIN) };
        let whole = free(&heap);
        assert_eq!(whole.len(), 2);
        let mut seed = 7;
        let mut held: Vec<(*mut u8, usize, u8)> = Vec::new();
        let mut n_refused = 0;
        for turn in 0..20_000 {
            if below(&mut seed, 100) < 55 {
                let (len, align) = (1 + below(&mut seed, 1_500), 1 << below(&mut seed, 8));
                let taken = heap.take(len, align);
                if taken.is_null() {
                    n_refused += 1;
                    continue;
                }
                assert_eq!(taken.addr() % align, 0);
                // SAFETY: it was just taken.
                unsafe { taken.write_bytes(turn as u8, len) };
                held.push((taken, len, turn as u8));
            } else if !held.is_empty() {
                let (taken, len, mark) = held.swap_remove(below(&mut seed, held.len()));
                // SAFETY: it is held. Nobody else wrote there.
                let bytes = unsafe { core::slice::from_raw_parts(taken, len) };
                assert!(bytes.iter().all(|byte| *byte == mark));
                // SAFETY: it is not used any more.
                unsafe { heap.give(taken, len) };
            }
            let blocks = free(&heap);
            assert!(
                blocks.windows(2).all(|pair| pair[0].0 + pair[0].1 < pair[1].0),
                "in order, and not side by side"
            );
            let n_held: usize = held.iter().map(|(_, len, _)| grains(*len)).sum();
            assert_eq!(n_held + blocks.iter().map(|block| block.1).sum::<usize>(), (1 << 16) - GRAIN);
        }
        assert!(n_refused > 0, "it was full at times");
        for (taken, len, _) in held {
            // SAFETY: it is not used any more.
            unsafe { heap.give(taken, len) };
        }
        assert_eq!(free(&heap), whole);
    }

    #[test]
    fn more_than_there_is_is_refused() {
        let mut heap = Heap::new();
        assert!(heap.take(1, 1).is_null());
        assert!(heap.take(usize::MAX, 1).is_null());
    }
}
