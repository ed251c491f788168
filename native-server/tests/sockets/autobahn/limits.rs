//! Groups 9 and 10: long messages, many fragments, small pieces, many messages.

use super::cases::{Case, Send, WHOLE, good};
use crate::common::wire::{BINARY, FIN, TEXT, frame};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// A message in fragments of a size.
fn fragmented(opcode: u8, payload: &[u8], size: usize) -> Vec<u8> {
    let n = payload.len().div_ceil(size);
    let parts = payload.chunks(size).enumerate();
    let first = |idx| (if idx == 0 { opcode } else { 0 }) | if idx + 1 == n { FIN } else { 0 };
    parts.flat_map(|(idx, part)| frame(first(idx), part)).collect()
}

pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (offset, opcode, byte) in [(0, TEXT, b'*'), (1, BINARY, 0xfe)] {
        let mut push = |group: usize, idx: usize, about, sends: Vec<Send>, expected| {
            cases.push(good(format!("9.{}.{}", group + offset, idx + 1), about, sends, expected));
        };
        for (idx, len) in [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB].into_iter().enumerate() {
            let payload = vec![byte; len];
            let sends = vec![(frame(FIN | opcode, &payload), WHOLE)];
            push(1, idx, "long messages", sends, vec![(opcode, payload)]);
        }
        for idx in 0..9 {
            let payload = vec![byte; 4 * MIB];
            let sends = vec![(fragmented(opcode, &payload, 64 << (2 * idx)), WHOLE)];
            push(3, idx, "many fragments", sends, vec![(opcode, payload)]);
        }
        for idx in 0..6 {
            let payload = vec![byte; MIB];
            let sends = vec![(frame(FIN | opcode, &payload), 64 << idx)];
            push(5, idx, "small pieces", sends, vec![(opcode, payload)]);
        }
        for (idx, len) in [0, 16, 64, 256, 1024, 4096].into_iter().enumerate() {
            let payload = vec![byte; len];
            let sends = vec![(frame(FIN | opcode, &payload), WHOLE); 1000];
            push(7, idx, "many messages", sends, vec![(opcode, payload); 1000]);
        }
    }
    let payload = vec![b'*'; 65536];
    let sends = vec![(fragmented(TEXT, &payload, 1300), WHOLE)];
    cases.push(good("10.1.1", "automatic fragments", sends, vec![(TEXT, payload)]));
    cases
}
