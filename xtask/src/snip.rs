//! Takes out of a module what only a panic's message needs, and what WebAssembly has an instruction for.
//!
//! The modules that run in an AudioWorklet have a panic handler that traps: nobody reads the message, or the file and
//! line. But the standard library's panicking functions are compiled before ours, so the compiler does not see that,
//! and each check carries its words and place: a twentieth of a module. Here those functions become what they come to,
//! a trap, whereupon wasm-opt drops their arguments; and the places, which are then read by nobody, become zeros,
//! which it drops too. What traps and what does not stays the same.
//!
//! libm's functions call each other, and no stable Rust makes instructions of those that are one: a square root of
//! theirs is a loop with a table. Here they are instructions, with the same bits. And no angle is so large that its turns
//! must be counted with a thousand bits of π.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result, bail};

use crate::wasm::leb128;

const CUSTOM: u8 = 0;
const IMPORT: u8 = 2;
const CODE: u8 = 10;
const DATA: u8 = 11;
const CALL: u8 = 0x10;
const I32_CONST: u8 = 0x41;

/// Functions of `core` and `alloc` that end in a panic, by parts of their mangled names.
const PANICKING: [&str; 8] = [
    "4core9panicking",
    "16slice_index_fail",
    "17len_mismatch_fail",
    "13unwrap_failed",
    "13expect_failed",
    "7raw_vec12handle_error",
    "17capacity_overflow",
    "18handle_alloc_error",
];
/// No local variables; `unreachable`; `end`.
const TRAP: [u8; 3] = [0, 0x00, 0x0b];
/// Functions of libm with one right result, by parts of their mangled names, and the instructions that have it.
/// <https://webassembly.github.io/spec/core/binary/instructions.html>
const EXACT: [(&str, u8); 3] =
    [("4libm4math5floor5floor", 0x9c), ("4libm4math4sqrt4sqrt", 0x9f), ("4libm4math4sqrt5sqrtf", 0x91)];
/// Counts the turns of angles beyond a million radians: 1 KB and a table. `engine_core::math` has none of them.
const LARGE_ANGLES: &str = "4libm4math14rem_pio2_large14rem_pio2_large";
/// How the tables of what is replaced begin, and their bytes: 2/π in numbers of 24 bits, and guesses of 1/√x in 16.
const TABLES: [(&[u8], usize); 2] =
    [(b"\x83\xf9\xa2\0\x44\x4e\x6e\0\xfc\x29\x15\0", 4 * 66), (b"\x51\xb4\xf0\xb2\x96\xb1\x44\xb0", 2 * 128)];
/// No local variables; `i32.const 0`; `end`.
const ZERO: [u8; 4] = [0, 0x41, 0, 0x0b];

/// The module without. It must have no imports, and the names of its functions.
pub(crate) fn snip(module: &[u8]) -> Result<Vec<u8>> {
    let (magic, mut rest) = module.split_at_checked(8).context("not a module")?;
    let mut sections = Vec::new();
    while let Some((&id, after)) = rest.split_first() {
        let (len, body) = leb128(after).context("a section without a length")?;
        let (body, next) = body.split_at_checked(len as usize).context("a section is cut")?;
        if id == IMPORT {
            bail!("the module has imports");
        }
        sections.push((id, body));
        rest = next;
    }
    let names = sections.iter().filter(|(id, _)| *id == CUSTOM).find_map(|(_, body)| function_names(body));
    let names = names.context("the module has no names of functions")?;
    let words =
        sections.iter().find(|(id, _)| *id == CODE).map_or(Vec::new(), |(_, body)| words(body, &names));
    let mut out = magic.to_vec();
    for (id, body) in sections {
        let body = match id {
            CODE => code(body, &names).context("the code cannot be read")?,
            DATA => data(body, &words).context("the data cannot be read")?,
            _ => body.to_vec(),
        };
        out.push(id);
        put_sized(&mut out, &body);
    }
    Ok(out)
}

/// Names by index, of the section that has them.
fn function_names(section: &[u8]) -> Option<HashMap<u32, &str>> {
    const FUNCTIONS: u8 = 1;
    let (name, mut rest) = take_sized(section)?;
    if name != b"name" {
        return None;
    }
    while let Some((&id, after)) = rest.split_first() {
        let (body, next) = take_sized(after)?;
        if id == FUNCTIONS {
            let (n, mut body) = leb128(body)?;
            let mut names = HashMap::new();
            for _ in 0..n {
                let (idx, after) = leb128(body)?;
                let (name, after) = take_sized(after)?;
                names.insert(idx, std::str::from_utf8(name).ok()?);
                body = after;
            }
            return Some(names);
        }
        rest = next;
    }
    None
}

fn panics(name: &str) -> bool {
    PANICKING.iter().any(|part| name.contains(part))
}

/// What takes the place of a function's code, if anything does.
fn instead(name: &str) -> Option<Vec<u8>> {
    if panics(name) {
        return Some(TRAP.to_vec());
    }
    if name.contains(LARGE_ANGLES) {
        return Some(ZERO.to_vec());
    }
    let (_, instruction) = EXACT.iter().find(|(part, _)| name.contains(part))?;
    // No local variables; `local.get 0`; the instruction; `end`.
    Some(vec![0, 0x20, 0, *instruction, 0x0b])
}

/// The code section with the little that takes the place of some functions.
fn code(section: &[u8], names: &HashMap<u32, &str>) -> Option<Vec<u8>> {
    let (n, mut rest) = leb128(section)?;
    let mut out = Vec::new();
    put(&mut out, n);
    for idx in 0..n {
        let (function, after) = take_sized(rest)?;
        let little = names.get(&idx).and_then(|name| instead(name));
        put_sized(&mut out, little.as_deref().unwrap_or(function));
        rest = after;
    }
    Some(out)
}

/// Address and length of texts that nothing but calls of panicking functions names: `i32.const` address, `i32.const`
/// length, `i32.const` place, `call`. Whatever could be read as a number counts as naming, wherever it stands.
fn words(code: &[u8], names: &HashMap<u32, &str>) -> Vec<(u32, u32)> {
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
fn data(section: &[u8], words: &[(u32, u32)]) -> Option<Vec<u8>> {
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

/// Bytes whose number stands before them, and what follows.
fn take_sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = leb128(bytes)?;
    rest.split_at_checked(len as usize)
}

/// An address, which is encoded as a signed number.
fn signed_leb128(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (value, rest) = leb128(bytes)?;
    let n_bits = 7 * (bytes.len() - rest.len()) as u32;
    let is_negative = n_bits < 32 && value >> (n_bits - 1) == 1;
    (!is_negative).then_some((value, rest))
}

fn put(out: &mut Vec<u8>, mut value: u32) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u32);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: u8, body: &[u8]) -> Vec<u8> {
        let mut out = vec![id];
        put_sized(&mut out, body);
        out
    }

    /// Two functions that return a number, of which the second is one of `core`'s; and data at address 100.
    fn module(data: &[u8]) -> Vec<u8> {
        let function = |n: u8| vec![4, 0, 0x41, n, 0x0b];
        let code = [vec![2], function(1), function(2)].concat();
        let (ours, theirs) = ("add", "_RNvNtCs1_4core9panicking5panic");
        let mut names = vec![2, 0];
        put_sized(&mut names, ours.as_bytes());
        names.push(1);
        put_sized(&mut names, theirs.as_bytes());
        let mut custom = b"\x04name\x01".to_vec();
        put_sized(&mut custom, &names);
        // 100 as a signed number has two bytes.
        let mut segment = vec![1, 0, 0x41, 0xe4, 0x00, 0x0b];
        put_sized(&mut segment, data);
        [b"\0asm\x01\0\0\0".to_vec(), section(CODE, &code), section(DATA, &segment), section(CUSTOM, &custom)]
            .concat()
    }

    #[test]
    fn what_panics_traps_and_the_rest_stays() {
        let snipped = snip(&module(b"12345678")).unwrap();
        let code = [vec![2, 4, 0, 0x41, 1, 0x0b, 3], TRAP.to_vec()].concat();
        let expected = section(CODE, &code);
        assert_eq!(snipped[8..8 + expected.len()], expected);
        assert!(snipped.windows(8).any(|bytes| bytes == b"12345678"));
    }

    #[test]
    fn places_become_zeros_with_their_paths() {
        let words = |words: [u32; 4]| words.map(u32::to_le_bytes).concat();
        let kept = b"kept";
        // 24 bytes of text before: the place stands at 124, and points to 104.
        let data =
            [&kept[..], b"src/a.rs", b"not rust", kept, &words([104, 8, 12, 5]), &words([112, 8, 12, 5])]
                .concat();
        let snipped = snip(&module(&data)).unwrap();
        let expected = [&kept[..], &[0; 8], b"not rust", kept, &[0; 16], &words([112, 8, 12, 5])].concat();
        assert!(snipped.windows(data.len()).any(|bytes| bytes == expected));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert!(snip(b"not a module").is_err());
        assert!(snip(b"\0asm\x01\0\0\0").is_err(), "no names");
        let imports = [b"\0asm\x01\0\0\0".to_vec(), section(IMPORT, &[0])].concat();
        assert!(snip(&imports).is_err());
    }
}
