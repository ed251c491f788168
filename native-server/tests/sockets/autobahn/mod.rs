//! The cases of the Autobahn test suite without compression (groups 1 to 7, 9 and 10), against our echo: the
//! same frames, and the same judgement of what comes back. Cases and expectations are those of
//! <https://github.com/crossbario/autobahn-testsuite>.
//!
//! With `ANTIPHON_CONFORMANCE=FOLDER` the verdicts go to `autobahn.jsonl` in that folder, one JSON object each.

mod cases;
mod limits;
mod utf8;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use native_server::server::Config;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::timeout;

use self::cases::{Case, End};
use crate::common::wire::{Seen, WireReader, close, connect};
use crate::common::{LIMIT, config, start_with};

/// Autobahn's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    /// Right in the end, but not as early as it could be.
    NonStrict,
    /// There is no right and wrong.
    Informational,
    Failed,
}

#[tokio::test]
async fn no_case_fails_and_none_is_non_strict() {
    let server = start_with(Config { has_echo: true, ..config() }).await;
    let mut cases = cases::all();
    cases.extend(utf8::all());
    cases.extend(limits::all());
    let n_cases = cases.len();
    let (mut lines, mut bad) = (String::new(), Vec::new());
    let mut n_ok = 0;
    for case in cases {
        let (id, about) = (case.id.clone(), case.about);
        let outcome = timeout(3 * LIMIT, run(server.server.address(), case)).await;
        let (verdict, why) = outcome.unwrap_or((Verdict::Failed, String::from("it took too long")));
        let name = match verdict {
            Verdict::Ok => "OK",
            Verdict::NonStrict => "NON-STRICT",
            Verdict::Informational => "INFORMATIONAL",
            Verdict::Failed => "FAILED",
        };
        writeln!(lines, "{}", json!({"case": id, "about": about, "verdict": name})).unwrap();
        n_ok += u32::from(verdict == Verdict::Ok);
        if matches!(verdict, Verdict::NonStrict | Verdict::Failed) {
            bad.push(format!("{id} ({about}): {name}: {why}"));
        }
    }
    if let Some(folder) = std::env::var_os("ANTIPHON_CONFORMANCE") {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(Path::new(&folder).join("autobahn.jsonl"), lines).unwrap();
    }
    assert!(bad.is_empty(), "{} of {n_cases}:\n{}", bad.len(), bad.join("\n"));
    assert_eq!((n_cases, n_ok), (301, 298), "as many as the suite has; three are informational");
}

/// Sends all, reads at the same time, and judges.
async fn run(address: SocketAddr, case: Case) -> (Verdict, String) {
    let Case { sends, expected, end, is_informational, .. } = case;
    let (mut reader, mut writer) = connect(address, "/api/ws/echo").await;
    let (by_us, codes) = match end {
        End::Ours(sent, codes) => (Some(sent), codes),
        End::Theirs(codes) => (None, codes),
    };
    let sending = tokio::spawn(async move {
        for (bytes, chop) in &sends {
            for part in bytes.chunks(*chop) {
                // A server that has closed may no longer take it.
                if writer.write_all(part).await.is_err() {
                    break;
                }
            }
        }
        writer
    });
    let mut seen = Vec::new();
    if by_us.is_some() {
        while seen.len() < expected.len() {
            seen.push(reader.next().await);
        }
    }
    let mut writer = sending.await.unwrap();
    if let Some(bytes) = by_us {
        let _ = writer.write_all(&bytes).await;
    }
    let code = read_end(&mut reader, &mut writer, &mut seen).await;
    let frames: Vec<Seen> =
        expected.into_iter().map(|(opcode, payload)| Seen::Frame(opcode, payload)).collect();
    let is_right = seen == frames;
    let is_closed = code.is_some_and(|code| codes.contains(&code));
    let verdict = match (is_informational, is_right, is_closed) {
        (true, ..) => Verdict::Informational,
        (_, true, true) => Verdict::Ok,
        // Failed at once, but with the answer to what came before lost.
        (_, false, true) if seen.is_empty() => Verdict::NonStrict,
        _ => Verdict::Failed,
    };
    (verdict, format!("closed with {code:?} instead of {codes:?}; {} frames of {}", seen.len(), frames.len()))
}

/// Collects frames up to the close frame, answers it, and waits for the server to end the connection. Returns
/// the code (`Some(None)` without one), or `None` when there was no close frame.
async fn read_end(
    reader: &mut WireReader,
    writer: &mut OwnedWriteHalf,
    seen: &mut Vec<Seen>,
) -> Option<Option<u16>> {
    if matches!(seen.last(), Some(Seen::Close(_) | Seen::End)) {
        return None;
    }
    loop {
        match reader.next().await {
            Seen::Close(code) => {
                let _ = writer.write_all(&close(code.unwrap_or(1000), b"")).await;
                return (reader.next().await == Seen::End).then_some(code);
            }
            Seen::End => return None,
            frame => seen.push(frame),
        }
    }
}
