//! The wasm module's exports. Every function runs on the audio worklet's one thread; none is re-entered.
#![allow(unsafe_code)]

use core::cell::UnsafeCell;

use crate::{Listener, MAX_PUSH};

const QUANTUM: usize = 128;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

struct Module {
    listener: Option<Listener>,
    input: [[f32; MAX_PUSH]; 2],
    output: [[f32; QUANTUM]; 2],
}

struct Single(UnsafeCell<Module>);

// SAFETY: the module has no shared memory and so no second thread.
unsafe impl Sync for Single {}

static MODULE: Single = Single(UnsafeCell::new(Module {
    listener: None,
    input: [[0.0; MAX_PUSH]; 2],
    output: [[0.0; QUANTUM]; 2],
}));

fn module() -> &'static mut Module {
    // SAFETY: one thread, and no export calls another or JavaScript: this is the only reference while it lives.
    unsafe { &mut *MODULE.0.get() }
}

/// Makes the buffer, or makes it anew.
#[unsafe(no_mangle)]
extern "C" fn init(rate_in: u32, rate_out: u32, latency_ms: f64) {
    module().listener = Some(Listener::new(rate_in, rate_out, latency_ms));
}

/// Address of a channel of the stretch that is to be pushed (16,384 frames): 0 left, 1 right. Never moves.
#[unsafe(no_mangle)]
extern "C" fn input(side: usize) -> *mut f32 {
    module().input[side.min(1)].as_mut_ptr()
}

/// Address of a channel of what was rendered: 0 left, 1 right. Never moves.
#[unsafe(no_mangle)]
extern "C" fn output(side: usize) -> *const f32 {
    module().output[side.min(1)].as_ptr()
}

/// Takes the first `n` frames of the input.
#[unsafe(no_mangle)]
extern "C" fn push(end: f64, is_cut: u32, n: usize) {
    let Module { listener: Some(listener), input: [left, right], .. } = module() else { return };
    let n = n.min(MAX_PUSH);
    listener.push(end as u64, is_cut != 0, &left[..n], &right[..n]);
}

/// Renders 128 frames.
#[unsafe(no_mangle)]
extern "C" fn render() {
    let Module { listener: Some(listener), output: [left, right], .. } = module() else { return };
    listener.render(left, right);
}

/// Position of what is heard next; negative before anything came.
#[unsafe(no_mangle)]
extern "C" fn position() -> f64 {
    module().listener.as_ref().and_then(Listener::heard_position).unwrap_or(-1.0)
}

/// Milliseconds that wait.
#[unsafe(no_mangle)]
extern "C" fn depth_ms() -> f64 {
    module().listener.as_ref().map_or(0.0, |listener| listener.depth_seconds() * 1000.0)
}

/// Parts per million by which it is read faster.
#[unsafe(no_mangle)]
extern "C" fn correction_ppm() -> f64 {
    module().listener.as_ref().map_or(0.0, |listener| listener.correction() * 1e6)
}

/// Counters: 0 under-runs, 1 skips, 2 gaps.
#[unsafe(no_mangle)]
extern "C" fn count(which: u32) -> u32 {
    let counters = module().listener.as_ref().map(Listener::counters).unwrap_or_default();
    match which {
        0 => counters.under_runs,
        1 => counters.skips,
        _ => counters.gaps,
    }
}
