//! The table in `docs/deploy.md` of what so many listeners need, worked out from what was measured.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::Shell;

const DOCUMENT: &str = "docs/deploy.md";
const BEGIN: &str = "<!-- capacity: written by `cargo xtask bench` -->\n";
const END: &str = "<!-- capacity: end -->\n";

const LISTENERS: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// What is planned with: half of a core, so that the other half is there for a bad moment.
const LOAD: f64 = 0.5;
/// A relay's machine.
const CORES: f64 = 8.0;
const GIGABITS: f64 = 10.0;
/// What a link carries before packets are dropped.
const LINK: f64 = 0.7;
/// A relay or server that nobody listens to, MB: far more than either takes.
const BASE_MB: f64 = 100.0;
/// Around each segment: 52 bytes of IPv4 and TCP with timestamps, 38 of Ethernet with its gap.
const AROUND: f64 = 90.0;
/// Bytes of payload in a full segment.
const SEGMENT: f64 = 1_448.0;
/// A message of the spectrum that is measured with: 1 KiB, and 4 bytes of WebSocket.
const SPECTRUM: f64 = 1_028.0;

/// What a kind of listener takes.
struct Kind {
    what: &'static str,
    /// Listeners that keep one core busy.
    per_core: f64,
    /// Bits per second on the wire.
    bits: f64,
}

/// Writes the table anew.
pub(super) fn write(sh: &Shell, rows: &[Value]) -> Result<()> {
    let path = sh.current_dir().join(DOCUMENT);
    let text = fs::read_to_string(&path)?;
    fs::write(path, replaced(&text, &table(rows)?)?)?;
    Ok(())
}

/// A document with another block.
fn replaced(text: &str, block: &str) -> Result<String> {
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("{DOCUMENT} has no {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{DOCUMENT} has no {END}"))?;
    Ok([before, BEGIN, block, END, after].concat())
}

fn table(rows: &[Value]) -> Result<String> {
    // By its unit, too: sections use the same words for other things.
    let value = |name: &str, unit: &str| {
        let is_called = |row: &&Value| row["name"].as_str().is_some_and(|words| words.starts_with(name));
        let row = rows.iter().filter(|row| row["unit"] == unit).find(is_called);
        let value = row.and_then(|row| row["value"].as_f64());
        value.with_context(|| format!("no row of the benchmark is called {name}…"))
    };
    let frames = value("the same, ours", "frames/s/core")?;
    let ten_hertz = value("server, clients of a spectrum of 10 Hz × 1 KiB: clients 10000", "% of a core")?;
    let hearing = value("sound in 16 bits to 250 clients", "clients/core")?;
    let sound = 1e3 * value("the same, on each connection", "kB/s")?;
    let connection = value("memory of a connection", "KB")?;
    let kinds = [
        Kind {
            what: "a picture ten times a second (1 KiB × 10 Hz)",
            per_core: 10_000.0 / (ten_hertz / 100.0),
            bits: 8.0 * 10.0 * (SPECTRUM + AROUND),
        },
        Kind {
            what: "a smooth picture (1 KiB × 60 Hz)",
            per_core: frames / 60.0,
            bits: 8.0 * 60.0 * (SPECTRUM + AROUND),
        },
        Kind {
            what: "the sound itself (16 bits, stereo)",
            per_core: hearing,
            bits: 8.0 * sound * (1.0 + AROUND / SEGMENT),
        },
    ];
    let mut text = format!(
        "\nMeasured ([benchmarks.md](benchmarks.md)): {} frames of 1 KiB a second for a core at 60 Hz each, {} clients at 10 Hz \
         for a core, {} listeners to sound for a core, who take {:.0} kB/s each, and {connection:.1} KB of memory a \
         connection.\n\n",
        thousands(frames),
        thousands(kinds[0].per_core),
        thousands(hearing),
        sound / 1e3,
    );
    text.push_str(
        "| each sees or hears | listeners | cores | relays | memory of a relay | network of a relay | network in all |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for kind in &kinds {
        for listeners in LISTENERS {
            let n = f64::from(listeners);
            let cores = (n / kind.per_core / LOAD).ceil();
            let by_network = n * kind.bits / (GIGABITS * 1e9 * LINK);
            let relays = (cores / CORES).max(by_network).ceil();
            let memory = BASE_MB + n / relays * connection * 1_024.0 / 1e6;
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {memory:.0} MB | {} | {} |",
                kind.what,
                thousands(n),
                thousands(cores),
                thousands(relays),
                rate(n / relays * kind.bits),
                rate(n * kind.bits),
            );
        }
    }
    text.push('\n');
    let _ = writeln!(
        text,
        "- cores = listeners ÷ (listeners that fill a core × {LOAD}); for the smooth picture a core's listeners are its frames ÷ 60.\n\
         - relays = the greater of cores ÷ {CORES} and network ÷ ({GIGABITS} Gbit/s × {LINK}), rounded up: machines of {CORES} cores and \
         {GIGABITS} Gbit/s. What is cheaper per bit than per core wants other ones.\n\
         - memory of a relay = {BASE_MB} MB + its listeners × {connection:.1} KB.\n\
         - network of a listener = frames × (1,028 + {AROUND} bytes around a segment), or for sound its bytes × (1 + {AROUND} ÷ 1,448); \
         TLS adds 22 bytes a message. NATS carries each configuration once for each relay.",
    );
    text.push('\n');
    Ok(text)
}

/// With commas between thousands.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bits per second as people say them.
fn rate(bits: f64) -> String {
    match bits {
        0.0..1e9 => format!("{:.0} Mbit/s", bits / 1e6),
        1e9..1e12 => format!("{:.1} Gbit/s", bits / 1e9),
        _ => format!("{:.1} Tbit/s", bits / 1e12),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_follows_from_what_was_measured() {
        let row = |name: &str, value: f64, unit: &str| json!({"name": name, "value": value, "unit": unit});
        let rows = [
            row("the same, ours above the peer's", -90.0, "dB"),
            row("the same, ours", 120_000.0, "frames/s/core"),
            row("server, clients of a spectrum of 10 Hz × 1 KiB: clients 10000", 50.0, "% of a core"),
            row("sound in 16 bits to 250 clients, of whom a core serves", 1_000.0, "clients/core"),
            row("the same, on each connection", 200.0, "kB/s"),
            row("memory of a connection, of 4,000", 4.0, "KB"),
        ];
        let text = table(&rows).unwrap();
        // 1,000,000 ÷ (20,000 × ½) = 100 cores. 1,118 bytes × 8 × 10 Hz × 10⁶ = 89.4 Gbit/s, 12.8 links of 7 Gbit/s.
        let ten = "| a picture ten times a second (1 KiB × 10 Hz) | 1,000,000 | 100 | 13 | 415 MB | 6.9 Gbit/s | 89.4 Gbit/s |";
        assert!(text.contains(ten), "{text}");
        // 10,000 ÷ (2,000 × ½) = 10 cores, 2 relays; 5.4 Gbit/s would fit one link.
        let smooth =
            "| a smooth picture (1 KiB × 60 Hz) | 10,000 | 10 | 2 | 120 MB | 2.7 Gbit/s | 5.4 Gbit/s |";
        assert!(text.contains(smooth), "{text}");
        assert!(table(&rows[2..]).is_err(), "what was not measured is not made up");
    }

    #[test]
    fn a_block_takes_the_place_of_the_last() {
        let text = format!("before\n{BEGIN}old\n{END}after\n");
        assert_eq!(replaced(&text, "new\n").unwrap(), format!("before\n{BEGIN}new\n{END}after\n"));
        assert!(replaced("no marks", "new").is_err());
    }
}
