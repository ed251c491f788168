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

use std::collections::HashMap;

use anyhow::{Context, Result, bail};

use crate::wasm::leb128;

mod data;

const CUSTOM: u8 = 0;
const IMPORT: u8 = 2;
const CODE: u8 = 10;
const DATA: u8 = 11;

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
        sections.iter().find(|(id, _)| *id == CODE).map_or(Vec::new(), |(_, body)| data::words(body, &names));
    let mut out = magic.to_vec();
    for (id, body) in sections {
        let body = match id {
            CODE => code(body, &names).context("the code cannot be read")?,
            DATA => data::without(body, &words).context("the data cannot be read")?,
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

/// Bytes whose number stands before them, and what follows.
fn take_sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = leb128(bytes)?;
    rest.split_at_checked(len as usize)
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

    const SQRT: &str = "_ZN4libm4math4sqrt4sqrt17h0123456789abcdefE";

    /// Functions without local variables, of which the second is one of `core`'s and the third one of libm's; and data at
    /// address 100.
    fn module(ours: &[u8], data: &[u8]) -> Vec<u8> {
        let returns = |n: u8| vec![0, 0x41, n, 0x0b];
        let mut code = vec![3];
        for body in [[&[0], ours, &[0x0b]].concat(), returns(2), returns(3)] {
            put_sized(&mut code, &body);
        }
        let mut names = vec![3];
        for (idx, name) in (0..).zip(["add", "_RNvNtCs1_4core9panicking5panic", SQRT]) {
            names.push(idx);
            put_sized(&mut names, name.as_bytes());
        }
        let mut custom = b"\x04name\x01".to_vec();
        put_sized(&mut custom, &names);
        // 100 as a signed number has two bytes.
        let mut segment = vec![1, 0, 0x41, 0xe4, 0x00, 0x0b];
        put_sized(&mut segment, data);
        [b"\0asm\x01\0\0\0".to_vec(), section(CODE, &code), section(DATA, &segment), section(CUSTOM, &custom)]
            .concat()
    }

    fn has(module: &[u8], bytes: &[u8]) -> bool {
        module.windows(bytes.len()).any(|window| window == bytes)
    }

    #[test]
    fn what_panics_traps_what_is_an_instruction_is_one_and_the_rest_stays() {
        let snipped = snip(&module(&[0x41, 1], b"12345678")).unwrap();
        let code = [&[3, 4, 0, 0x41, 1, 0x0b, 3], &TRAP[..], &[5, 0, 0x20, 0, 0x9f, 0x0b]].concat();
        let expected = section(CODE, &code);
        assert_eq!(snipped[8..8 + expected.len()], expected);
        assert!(has(&snipped, b"12345678"));
    }

    #[test]
    fn places_become_zeros_with_their_paths() {
        let words = |words: [u32; 4]| words.map(u32::to_le_bytes).concat();
        let kept = b"kept";
        // 24 bytes of text before: the place stands at 124, and points to 104.
        let data =
            [&kept[..], b"src/a.rs", b"not rust", kept, &words([104, 8, 12, 5]), &words([112, 8, 12, 5])]
                .concat();
        let snipped = snip(&module(&[0x41, 1], &data)).unwrap();
        let expected = [&kept[..], &[0; 8], b"not rust", kept, &[0; 16], &words([112, 8, 12, 5])].concat();
        assert!(has(&snipped, &expected));
    }

    #[test]
    fn words_of_panics_become_zeros_unless_something_else_names_them() {
        // Length 5 and place 0 of the text at 104, then a call of function 1.
        let panic = [0x41, 0xe8, 0x00, 0x41, 5, 0x41, 0, 0x10, 1];
        let data = b"keptfalsekept";
        assert!(has(&snip(&module(&panic, data)).unwrap(), b"kept\0\0\0\0\0kept"));
        let twice = [&panic[..], &panic].concat();
        assert!(has(&snip(&module(&twice, data)).unwrap(), b"kept\0\0\0\0\0kept"));
        // 106 lies in it.
        let named = [&panic[..], &[0x41, 0xea, 0x00]].concat();
        assert!(has(&snip(&module(&named, data)).unwrap(), data));
        let pointed_to = [&data[..], &104u32.to_le_bytes()].concat();
        assert!(has(&snip(&module(&panic, &pointed_to)).unwrap(), data));
        // Function 0 does not panic.
        let call = [0x41, 0xe8, 0x00, 0x41, 5, 0x41, 0, 0x10, 0];
        assert!(has(&snip(&module(&call, data)).unwrap(), data));
    }

    #[test]
    fn tables_of_what_is_an_instruction_become_zeros() {
        let data = [&b"\x51\xb4\xf0\xb2\x96\xb1\x44\xb0"[..], &[9; 248], b"kept"].concat();
        assert!(has(&snip(&module(&[0x41, 1], &data)).unwrap(), &[&[0; 256][..], b"kept"].concat()));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert!(snip(b"not a module").is_err());
        assert!(snip(b"\0asm\x01\0\0\0").is_err(), "no names");
        let imports = [b"\0asm\x01\0\0\0".to_vec(), section(IMPORT, &[0])].concat();
        assert!(snip(&imports).is_err());
    }
}
