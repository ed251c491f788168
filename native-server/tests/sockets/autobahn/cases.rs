//! Groups 1 to 5 and 7: framing, pings, reserved bits and opcodes, fragments, closing.

use crate::common::wire::{BINARY, CLOSE, FIN, PING, PONG, TEXT, close, frame};

/// Bytes to send, and the size of the pieces in which they go out.
pub(crate) type Send = (Vec<u8>, usize);

/// One case.
pub(crate) struct Case {
    /// Number in the suite.
    pub(crate) id: String,
    /// What it is about.
    pub(crate) about: &'static str,
    pub(crate) sends: Vec<Send>,
    /// Opcodes and payloads that come back, in this order, and nothing else.
    pub(crate) expected: Vec<(u8, Vec<u8>)>,
    pub(crate) end: End,
    pub(crate) is_informational: bool,
}

/// Who closes.
pub(crate) enum End {
    /// We, when all is back, with these bytes; the codes that may be answered.
    Ours(Vec<u8>, Vec<Option<u16>>),
    /// The server, with one of these codes, without our help.
    Theirs(Vec<Option<u16>>),
}

/// All in one piece.
pub(crate) const WHOLE: usize = usize::MAX;

/// A case of good behaviour: what comes back, then a clean close.
pub(crate) fn good(
    id: impl Into<String>,
    about: &'static str,
    sends: Vec<Send>,
    expected: Vec<(u8, Vec<u8>)>,
) -> Case {
    let end = End::Ours(close(1000, b""), vec![Some(1000)]);
    Case { id: id.into(), about, sends, expected, end, is_informational: false }
}

/// A case of bad behaviour: what comes back for what was right, then the server fails the connection.
pub(crate) fn bad(
    id: impl Into<String>,
    about: &'static str,
    code: u16,
    sends: Vec<Send>,
    expected: Vec<(u8, Vec<u8>)>,
) -> Case {
    let end = End::Theirs(vec![Some(code)]);
    Case { id: id.into(), about, sends, expected, end, is_informational: false }
}

/// Frames, each in one piece.
fn whole(frames: Vec<Vec<u8>>) -> Vec<Send> {
    frames.into_iter().map(|bytes| (bytes, WHOLE)).collect()
}

/// The three ways in which many cases come: all at once, one frame at a time, one byte at a time.
fn ways(frames: &[Vec<u8>]) -> [Vec<Send>; 3] {
    [vec![(frames.concat(), WHOLE)], whole(frames.to_vec()), vec![(frames.concat(), 1)]]
}

pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    sizes(&mut cases);
    pings(&mut cases);
    reserved(&mut cases);
    fragments(&mut cases);
    closing(&mut cases);
    cases
}

fn sizes(cases: &mut Vec<Case>) {
    for (group, opcode, byte) in [(1, TEXT, b'*'), (2, BINARY, 0xfe)] {
        let sizes = [0, 125, 126, 127, 128, 65535, 65536, 65536];
        for (idx, len) in sizes.into_iter().enumerate() {
            let payload = vec![byte; len];
            let chop = if idx == 7 { 997 } else { WHOLE };
            let sends = vec![(frame(FIN | opcode, &payload), chop)];
            cases.push(good(format!("1.{group}.{}", idx + 1), "framing", sends, vec![(opcode, payload)]));
        }
    }
}

fn pings(cases: &mut Vec<Case>) {
    const ABOUT: &str = "pings and pongs";
    let ping = |payload: &[u8]| frame(FIN | PING, payload);
    let odd = [0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff];
    for (idx, payload) in [&b""[..], b"Hello, world!", &odd, &[0xfe; 125]].into_iter().enumerate() {
        let sends = vec![(ping(payload), WHOLE)];
        cases.push(good(format!("2.{}", idx + 1), ABOUT, sends, vec![(PONG, payload.to_vec())]));
    }
    cases.push(bad("2.5", ABOUT, 1002, vec![(ping(&[0xfe; 126]), WHOLE)], vec![]));
    cases.push(good("2.6", ABOUT, vec![(ping(&[0xfe; 125]), 1)], vec![(PONG, vec![0xfe; 125])]));
    let pong = |payload: &[u8]| frame(FIN | PONG, payload);
    cases.push(good("2.7", ABOUT, vec![(pong(b""), WHOLE)], vec![]));
    cases.push(good("2.8", ABOUT, vec![(pong(b"unsolicited pong payload"), WHOLE)], vec![]));
    let both = vec![pong(b"unsolicited pong payload"), ping(b"ping payload")];
    cases.push(good("2.9", ABOUT, whole(both), vec![(PONG, b"ping payload".to_vec())]));
    for (id, chop) in [("2.10", WHOLE), ("2.11", 1)] {
        let payloads: Vec<Vec<u8>> = (0..10).map(|idx| format!("payload-{idx}").into_bytes()).collect();
        let sends = payloads.iter().map(|payload| (ping(payload), chop)).collect();
        cases.push(good(id, ABOUT, sends, payloads.into_iter().map(|payload| (PONG, payload)).collect()));
    }
}

fn reserved(cases: &mut Vec<Case>) {
    const HELLO: &[u8] = b"Hello, world!";
    let echo = || vec![(TEXT, HELLO.to_vec())];
    let around =
        |frame_between: Vec<u8>| ways(&[frame(FIN | TEXT, HELLO), frame_between, frame(FIN | PING, b"")]);
    let rsv = |bits: u8, opcode: u8| frame(FIN | bits << 4 | opcode, HELLO);
    const BITS: &str = "reserved bits";
    cases.push(bad("3.1", BITS, 1002, vec![(rsv(1, TEXT), WHOLE)], vec![]));
    for bits in 2..=4 {
        let sends = around(rsv(bits, TEXT)).into_iter().nth(usize::from(bits) - 2).unwrap();
        cases.push(bad(format!("3.{bits}"), BITS, 1002, sends, echo()));
    }
    for (bits, opcode) in [(5, BINARY), (6, PING), (7, CLOSE)] {
        cases.push(bad(format!("3.{bits}"), BITS, 1002, vec![(rsv(bits, opcode), WHOLE)], vec![]));
    }
    const OPCODES: &str = "reserved opcodes";
    for (group, first) in [(1, 3), (2, 11)] {
        for idx in 0..5u8 {
            let payload = if matches!(idx, 0 | 2) { b"" } else { HELLO };
            let odd = frame(FIN | (first + idx), payload);
            let id = format!("4.{group}.{}", idx + 1);
            if idx < 2 {
                cases.push(bad(id, OPCODES, 1002, vec![(odd, WHOLE)], vec![]));
            } else {
                let sends = around(odd).into_iter().nth(usize::from(idx) - 2).unwrap();
                cases.push(bad(id, OPCODES, 1002, sends, echo()));
            }
        }
    }
}

fn fragments(cases: &mut Vec<Case>) {
    const ABOUT: &str = "fragments";
    let [first, second] = [b"fragment1", b"fragment2"];
    let both = [&first[..], second].concat();
    let (begin, end) = (frame(TEXT, first), frame(FIN, second));
    cases.push(bad("5.1", ABOUT, 1002, whole(vec![frame(PING, first), end.clone()]), vec![]));
    cases.push(bad("5.2", ABOUT, 1002, whole(vec![frame(PONG, first), end.clone()]), vec![]));
    let message = (TEXT, both);
    for (idx, sends) in ways(&[begin.clone(), end.clone()]).into_iter().enumerate() {
        cases.push(good(format!("5.{}", 3 + idx), ABOUT, sends, vec![message.clone()]));
    }
    let with_ping = [begin.clone(), frame(FIN | PING, b"ping payload"), end.clone()];
    for (idx, sends) in ways(&with_ping).into_iter().enumerate() {
        let expected = vec![(PONG, b"ping payload".to_vec()), message.clone()];
        cases.push(good(format!("5.{}", 6 + idx), ABOUT, sends, expected));
    }
    for (start, fin) in [(9, FIN), (12, 0)] {
        let frames = [frame(fin, b"non-continuation payload"), frame(FIN | TEXT, b"Hello, world!")];
        for (idx, sends) in ways(&frames).into_iter().enumerate() {
            cases.push(bad(format!("5.{}", start + idx), ABOUT, 1002, sends, vec![]));
        }
    }
    let frames = vec![begin.clone(), end.clone(), frame(0, b"fragment3"), frame(FIN | TEXT, b"fragment4")];
    cases.push(bad("5.15", ABOUT, 1002, whole(frames), vec![message.clone()]));
    for (id, fin) in [("5.16", 0), ("5.17", FIN)] {
        let round = [frame(fin, b"fragment1"), frame(TEXT, b"fragment2"), frame(FIN, b"fragment3")];
        cases.push(bad(id, ABOUT, 1002, whole([round.clone(), round].concat()), vec![]));
    }
    cases.push(bad("5.18", ABOUT, 1002, whole(vec![begin, frame(FIN | TEXT, second)]), vec![]));
    let parts: Vec<Vec<u8>> = (1..=5).map(|idx| format!("fragment{idx}").into_bytes()).collect();
    let pings = [b"pongme 1!".to_vec(), b"pongme 2!".to_vec()];
    let frames = [
        frame(TEXT, &parts[0]),
        frame(0, &parts[1]),
        frame(FIN | PING, &pings[0]),
        frame(0, &parts[2]),
        frame(0, &parts[3]),
        frame(FIN | PING, &pings[1]),
        frame(FIN, &parts[4]),
    ];
    let [_, by_frame, by_byte] = ways(&frames);
    for (id, sends) in [("5.19", by_frame), ("5.20", by_byte)] {
        let [one, two] = pings.clone();
        cases.push(good(id, ABOUT, sends, vec![(PONG, one), (PONG, two), (TEXT, parts.concat())]));
    }
}

fn closing(cases: &mut Vec<Case>) {
    const ABOUT: &str = "closing";
    let text = |payload: &[u8]| frame(FIN | TEXT, payload);
    let hello = b"Hello World!";
    cases.push(good("7.1.1", ABOUT, vec![(text(hello), WHOLE)], vec![(TEXT, hello.to_vec())]));
    // What follows a close frame is not answered.
    let after = [("7.1.2", close(1000, b"")), ("7.1.3", frame(FIN | PING, b"")), ("7.1.4", text(hello))];
    for (id, late) in after {
        let sends = vec![([close(1000, b""), late].concat(), WHOLE)];
        cases.push(bad(id, ABOUT, 1000, sends, vec![]));
    }
    let cut = [frame(TEXT, b"fragment1"), close(1000, b""), frame(FIN, b"fragment2")];
    cases.push(bad("7.1.5", ABOUT, 1000, vec![(cut.concat(), WHOLE)], vec![]));
    let long = vec![b'*'; 256 << 10];
    let late = [text(&long), text(hello), close(1000, b""), frame(FIN | PING, b"")].concat();
    let expected = vec![(TEXT, long), (TEXT, hello.to_vec())];
    let informational = |case: Case| Case { is_informational: true, ..case };
    cases.push(informational(bad("7.1.6", ABOUT, 1000, vec![(late, WHOLE)], expected)));

    let closes = |id: String, bytes: Vec<u8>, codes: Vec<Option<u16>>| Case {
        end: End::Ours(bytes, codes),
        ..good(id, ABOUT, vec![], vec![])
    };
    let payloads: [(&[u8], Vec<Option<u16>>); 6] = [
        (b"", vec![None, Some(1000)]),
        (b"a", vec![Some(1002)]),
        (b"\x03\xe8", vec![Some(1000)]),
        (b"\x03\xe8Hello World!", vec![Some(1000)]),
        (&[&b"\x03\xe8"[..], &[b'*'; 123]].concat(), vec![Some(1000)]),
        (&[&b"\x03\xe8"[..], &[b'*'; 124]].concat(), vec![Some(1002)]),
    ];
    for (idx, (payload, codes)) in payloads.into_iter().enumerate() {
        cases.push(closes(format!("7.3.{}", idx + 1), frame(FIN | CLOSE, payload), codes));
    }
    let reason = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64";
    cases.push(closes(String::from("7.5.1"), close(1000, reason), vec![Some(1007)]));
    let allowed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    for (idx, code) in allowed.into_iter().enumerate() {
        cases.push(closes(format!("7.7.{}", idx + 1), close(code, b""), vec![Some(code)]));
    }
    let forbidden = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
    for (idx, code) in forbidden.into_iter().enumerate() {
        cases.push(closes(format!("7.9.{}", idx + 1), close(code, b""), vec![Some(1002)]));
    }
    for (idx, code) in [5000, 65535].into_iter().enumerate() {
        let case = closes(format!("7.13.{}", idx + 1), close(code, b""), vec![Some(code), Some(1002)]);
        cases.push(informational(case));
    }
}
