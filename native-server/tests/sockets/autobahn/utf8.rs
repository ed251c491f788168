//! Group 6: text is UTF-8, and fails at the first byte that is not. From 6.5 on the sequences are those of
//! Markus Kuhn's decoder stress test, <https://www.cl.cam.ac.uk/~mgk25/ucs/examples/UTF-8-test.txt>.

use super::cases::{Case, Send, WHOLE, bad, good};
use crate::common::wire::{FIN, TEXT, frame, frame_start, masked};

const ABOUT: &str = "UTF-8";
const KOSME: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";

fn one(payload: &[u8]) -> Vec<Send> {
    vec![(frame(FIN | TEXT, payload), WHOLE)]
}

fn fragments(parts: &[&[u8]]) -> Vec<Send> {
    let last = parts.len() - 1;
    let first = |idx| (if idx == 0 { TEXT } else { 0 }) | if idx == last { FIN } else { 0 };
    parts.iter().enumerate().map(|(idx, part)| (frame(first(idx), part), WHOLE)).collect()
}

fn bytewise(payload: &[u8]) -> Vec<Send> {
    fragments(&payload.chunks(1).collect::<Vec<_>>())
}

pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut valid = |id: &str, sends, payload: &[u8]| {
        cases.push(good(id, ABOUT, sends, vec![(TEXT, payload.to_vec())]));
    };
    valid("6.1.1", one(b""), b"");
    valid("6.1.2", fragments(&[b"", b"", b""]), b"");
    valid("6.1.3", fragments(&[b"", b"middle frame payload", b""]), b"middle frame payload");
    let hello = "Hello-µ@ßöäüàá-UTF-8!!".as_bytes();
    valid("6.2.1", one(hello), hello);
    valid("6.2.2", fragments(&[&hello[..8], &hello[8..]]), hello);
    valid("6.2.3", bytewise(hello), hello);
    valid("6.2.4", bytewise(KOSME), KOSME);
    let surrogate = [KOSME, b"\xed\xa0\x80edited"].concat();
    cases.push(bad("6.3.1", ABOUT, 1007, one(&surrogate), vec![]));
    cases.push(bad("6.3.2", ABOUT, 1007, bytewise(&surrogate), vec![]));
    fail_fast(&mut cases);
    for (idx, sequences) in stress().into_iter().enumerate() {
        for (n, payload) in (1..).zip(sequences) {
            let id = format!("6.{}.{n}", idx + 5);
            // The standard library is the oracle of what is valid.
            cases.push(match std::str::from_utf8(&payload) {
                Ok(_) => good(id, ABOUT, one(&payload), vec![(TEXT, payload)]),
                Err(_) => bad(id, ABOUT, 1007, one(&payload), vec![]),
            });
        }
    }
    cases
}

/// The rest of these messages is never sent: a server that waits for it does not fail fast, and hangs here.
fn fail_fast(cases: &mut Vec<Case>) {
    let rest = b"\x80\x80edited";
    // 0x110000, beyond the last character: wrong from its second byte on.
    for (idx, (before, wrong)) in
        [(KOSME.to_vec(), &b"\xf4\x90\x80\x80"[..]), ([KOSME, b"\xf4"].concat(), b"\x90")]
            .into_iter()
            .enumerate()
    {
        let frames = vec![(frame(TEXT, &before), WHOLE), (frame(0, wrong), WHOLE)];
        cases.push(bad(format!("6.4.{}", idx + 1), "UTF-8, fail fast", 1007, frames, vec![]));
        let begun = frame_start(FIN | TEXT, before.len() + wrong.len() + rest.len());
        let first: Vec<u8> = begun.into_iter().chain(masked(&before, 0)).collect();
        let second = masked(wrong, before.len()).collect();
        let chops = vec![(first, WHOLE), (second, WHOLE)];
        cases.push(bad(format!("6.4.{}", idx + 3), "UTF-8, fail fast", 1007, chops, vec![]));
    }
}

/// Groups 6.5 to 6.23.
fn stress() -> Vec<Vec<Vec<u8>>> {
    let list = |sequences: &[&[u8]]| sequences.iter().map(|bytes| bytes.to_vec()).collect::<Vec<_>>();
    let valid: [&[u8]; 5] = [
        b"hello$world",
        b"hello\xc2\xa2world",
        b"hello\xe2\x82\xacworld",
        b"hello\xf0\xa4\xad\xa2world",
        KOSME,
    ];
    let unfinished: [&[u8]; 10] = [
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xf8\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xfb\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf",
    ];
    let continuations: Vec<u8> = (0x80..0xbf).collect();
    let lonely = [(0xc0, 0xdf), (0xe0, 0xef), (0xf0, 0xf7), (0xf8, 0xfb), (0xfc, 0xfd)];
    let mut non_characters = vec![b"\xef\xbf\xbe".to_vec(), b"\xef\xbf\xbf".to_vec()];
    for plane in 1..=16 {
        for last in [0xfffe, 0xffff] {
            let character = char::from_u32(plane << 16 | last).unwrap();
            non_characters.push(character.to_string().into_bytes());
        }
    }
    vec![
        list(&valid),
        (1..=KOSME.len()).map(|len| KOSME[..len].to_vec()).collect(),
        list(&[b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]),
        list(&[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]),
        list(&[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]),
        list(&[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"]),
        list(&[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80"]),
        list(&[
            b"\x80",
            b"\xbf",
            b"\x80\xbf",
            b"\x80\xbf\x80",
            b"\x80\xbf\x80\xbf",
            b"\x80\xbf\x80\xbf\x80",
            b"\x80\xbf\x80\xbf\x80\xbf",
            &continuations,
        ]),
        lonely.map(|(from, to)| (from..to).flat_map(|byte| [byte, b' ']).collect()).to_vec(),
        list(&unfinished),
        vec![unfinished.concat()],
        list(&[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]),
        list(&[
            b"\xc0\xaf",
            b"\xe0\x80\xaf",
            b"\xf0\x80\x80\xaf",
            b"\xf8\x80\x80\x80\xaf",
            b"\xfc\x80\x80\x80\x80\xaf",
        ]),
        list(&[
            b"\xc1\xbf",
            b"\xe0\x9f\xbf",
            b"\xf0\x8f\xbf\xbf",
            b"\xf8\x87\xbf\xbf\xbf",
            b"\xfc\x83\xbf\xbf\xbf\xbf",
        ]),
        list(&[
            b"\xc0\x80",
            b"\xe0\x80\x80",
            b"\xf0\x80\x80\x80",
            b"\xf8\x80\x80\x80\x80",
            b"\xfc\x80\x80\x80\x80\x80",
        ]),
        list(&[
            b"\xed\xa0\x80",
            b"\xed\xad\xbf",
            b"\xed\xae\x80",
            b"\xed\xaf\xbf",
            b"\xed\xb0\x80",
            b"\xed\xbe\x80",
            b"\xed\xbf\xbf",
        ]),
        list(&[
            b"\xed\xa0\x80\xed\xb0\x80",
            b"\xed\xa0\x80\xed\xbf\xbf",
            b"\xed\xad\xbf\xed\xb0\x80",
            b"\xed\xad\xbf\xed\xbf\xbf",
            b"\xed\xae\x80\xed\xb0\x80",
            b"\xed\xae\x80\xed\xbf\xbf",
            b"\xed\xaf\xbf\xed\xb0\x80",
            b"\xed\xaf\xbf\xed\xbf\xbf",
        ]),
        non_characters,
        (0xfff9..=0xffff).map(|code| char::from_u32(code).unwrap().to_string().into_bytes()).collect(),
    ]
}
