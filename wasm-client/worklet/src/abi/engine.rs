//! Programs, samples and commands.

use alloc::vec::Vec;
use core::cell::UnsafeCell;

use super::{Single, module, with_message};
use crate::Refused;

/// A sample that JavaScript writes: left, right.
static SAMPLE: Single<[Vec<f32>; 2]> = Single(UnsafeCell::new([Vec::new(), Vec::new()]));

fn sample() -> &'static mut [Vec<f32>; 2] {
    // SAFETY: as of `module`: one thread, and no export calls another or JavaScript.
    unsafe { &mut *SAMPLE.0.get() }
}

fn code(result: Result<(), Refused>) -> i32 {
    result.map_or_else(|refused| refused as i32, |()| 0)
}

/// An engine plays from now on. Call it after `init`, before everything else here.
#[unsafe(no_mangle)]
extern "C" fn init_engine() {
    if let Some(worklet) = &mut module().worklet {
        worklet.add_engine();
    }
}

/// Makes room for a sample of `n_frames`. It is to be written at [`sample_plane`], and then to be kept.
#[unsafe(no_mangle)]
extern "C" fn begin_sample(n_frames: usize) {
    let silence = || alloc::vec![0.0; n_frames];
    *sample() = [silence(), silence()];
}

/// Address of a channel of the sample that was begun: 0 left, 1 right.
#[unsafe(no_mangle)]
extern "C" fn sample_plane(side: usize) -> *mut f32 {
    sample().get_mut(side).map_or(core::ptr::null_mut(), |plane| plane.as_mut_ptr())
}

/// Keeps the sample that was begun; its id (16 bytes) is in the message buffer. 0, or a negative `Refused`.
#[unsafe(no_mangle)]
extern "C" fn keep_sample() -> i32 {
    let [left, right] = core::mem::take(sample()).map(Vec::into_boxed_slice);
    with_message(|worklet, message| {
        let id = message.try_into().map_err(|_| Refused::Bytes);
        code(id.and_then(|id| worklet.add_sample(id, left, right)))
    })
}

/// Plays the program (postcard `Program`) in the message buffer. 0, or a negative `Refused`.
#[unsafe(no_mangle)]
extern "C" fn load() -> i32 {
    with_message(|worklet, message| code(worklet.load(message)))
}

/// Takes the program (postcard `Program`) in the message buffer in place of what plays, which goes on. 0, or a negative
/// `Refused`.
#[unsafe(no_mangle)]
extern "C" fn update() -> i32 {
    with_message(|worklet, message| code(worklet.update(message)))
}

/// Carries out the commands (postcard `Command`, one or several) in the message buffer. 0, or a negative
/// `Refused`.
#[unsafe(no_mangle)]
extern "C" fn command() -> i32 {
    with_message(|worklet, message| code(worklet.command(message)))
}
