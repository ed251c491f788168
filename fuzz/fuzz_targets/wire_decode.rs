//! Any bytes are refused, or become payloads that encode to what decodes to the same.
#![no_main]

use engine_core::protocol::{Header, decode_payload, encode_payload};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Some((header, payload, after)) = Header::split(rest) {
        rest = after;
        assert_eq!(Header::decode(&header.encode()), header);
        let Ok(first) = decode_payload(&header, payload) else { continue };
        let mut encoded = Vec::new();
        encode_payload(&first, &mut encoded);
        let header = Header { payload_len: encoded.len() as u32, ..header };
        let second = decode_payload(&header, &encoded).expect("what was encoded can be decoded");
        let mut again = Vec::new();
        encode_payload(&second, &mut again);
        assert_eq!(encoded, again);
    }
});
