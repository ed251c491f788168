//! What is heard while nothing plays.

use super::module;

/// The input is heard unless `is_monitored` is 0.
#[unsafe(no_mangle)]
extern "C" fn monitor(is_monitored: u32) {
    if let Some(worklet) = &mut module().worklet {
        worklet.monitor(is_monitored != 0);
    }
}
