//! An allocator that counts, for tests of what must not allocate. A test binary that has this module uses it; it is
//! shared by path, since a crate of its own would be more than it is.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting calls on threads that ask for it.
struct Counting;

thread_local! {
    static CALLS: Cell<Option<u64>> = const { Cell::new(None) };
}

fn count() {
    // A thread that is being torn down has no counter any more.
    let _ = CALLS.try_with(|calls| calls.set(calls.get().map(|n| n + 1)));
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `act` allocates or frees on this thread.
pub(crate) fn allocations(act: impl FnOnce()) -> u64 {
    CALLS.set(Some(0));
    act();
    CALLS.take().unwrap_or(0)
}
