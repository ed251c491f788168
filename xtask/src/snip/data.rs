//! What of a module's data nobody reads once its panics have no words.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{panics, put, put_sized, take_sized};
use crate::wasm::leb128;

const CALL: u8 = 0x10;
const I32_CONST: u8 = 0x41;

/// How the tables of what is replaced begin, and their bytes: 2/π in numbers of 24 bits, π/2 in eight
/// parts, and guesses of 1/√x in 16 bits.
const TABLES: [(&[u8], usize); 3] = [
    (b"\x83\xf9\xa2\0\x44\x4e\x6e\0\xfc\x29\x15\0", 4 * 66),
    (b"\0\0\0\x40\xfb\x21\xf9\x3f\0\0\0\0\x2d\x44\x74\x3e", 8 * 8),
    (b"\x51\xb4\xf0\xb2\x96\xb1\x44\xb0", 2 * 128),
];

/// Address and length of texts that nothing but calls of panicking functions names: `i32.const` address, `i32.const`
/// length, `i32.const` place, `call`. Whatever could be read as a number counts as naming, wherever it stands.
pub(super) fn words(code: &[u8], names: &HashMap<u32, &str>) -> Vec<(u32, u32)> {
    let number = |bytes| take_after(I32_CONST, bytes);
    let argument = |bytes| {
        let (address, rest) = number(bytes)?;
        let (len, rest) = number(rest)?;
        let (_, rest) = number(rest)?;
        let (callee, _) = take_after(CALL, rest)?;
        let name = names.get(&callee).filter(|name| panics(name))?;
        // A text without arguments is `fmt::Arguments` with twice its length and one.
        Some((address, if name.contains("9panic_fmt") { len >> 1 } else { len }))
    };
    let (mut n_calls, mut n_named) = (BTreeMap::new(), BTreeMap::new());
    for at in 0..code.len() {
        if let Some(text) = argument(&code[at..]) {
            *n_calls.entry(text).or_insert(0) += 1;
        }
        if let Some((number, _)) = leb128(&code[at..]) {
            *n_named.entry(number).or_insert(0) += 1;
        }
    }
    let is_theirs = |&((address, len), n_calls): &((u32, u32), u32)| {
        n_named.range(address..address.saturating_add(len)).map(|(_, n)| n).sum::<u32>() == n_calls
    };
    n_calls.into_iter().filter(is_theirs).map(|(text, _)| text).collect()
}

/// The number behind a byte, and what follows it.
fn take_after(byte: u8, bytes: &[u8]) -> Option<(u32, &[u8])> {
    leb128(bytes.strip_prefix(&[byte])?)
}

/// A stretch of memory: what stands before its bytes, its address, its bytes.
struct Segment<'a> {
    head: &'a [u8],
    address: u32,
    bytes: Vec<u8>,
}

/// The data section with zeros in place of places in source files: `core::panic::Location`, and the paths that they
/// point to; and in place of the words of panics.
pub(super) fn without(section: &[u8], words: &[(u32, u32)]) -> Option<Vec<u8>> {
    let (n, mut rest) = leb128(section)?;
    let mut segments = Vec::new();
    for _ in 0..n {
        // Active, in the one memory: 0, i32.const address, end.
        let (address, after) = signed_leb128(rest.strip_prefix(&[0, I32_CONST])?)?;
        let after = after.strip_prefix(&[0x0b])?;
        let (bytes, next) = take_sized(after)?;
        segments.push(Segment { head: &rest[..rest.len() - after.len()], address, bytes: bytes.to_vec() });
        rest = next;
    }
    let mut stretches = BTreeSet::new();
    let mut places = Vec::new();
    for (idx, segment) in segments.iter().enumerate() {
        let first = segment.address.next_multiple_of(4) - segment.address;
        for at in (first as usize..).step_by(4).take_while(|at| at + 16 <= segment.bytes.len()) {
            if let Some(path) = path_of_place(&segment.bytes[at..at + 16], &segments) {
                stretches.insert(path);
                places.push((idx, at, 16));
            }
        }
    }
    for (segment, Segment { bytes, .. }) in segments.iter().enumerate() {
        for (begin, len) in TABLES {
            let start = bytes.windows(begin.len()).position(|window| window == begin);
            let whole = start.filter(|start| start + len <= bytes.len());
            stretches.extend(whole.map(|start| Stretch { segment, start, len }));
        }
    }
    for &(address, len) in words {
        if !is_pointed_to(address, len, &segments)
            && let Some(text) = stretch(address, len, &segments)
        {
            stretches.insert(text);
        }
    }
    let stretches = stretches.into_iter().map(|stretch| (stretch.segment, stretch.start, stretch.len));
    for (segment, start, len) in places.into_iter().chain(stretches) {
        segments[segment].bytes[start..start + len].fill(0);
    }
    let mut out = Vec::new();
    put(&mut out, n);
    for segment in segments {
        out.extend_from_slice(segment.head);
        put_sized(&mut out, &segment.bytes);
    }
    Some(out)
}

/// Where bytes stand.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Stretch {
    segment: usize,
    start: usize,
    len: usize,
}

/// The path that these 16 bytes point to if they are a place: address and length of a path that ends in `.rs`, line,
/// column. Nothing else looks like it: four small numbers of which two happen to span the name of a source file.
fn path_of_place(bytes: &[u8], segments: &[Segment<'_>]) -> Option<Stretch> {
    let (words, _) = bytes.as_chunks::<4>();
    let [address, len, line, column] = <[_; 4]>::try_from(words).ok()?.map(u32::from_le_bytes);
    if !(4..512).contains(&len) || !(1..100_000).contains(&line) || !(1..1_000).contains(&column) {
        return None;
    }
    let path = stretch(address, len, segments)?;
    segments[path.segment].bytes[path.start..][..path.len].ends_with(b".rs").then_some(path)
}

/// Where that many bytes at an address stand.
fn stretch(address: u32, len: u32, segments: &[Segment<'_>]) -> Option<Stretch> {
    segments.iter().enumerate().find_map(|(segment, Segment { address: base, bytes, .. })| {
        let (start, len) = (address.checked_sub(*base)? as usize, len as usize);
        (start + len <= bytes.len()).then_some(Stretch { segment, start, len })
    })
}

/// Whether four bytes anywhere are an address of these.
fn is_pointed_to(address: u32, len: u32, segments: &[Segment<'_>]) -> bool {
    let range = address..address.saturating_add(len);
    let points = |word: &[u8]| word.try_into().is_ok_and(|word| range.contains(&u32::from_le_bytes(word)));
    segments.iter().any(|segment| segment.bytes.windows(4).any(points))
}

/// An address, which is encoded as a signed number.
fn signed_leb128(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (value, rest) = leb128(bytes)?;
    let n_bits = 7 * (bytes.len() - rest.len()) as u32;
    let is_negative = n_bits < 32 && value >> (n_bits - 1) == 1;
    (!is_negative).then_some((value, rest))
}
