//! The wasm module's exports. JavaScript writes a message into a buffer whose address it asks for, calls, and reads
//! the output. What can fail gives −1; then the output is the error as JSON.
#![allow(unsafe_code)]

use core::cell::UnsafeCell;

use uuid::Uuid;

use crate::{Failure, Offline};

#[derive(Default)]
struct Module {
    offline: Offline,
    message: Vec<u8>,
}

struct Single(UnsafeCell<Option<Module>>);

// SAFETY: the module has no shared memory and so no second thread.
unsafe impl Sync for Single {}

static MODULE: Single = Single(UnsafeCell::new(None));

fn module() -> &'static mut Module {
    // SAFETY: one thread, and no export calls another or JavaScript: this is the only reference while it lives.
    unsafe { &mut *MODULE.0.get() }.get_or_insert_default()
}

/// Hands the message over and reports how it went.
fn call(act: impl FnOnce(&mut Offline, Vec<u8>) -> Result<i32, Failure>) -> i32 {
    let Module { offline, message } = module();
    act(offline, core::mem::take(message)).unwrap_or_else(|failure| {
        offline.set_failure(&failure);
        -1
    })
}

/// The id in a message's first 16 bytes, and the rest.
fn with_id(mut message: Vec<u8>) -> (Uuid, Vec<u8>) {
    let mut id = [0; 16];
    let n = message.len().min(16);
    for (to, from) in id.iter_mut().zip(message.drain(..n)) {
        *to = from;
    }
    (Uuid::from_bytes(id), message)
}

/// C's `powf`, with which the MP3 decoder makes its tables. Rounded correctly, as glibc's is for them: the one that
/// Rust brings along for wasm differs in the last bit of some, and an MP3 file would have other bits than on a server.
#[unsafe(no_mangle)]
extern "C" fn powf(x: f32, y: f32) -> f32 {
    libm::pow(f64::from(x), f64::from(y)) as f32
}

/// Address of `len` bytes for the next call, which takes them.
#[unsafe(no_mangle)]
extern "C" fn message(len: usize) -> *mut u8 {
    let message = &mut module().message;
    *message = vec![0; len];
    message.as_mut_ptr()
}

/// Address of what the last call made.
#[unsafe(no_mangle)]
extern "C" fn output() -> *const u8 {
    module().offline.output().as_ptr()
}

/// Number of bytes at [`output`].
#[unsafe(no_mangle)]
extern "C" fn output_len() -> usize {
    module().offline.output().len()
}

/// Decodes the file in the message, at its own rate when `hz` is 0. Number of channels, or −1.
#[unsafe(no_mangle)]
extern "C" fn decode(hz: u32) -> i32 {
    call(|offline, file| {
        offline.decode(file, hz)?;
        Ok(offline.planes().len() as i32)
    })
}

/// Frames per second of what was decoded.
#[unsafe(no_mangle)]
extern "C" fn sample_rate() -> u32 {
    module().offline.sample_rate()
}

/// Frames of what was decoded.
#[unsafe(no_mangle)]
extern "C" fn n_frames() -> usize {
    module().offline.planes().first().map_or(0, |plane| plane.len())
}

/// Address of a channel's samples.
#[unsafe(no_mangle)]
extern "C" fn plane(idx: usize) -> *const f32 {
    module().offline.planes().get(idx).map_or(core::ptr::null(), |plane| plane.as_ptr())
}

/// 1 when parts of the decoded file are missing.
#[unsafe(no_mangle)]
extern "C" fn is_damaged() -> u32 {
    u32::from(module().offline.is_damaged())
}

/// The composition (JSON) that plays what was decoded; the message is the sample's id (16 bytes) and a name (UTF-8).
/// 0, or −1.
#[unsafe(no_mangle)]
extern "C" fn compose(bpm: f64) -> i32 {
    call(|offline, message| {
        let (id, name) = with_id(message);
        offline.compose(id, &String::from_utf8_lossy(&name), bpm).map(|()| 0)
    })
}

/// Decodes a sample for the next render; the message is its id (16 bytes) and its file. 0, or −1.
#[unsafe(no_mangle)]
extern "C" fn add_sample(hz: u32) -> i32 {
    call(|offline, message| {
        let (id, file) = with_id(message);
        offline.add_sample(id, file, hz).map(|()| 0)
    })
}

/// Starts to render the composition (JSON) in the message. 0, or −1.
#[unsafe(no_mangle)]
extern "C" fn start(hz: u32, bits: u32, tail_seconds: f64) -> i32 {
    let bits = u16::try_from(bits).unwrap_or(0);
    call(|offline, json| offline.start(&json, hz, bits, tail_seconds).map(|()| 0))
}

/// Renders some blocks into the output. 1, 0 after the last, or −1.
#[unsafe(no_mangle)]
extern "C" fn step(n_blocks: u32) -> i32 {
    call(|offline, _| offline.step(n_blocks).map(i32::from))
}

/// How much is rendered, 0 to 1.
#[unsafe(no_mangle)]
extern "C" fn progress() -> f64 {
    module().offline.progress()
}

/// Ends the file; the output replaces its first bytes. 0, or −1.
#[unsafe(no_mangle)]
extern "C" fn finish() -> i32 {
    call(|offline, _| offline.finish().map(|()| 0))
}

/// The composition (JSON) in the message as a MIDI file. 0, or −1.
#[unsafe(no_mangle)]
extern "C" fn export_midi() -> i32 {
    call(|offline, json| offline.export_midi(&json).map(|()| 0))
}

/// Sets the options of the next report; the message is JSON. 0, or −1.
#[unsafe(no_mangle)]
extern "C" fn report_options() -> i32 {
    call(|offline, json| offline.set_report_options(&json).map(|()| 0))
}

/// Starts a report of the file in the message. 0, or −1.
#[unsafe(no_mangle)]
extern "C" fn analyze_file() -> i32 {
    call(|offline, file| offline.analyze_file(file).map(|()| 0))
}

/// Starts a report of samples. 0, or −1.
#[unsafe(no_mangle)]
extern "C" fn analyze_pcm(hz: u32, n_channels: usize, n_frames: f64) -> i32 {
    call(|offline, _| offline.analyze_pcm(hz, n_channels, n_frames as u64).map(|()| 0))
}

/// Measures the samples in the message: f32, as many of each channel, one channel after the other. 0, or −1.
#[unsafe(no_mangle)]
extern "C" fn push() -> i32 {
    call(|offline, samples| offline.push(&samples).map(|()| 0))
}

/// Measures some packets of the file. 1, 0 after the last, or −1.
#[unsafe(no_mangle)]
extern "C" fn analyze(n_packets: u32) -> i32 {
    call(|offline, _| offline.analyze(n_packets).map(i32::from))
}

/// How much is measured, 0 to 1.
#[unsafe(no_mangle)]
extern "C" fn analysis_progress() -> f64 {
    module().offline.analysis_progress()
}

/// Puts the report (JSON) into the output. 0, or −1.
#[unsafe(no_mangle)]
extern "C" fn report() -> i32 {
    call(|offline, _| offline.report().map(|()| 0))
}
