//! Any bytes are refused, or are a recording whose frames can be read and found. The checksum is made right, or
//! nothing would ever get past it.
#![no_main]

use engine_core::protocol::recorder::{Recording, checksum};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Recording::open(bytes.to_vec());
    let sealed = [bytes, &checksum(0, bytes).to_le_bytes()].concat();
    let Ok(recording) = Recording::open(sealed) else { return };
    let Some(range) = recording.range() else { return };
    let n_all = recording.frames(&range, None).count();
    assert!(n_all > 0);
    for tap in &recording.directory().taps {
        let tap = engine_core::control::TapId(tap.id);
        assert!(recording.frames(&range, Some(tap)).count() <= n_all);
    }
    let at = recording.at(*range.start()).expect("it is not empty");
    assert!(range.contains(&at));
});
