//! The wasm modules' exports. JavaScript writes messages and input into buffers whose addresses it asks for,
//! and reads master and frames from others.
//!
//! Every function runs on the audio worklet's one thread, in its event loop or in `process`; none is re-entered.
#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::cell::UnsafeCell;

use engine_core::buffer::StereoBlock;
use engine_core::control::TapId;
use engine_core::protocol::FeedId;
use engine_core::units::QUANTUM;

use crate::{Refused, Worklet};

mod engine;

/// Claimed and freed at `init`: later allocations (programs, streams) come out of it, so that memory does not
/// grow, which would detach JavaScript's views. Enough for a hundred thousand notes and 32 spectra.
const HEAP_BYTES: usize = 12 << 20;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

struct Module {
    worklet: Option<Worklet>,
    message: Vec<u8>,
    input: Planar,
    output: Planar,
}

/// Left, then right: a layout that JavaScript may rely on, which that of a Rust struct is not.
type Planar = [[f32; QUANTUM]; 2];

struct Single<T>(UnsafeCell<T>);

// SAFETY: the module has no shared memory and so no second thread.
unsafe impl<T> Sync for Single<T> {}

static MODULE: Single<Module> = Single(UnsafeCell::new(Module {
    worklet: None,
    message: Vec::new(),
    input: [[0.0; QUANTUM]; 2],
    output: [[0.0; QUANTUM]; 2],
}));

fn module() -> &'static mut Module {
    // SAFETY: one thread, and no export calls another or JavaScript: this is the only reference while it lives.
    unsafe { &mut *MODULE.0.get() }
}

/// Makes what measures. Call it once, before everything else. `epoch` (16 bits) goes into every frame's header.
/// 0, or 1 if it does not play at that rate.
#[unsafe(no_mangle)]
extern "C" fn init(sample_rate: u32, epoch: u32) -> u32 {
    drop(Vec::<u8>::with_capacity(HEAP_BYTES));
    let worklet = Worklet::measuring(sample_rate, epoch as u16);
    let is_refused = worklet.is_none();
    // There is none before, and the code to drop one would not be small.
    core::mem::forget(core::mem::replace(&mut module().worklet, worklet));
    u32::from(is_refused)
}

/// Address of `len` bytes for the next message. Good until it is called again.
#[unsafe(no_mangle)]
extern "C" fn message(len: usize) -> *mut u8 {
    let message = &mut module().message;
    message.clear();
    message.resize(len, 0);
    message.as_mut_ptr()
}

/// Address of the input: 128 left samples, then 128 right ones, f32. Never moves.
#[unsafe(no_mangle)]
extern "C" fn input() -> *mut f32 {
    module().input.as_mut_ptr().cast()
}

/// Address of the master, laid out like the input. Never moves.
#[unsafe(no_mangle)]
extern "C" fn output() -> *const f32 {
    module().output.as_ptr().cast()
}

/// Starts the stream (postcard `Subscription`) in the message buffer on a lane. Its id, or a negative
/// `Refused`.
#[unsafe(no_mangle)]
extern "C" fn subscribe(lane: usize) -> i32 {
    with_message(|worklet, message| match worklet.subscribe(lane, message) {
        Ok(FeedId(id)) => id as i32,
        Err(refused) => refused as i32,
    })
}

/// Ends a stream.
#[unsafe(no_mangle)]
extern "C" fn unsubscribe(id: u32) {
    if let Some(worklet) = &mut module().worklet {
        worklet.unsubscribe(FeedId(id));
    }
}

/// Starts the loudness of the tap of that number anew; of all when no tap has such a number.
#[unsafe(no_mangle)]
extern "C" fn reset_loudness(tap: u32) {
    if let Some(worklet) = &mut module().worklet {
        worklet.reset_loudness(u16::try_from(tap).ok().map(TapId));
    }
}

/// What is heard while there is no engine: the input, unless `is_monitored` is 0.
#[unsafe(no_mangle)]
extern "C" fn monitor(is_monitored: u32) {
    if let Some(worklet) = &mut module().worklet {
        worklet.monitor(is_monitored != 0);
    }
}

/// Tells what JavaScript measured, for analytics frames.
#[unsafe(no_mangle)]
extern "C" fn set_load(cpu_usage: f32, latency_ms: f32) {
    let memory_usage = core::arch::wasm32::memory_size::<0>() as u64 * 65_536;
    if let Some(worklet) = &mut module().worklet {
        worklet.set_load(cpu_usage, latency_ms, memory_usage);
    }
}

/// Renders 128 frames, with the input buffer as input unless `has_input` is 0. The number of bytes of frames,
/// all lanes together.
#[unsafe(no_mangle)]
extern "C" fn render(has_input: u32, unix_ms: f64) -> usize {
    let Module { worklet: Some(worklet), input: [left, right], output, .. } = module() else { return 0 };
    let input = StereoBlock { left: *left, right: *right };
    worklet.render((has_input != 0).then_some(&input), unix_ms);
    let StereoBlock { left, right } = worklet.master();
    *output = [*left, *right];
    (0..crate::MAX_LANES).map(|lane| worklet.frames(lane).len()).sum()
}

/// Address of the frames that the last `render` made for a lane.
#[unsafe(no_mangle)]
extern "C" fn frames(lane: usize) -> *const u8 {
    module().worklet.as_ref().map_or(core::ptr::null(), |worklet| worklet.frames(lane).as_ptr())
}

/// Number of bytes at [`frames`].
#[unsafe(no_mangle)]
extern "C" fn frames_len(lane: usize) -> usize {
    module().worklet.as_ref().map_or(0, |worklet| worklet.frames(lane).len())
}

fn with_message(act: impl FnOnce(&mut Worklet, &[u8]) -> i32) -> i32 {
    let Module { worklet, message, .. } = module();
    worklet.as_mut().map_or(Refused::Bytes as i32, |worklet| act(worklet, message))
}
