//! JSON of the slow topics, written without `core::fmt`: one `format!` triples the worklet's module.

use alloc::vec::Vec;

use super::frame::{Analytics, TriggerEvent};
use crate::analysis::music::{Key, KeyMode, MusicSnapshot};
use crate::analysis::trigger::{Condition, Limit, LoudnessMeasure};

/// Appends the JSON object of `a`, with the names that serde gives it.
#[inline(never)]
pub(super) fn write_analytics(a: &Analytics, out: &mut Vec<u8>) {
    out.push(b'{');
    decimal("cpu_usage", a.cpu_usage, out);
    integer("memory_usage", a.memory_usage, out);
    integer("active_voices", u64::from(a.active_voices), out);
    integer("active_tracks", u64::from(a.active_tracks), out);
    integer("sample_rate", u64::from(a.sample_rate), out);
    integer("buffer_size", u64::from(a.buffer_size), out);
    decimal("latency_ms", a.latency_ms, out);
    integer("xruns", a.xruns, out);
    integer("clients", u64::from(a.clients), out);
    integer("frames_sent", a.frames_sent, out);
    integer("frames_merged", a.frames_merged, out);
    if !a.device.is_empty() {
        key("device", out);
        string(&a.device, out);
    }
    out.push(b'}');
}

/// Appends the JSON object of a trigger that fired: what a client needs to tell its triggers apart, and the value.
#[inline(never)]
pub(super) fn write_trigger(event: &TriggerEvent, out: &mut Vec<u8>) {
    out.push(b'{');
    let word = |name: &str, value: &str, out: &mut Vec<u8>| {
        key(name, out);
        string(value, out);
    };
    match event.config.condition {
        Condition::Clip => word("kind", "clip", out),
        Condition::Silence { seconds, below_db } => {
            word("kind", "silence", out);
            decimal("seconds", seconds, out);
            decimal("below_db", below_db, out);
        }
        Condition::Loudness { measure, limit } => {
            word("kind", "loudness", out);
            let measure = match measure {
                LoudnessMeasure::Momentary => "momentary",
                LoudnessMeasure::ShortTerm => "short_term",
                LoudnessMeasure::Integrated => "integrated",
            };
            word("measure", measure, out);
            match limit {
                Limit::Above(lufs) => decimal("above_lufs", lufs, out),
                Limit::Below(lufs) => decimal("below_lufs", lufs, out),
            }
        }
    }
    decimal("value", event.value, out);
    key("ended", out);
    out.extend_from_slice(if event.config.once { b"true" } else { b"false" });
    out.push(b'}');
}

/// Appends the JSON object of what is played, with the names that serde gives it, and the key's name.
#[inline(never)]
pub(super) fn write_music(m: &MusicSnapshot, out: &mut Vec<u8>) {
    out.push(b'{');
    optional("pitch_hz", m.pitch_hz, out);
    decimal("pitch_clarity", m.pitch_clarity, out);
    key("chroma", out);
    for (idx, strength) in m.chroma.into_iter().enumerate() {
        out.push(if idx == 0 { b'[' } else { b',' });
        number(strength, out);
    }
    out.push(b']');
    decimal("tuning_cents", m.tuning_cents, out);
    key("key", out);
    match m.key {
        None => out.extend_from_slice(b"null"),
        Some(Key { tonic, mode }) => {
            out.push(b'{');
            integer("tonic", tonic.into(), out);
            key("mode", out);
            string(if mode == KeyMode::Major { "major" } else { "minor" }, out);
            out.push(b'}');
        }
    }
    key("key_name", out);
    string(m.key.map_or("", Key::name), out);
    decimal("key_strength", m.key_strength, out);
    optional("bpm", m.bpm, out);
    decimal("bpm_strength", m.bpm_strength, out);
    integer("n_onsets", m.n_onsets, out);
    key("last_onset", out);
    match m.last_onset {
        None => out.extend_from_slice(b"null"),
        Some(onset) => {
            out.push(b'{');
            integer("position", onset.position, out);
            decimal("strength", onset.strength, out);
            out.push(b'}');
        }
    }
    out.push(b'}');
}

fn optional(name: &str, value: Option<f32>, out: &mut Vec<u8>) {
    match value {
        Some(value) => decimal(name, value, out),
        None => {
            key(name, out);
            out.extend_from_slice(b"null");
        }
    }
}

fn key(name: &str, out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn integer(name: &str, value: u64, out: &mut Vec<u8>) {
    key(name, out);
    digits(value, 1, out);
}

/// Four decimals; what is not a number is 0.
fn decimal(name: &str, value: f32, out: &mut Vec<u8>) {
    key(name, out);
    number(value, out);
}

fn number(value: f32, out: &mut Vec<u8>) {
    let value = if value.is_finite() { f64::from(value) } else { 0.0 };
    if value < 0.0 {
        out.push(b'-');
    }
    let scaled = libm::round(value.abs() * 1e4) as u64;
    digits(scaled / 10_000, 1, out);
    out.push(b'.');
    digits(scaled % 10_000, 4, out);
}

fn digits(mut value: u64, min_digits: usize, out: &mut Vec<u8>) {
    let mut buffer = [b'0'; 20];
    let mut at = buffer.len();
    while value > 0 || buffer.len() - at < min_digits {
        at -= 1;
        buffer[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&buffer[at..]);
}

fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            // Names of devices have no use for control characters.
            0..=0x1f => out.push(b' '),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn serde_reads_what_was_written() {
        let a = Analytics {
            cpu_usage: 0.0625,
            memory_usage: u64::from(u32::MAX) * 1000,
            active_voices: 7,
            active_tracks: 0,
            sample_rate: 48_000,
            buffer_size: 128,
            latency_ms: 10.5,
            xruns: 1,
            clients: 2,
            frames_sent: 3,
            frames_merged: 4,
            device: "A \"quoted\" \\ card é".to_string(),
        };
        let mut out = Vec::new();
        write_analytics(&a, &mut out);
        assert_eq!(serde_json::from_slice::<Analytics>(&out).unwrap(), a);
        let silent = Analytics { cpu_usage: f32::NAN, latency_ms: -0.5, ..Analytics::default() };
        out.clear();
        write_analytics(&silent, &mut out);
        let read: Analytics = serde_json::from_slice(&out).unwrap();
        assert_eq!((read.cpu_usage, read.latency_ms), (0.0, -0.5));
    }
}
