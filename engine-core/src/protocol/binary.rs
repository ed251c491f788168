//! Payloads in binary, little-endian: encoder and decoder side by side.
//!
//! Levels lose at most half a step: 0.25 dB in narrow spectra, 0.005 dB elsewhere.

use alloc::string::String;
use alloc::vec::Vec;

use super::frame::{
    Audio, Axis, Loudness, MeterNeedles, Meters, Payload, Spectrum, Stereo, Transport, Waveform,
};
use super::header::{Flags, Header};
use super::reader::{DecodeError, Reader};
use super::subscription::{AudioFormat, Topic};
use super::text::{write_analytics, write_music, write_trigger};
use crate::analysis::ballistics::{Ballistics, Reading};
use crate::analysis::meter::MeterBlock;
use crate::control::{ActiveNote, MAX_ACTIVE_NOTES, PlayState, TapId, TransportSnapshot};
use crate::math::{db_from_gain, gain_from_db};
use crate::units::{FLOOR_DB, MAX_TRACKS, beats_from_ticks};

/// Bits of a transport's state.
mod state {
    pub(super) const PLAYING: u32 = 1;
    pub(super) const PAUSED: u32 = 2;
    pub(super) const RECORDING: u32 = 4;
    pub(super) const LOOP: u32 = 8;
    pub(super) const METRONOME: u32 = 16;
    /// Beats of a count-in, from this bit on; what does not fit is the greatest that does.
    pub(super) const COUNT_IN_SHIFT: u32 = 5;
    pub(super) const COUNT_IN_MAX: u32 = 0x7ff;
    /// Index of the armed track plus one, from this bit on; 0 when nothing is armed.
    pub(super) const ARMED_SHIFT: u32 = 16;
}

/// Bytes of one tap's levels in a meters payload, after the tap's number.
pub(super) const LEVELS_LEN: usize = 14;
/// Bytes of a loudness.
pub(super) const LOUDNESS_LEN: usize = 8;
/// Bytes of one tap's needles behind it.
const NEEDLES_LEN: usize = 8;

/// Appends a payload's bytes to `out`. Does not allocate while `out` has room.
///
/// Writers that are never inlined are of topics whose code a browser loads when it needs them.
pub fn encode_payload(payload: &Payload, out: &mut Vec<u8>) {
    match payload {
        Payload::Transport(t) => encode_transport(t, out),
        Payload::Meters(m) => encode_meters(m, out),
        Payload::Spectrum(s) => encode_spectrum(s, out),
        Payload::Waveform(w) => encode_waveform(w, out),
        Payload::Analytics(a) => write_analytics(a, out),
        Payload::Stereo(s) => encode_stereo(s, out),
        Payload::Music(m) => write_music(m, out),
        Payload::Trigger(t) => write_trigger(t, out),
        Payload::Audio(a) => encode_audio(a, out),
        Payload::Axis(a) => encode_axis(a, out),
        Payload::Text(_, text) => out.extend_from_slice(text.as_bytes()),
    }
}

/// Reads a payload. Survives any bytes, with memory bounded by their number; bytes after the last field are
/// ignored, so that fields can be added.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode_payload(header: &Header, payload: &[u8]) -> Result<Payload, DecodeError> {
    let mut r = Reader(payload);
    match Topic::from_id(header.topic).ok_or(DecodeError::UnknownTopic(header.topic))? {
        Topic::Transport => decode_transport(&mut r).map(Payload::Transport),
        Topic::Meters => decode_meters(&mut r).map(Payload::Meters),
        Topic::Spectrum => decode_spectrum(&mut r, header.flags.contains(Flags::WIDE)).map(Payload::Spectrum),
        Topic::Waveform => decode_waveform(&mut r).map(Payload::Waveform),
        Topic::Axis => decode_axis(&mut r).map(Payload::Axis),
        Topic::Stereo => decode_stereo(&mut r).map(Payload::Stereo),
        Topic::Audio => decode_audio(&mut r).map(Payload::Audio),
        topic @ (Topic::Analytics | Topic::Music | Topic::Trigger) => {
            let text = core::str::from_utf8(payload).map_err(|_| DecodeError::Value)?;
            Ok(Payload::Text(topic, String::from(text)))
        }
    }
}

/// Hundredths, as every level but the narrow spectrum's is sent.
fn centi(x: f32) -> [u8; 2] {
    (libm::roundf(x * 100.0) as i16).to_le_bytes()
}

fn from_centi(x: i16) -> f32 {
    f32::from(x) / 100.0
}

pub(super) fn unit_i16(x: f32) -> [u8; 2] {
    (libm::roundf(x.clamp(-1.0, 1.0) * 32767.0) as i16).to_le_bytes()
}

fn from_unit_i16(x: i16) -> f32 {
    f32::from(x) / 32767.0
}

/// Appends bytes. A call, because what is between two of them would not be shorter.
#[inline(never)]
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
}

/// Appends N bytes for each value.
#[inline(always)]
fn put_each<T, const N: usize>(out: &mut Vec<u8>, values: &[T], bytes: impl Fn(&T) -> [u8; N]) {
    let start = out.len();
    out.resize(start + N * values.len(), 0);
    for (out, value) in out[start..].as_chunks_mut().0.iter_mut().zip(values) {
        *out = bytes(value);
    }
}

fn encode_transport(t: &Transport, out: &mut Vec<u8>) {
    let s = &t.snapshot;
    let flag = |set: bool, bit: u32| if set { bit } else { 0 };
    let bits = flag(s.state == PlayState::Playing, state::PLAYING)
        | flag(s.state == PlayState::Paused, state::PAUSED)
        | flag(s.loop_enabled, state::LOOP)
        | flag(s.metronome, state::METRONOME)
        | flag(s.recording, state::RECORDING)
        | u32::from(s.count_in_beats).min(state::COUNT_IN_MAX) << state::COUNT_IN_SHIFT
        | s.armed.map_or(0, |track| u32::from(track.wrapping_add(1))) << state::ARMED_SHIFT;
    put(out, &bits.to_le_bytes());
    let beats = |tick: u32| beats_from_ticks(f64::from(tick));
    for x in
        [beats_from_ticks(s.tick), s.seconds, s.bpm, beats(s.loop_start), beats(s.loop_end), t.server_time]
    {
        put(out, &x.to_le_bytes());
    }
    put(out, &[s.numerator, s.denominator]);
    put(out, &(s.n_active_notes as u16).to_le_bytes());
    for note in &s.active_notes[..s.n_active_notes] {
        put(out, &note.track.to_le_bytes());
        put(out, &[note.pitch, note.velocity]);
    }
    // Not from those that do not count.
    if t.composition_revision != 0 {
        put(out, &t.composition_revision.to_le_bytes());
    }
}

fn decode_transport(r: &mut Reader<'_>) -> Result<Transport, DecodeError> {
    let bits = r.u32()?;
    let mut s = TransportSnapshot {
        state: if bits & state::PLAYING != 0 {
            PlayState::Playing
        } else if bits & state::PAUSED != 0 {
            PlayState::Paused
        } else {
            PlayState::Stopped
        },
        loop_enabled: bits & state::LOOP != 0,
        metronome: bits & state::METRONOME != 0,
        recording: bits & state::RECORDING != 0,
        count_in_beats: (bits >> state::COUNT_IN_SHIFT & state::COUNT_IN_MAX) as u16,
        armed: ((bits >> state::ARMED_SHIFT) as u16)
            .checked_sub(1)
            .filter(|track| usize::from(*track) < MAX_TRACKS),
        tick: r.ticks()?,
        seconds: r.f64()?,
        bpm: r.f64()?,
        ..TransportSnapshot::default()
    };
    // Loop points are whole ticks; the conversion saturates.
    s.loop_start = libm::round(r.ticks()?) as u32;
    s.loop_end = libm::round(r.ticks()?) as u32;
    let server_time = r.f64()?;
    (s.numerator, s.denominator) = (r.u8()?, r.u8()?);
    let n = usize::from(r.u16()?);
    for idx in 0..n {
        let note = ActiveNote { track: r.u16()?, pitch: r.u8()?, velocity: r.u8()? };
        if idx < MAX_ACTIVE_NOTES {
            s.active_notes[idx] = note;
            s.n_active_notes = idx + 1;
        }
    }
    // Frames of earlier versions, and of sources that do not count, end here.
    let composition_revision = r.u64().unwrap_or(0);
    Ok(Transport { snapshot: s, server_time, composition_revision })
}

/// Levels of one tap: clips, then dB of peaks, RMS and true peaks, left and right.
pub(super) fn encode_levels(block: &MeterBlock) -> [u8; LEVELS_LEN] {
    let gains =
        [block.peak[0], block.peak[1], block.rms(0), block.rms(1), block.true_peak[0], block.true_peak[1]];
    let mut bytes = [0; LEVELS_LEN];
    bytes[..2].copy_from_slice(&block.clips.to_le_bytes());
    for (pair, gain) in bytes[2..].chunks_exact_mut(2).zip(gains) {
        pair.copy_from_slice(&centi(db_from_gain(gain)));
    }
    bytes
}

/// Momentary, short-term and integrated loudness, loudness range.
pub(super) fn encode_loudness(l: &Loudness) -> [u8; LOUDNESS_LEN] {
    let mut bytes = [0; LOUDNESS_LEN];
    let values = [l.momentary.max(FLOOR_DB), l.short_term.max(FLOOR_DB), l.integrated.max(FLOOR_DB), l.range];
    for (pair, value) in bytes.chunks_exact_mut(2).zip(values) {
        pair.copy_from_slice(&centi(value));
    }
    bytes
}

/// A level in a narrow spectrum. +0.5 and truncation: magnitudes are above the floor, and above +7.5 dBFS the
/// code ends.
pub(super) fn encode_narrow(db: f32) -> u8 {
    ((db - FLOOR_DB) * 2.0 + 0.5) as u8
}

fn encode_meters(m: &Meters, out: &mut Vec<u8>) {
    put(out, &(m.taps.len() as u16).to_le_bytes());
    put(out, &m.loudness_resets.to_le_bytes());
    for (tap, block) in &m.taps {
        put(out, &tap.0.to_le_bytes());
        put(out, &encode_levels(block));
    }
    put(out, &encode_loudness(&m.loudness));
    put(out, &unit_i16(m.correlation));
    put(out, &(m.tap_loudness.len() as u16).to_le_bytes());
    // Behind all that version 1 had at first, where older decoders do not look.
    for loudness in &m.tap_loudness {
        put(out, &encode_loudness(loudness));
    }
    if let Some(MeterNeedles { ballistics, readings }) = &m.needles {
        put(out, &[*ballistics as u8, 0]);
        put(out, &(readings.len() as u16).to_le_bytes());
        for position in readings.iter().flat_map(|r| [r.needle, r.hold]).flatten() {
            put(out, &centi(ballistics.level(position)));
        }
    }
}

fn decode_loudness(r: &mut Reader<'_>) -> Result<Loudness, DecodeError> {
    Ok(Loudness {
        momentary: from_centi(r.i16()?),
        short_term: from_centi(r.i16()?),
        integrated: from_centi(r.i16()?),
        range: from_centi(r.i16()?),
    })
}

/// Needles behind the meters: their kind, and four levels (needle left, right, hold left, right) of each tap in the
/// same order. `None` when there are none, or none of a known kind for as many taps.
fn decode_needles(r: &mut Reader<'_>, n_taps: usize) -> Option<MeterNeedles> {
    let ballistics = Ballistics::from_id(r.u8().ok()?)?;
    r.u8().ok()?;
    let n = usize::from(r.u16().ok()?);
    let mut readings = r.room(n, NEEDLES_LEN).ok()?;
    let mut pair =
        || Some([ballistics.needle(from_centi(r.i16().ok()?)), ballistics.needle(from_centi(r.i16().ok()?))]);
    for _ in 0..n {
        readings.push(Reading { needle: pair()?, hold: pair()? });
    }
    (n == n_taps).then_some(MeterNeedles { ballistics, readings })
}

fn decode_meters(r: &mut Reader<'_>) -> Result<Meters, DecodeError> {
    let n = usize::from(r.u16()?);
    let loudness_resets = r.u16()?;
    let mut taps = r.room(n, 2 + LEVELS_LEN)?;
    for _ in 0..n {
        let tap = TapId(r.u16()?);
        let clips = r.u16()?;
        let mut gains = [0.0f32; 6];
        for gain in &mut gains {
            *gain = gain_from_db(from_centi(r.i16()?));
        }
        let [peak_left, peak_right, rms_left, rms_right, tp_left, tp_right] = gains;
        let square = |x: f32| f64::from(x) * f64::from(x);
        taps.push((
            tap,
            MeterBlock {
                peak: [peak_left, peak_right],
                true_peak: [tp_left, tp_right],
                sum_squares: [square(rms_left), square(rms_right)],
                n_frames: 1,
                clips,
            },
        ));
    }
    let loudness = decode_loudness(r)?;
    let correlation = from_unit_i16(r.i16()?);
    // Meters that end with the correlation have always been read, though two bytes follow it: how many taps have a
    // loudness of their own.
    let n_loudness = usize::from(r.u16().unwrap_or(0));
    if n_loudness != 0 && n_loudness != n {
        return Err(DecodeError::Value);
    }
    let mut tap_loudness = r.room(n_loudness, LOUDNESS_LEN)?;
    for _ in 0..n_loudness {
        tap_loudness.push(decode_loudness(r)?);
    }
    let needles = decode_needles(r, n);
    Ok(Meters { taps, loudness, loudness_resets, correlation, tap_loudness, needles })
}

#[inline(never)]
fn encode_spectrum(s: &Spectrum, out: &mut Vec<u8>) {
    let n = s.magnitudes.len() / usize::from(s.channels.max(1));
    put(out, &s.axis.to_le_bytes());
    put(out, &(n as u16).to_le_bytes());
    put(out, &[s.channels, 0]);
    if s.wide {
        put_each(out, &s.magnitudes, |&db| centi(db));
    } else {
        put_each(out, &s.magnitudes, |&db| [encode_narrow(db)]);
    }
}

fn decode_spectrum(r: &mut Reader<'_>, wide: bool) -> Result<Spectrum, DecodeError> {
    let (axis, n, channels) = (r.u32()?, usize::from(r.u16()?), r.u8()?);
    r.u8()?;
    if !(1..=2).contains(&channels) {
        return Err(DecodeError::Value);
    }
    let n_values = n * usize::from(channels);
    let mut magnitudes = r.room(n_values, if wide { 2 } else { 1 })?;
    for _ in 0..n_values {
        magnitudes.push(if wide { from_centi(r.i16()?) } else { FLOOR_DB + 0.5 * f32::from(r.u8()?) });
    }
    Ok(Spectrum { axis, channels, wide, magnitudes })
}

#[inline(never)]
fn encode_waveform(w: &Waveform, out: &mut Vec<u8>) {
    let per_point = usize::from(w.channels.max(1)) * w.values_per_point();
    put(out, &((w.samples.len() / per_point) as u16).to_le_bytes());
    put(out, &[w.channels, w.mode]);
    put_each(out, &w.samples, |&x| unit_i16(x));
}

fn decode_waveform(r: &mut Reader<'_>) -> Result<Waveform, DecodeError> {
    let (n, channels, mode) = (usize::from(r.u16()?), r.u8()?, r.u8()?);
    if !(1..=2).contains(&channels) || mode > 1 {
        return Err(DecodeError::Value);
    }
    let mut w = Waveform { channels, mode, samples: Vec::new() };
    let n_values = n * usize::from(channels) * w.values_per_point();
    w.samples = r.room(n_values, 2)?;
    for _ in 0..n_values {
        w.samples.push(from_unit_i16(r.i16()?));
    }
    Ok(w)
}

#[inline(never)]
fn encode_stereo(s: &Stereo, out: &mut Vec<u8>) {
    for x in [s.correlation, s.balance, s.width] {
        put(out, &unit_i16(x));
    }
    put(out, &(s.points.len() as u16).to_le_bytes());
    put_each(out, &s.points, |[x, y]| [*x as u8, *y as u8]);
}

fn decode_stereo(r: &mut Reader<'_>) -> Result<Stereo, DecodeError> {
    let [correlation, balance, width] = [r.i16()?, r.i16()?, r.i16()?].map(from_unit_i16);
    let n = usize::from(r.u16()?);
    let mut points = r.room(n, 2)?;
    for _ in 0..n {
        points.push(r.bytes::<2>()?.map(|byte| byte as i8));
    }
    Ok(Stereo { correlation, balance, width, points })
}

fn encode_audio(a: &Audio, out: &mut Vec<u8>) {
    put(out, &[a.channels, a.format as u8]);
    put(out, &(a.n_frames() as u16).to_le_bytes());
    match a.format {
        AudioFormat::I16 => put_each(out, &a.samples, |&x| unit_i16(x)),
        AudioFormat::F32 => put_each(out, &a.samples, |x| x.to_le_bytes()),
    }
}

fn decode_audio(r: &mut Reader<'_>) -> Result<Audio, DecodeError> {
    let (channels, format, n) = (r.u8()?, r.u8()?, usize::from(r.u16()?));
    if !(1..=2).contains(&channels) {
        return Err(DecodeError::Value);
    }
    let (format, size) = match format {
        0 => (AudioFormat::I16, 2),
        1 => (AudioFormat::F32, 4),
        _ => return Err(DecodeError::Value),
    };
    let n_values = n * usize::from(channels);
    let mut samples = r.room(n_values, size)?;
    for _ in 0..n_values {
        let x = if format == AudioFormat::I16 { from_unit_i16(r.i16()?) } else { r.f32()? };
        samples.push(if x.is_finite() { x } else { return Err(DecodeError::Value) });
    }
    Ok(Audio { channels, format, samples })
}

#[inline(never)]
fn encode_axis(a: &Axis, out: &mut Vec<u8>) {
    for x in [a.id, a.fft_size, a.sample_rate] {
        put(out, &x.to_le_bytes());
    }
    put(out, &[a.scale, 0, 0, 0]);
    put(out, &(a.frequencies.len() as u32).to_le_bytes());
    put_each(out, &a.frequencies, |hz| hz.to_le_bytes());
}

fn decode_axis(r: &mut Reader<'_>) -> Result<Axis, DecodeError> {
    let (id, fft_size, sample_rate) = (r.u32()?, r.u32()?, r.u32()?);
    let [scale, ..] = r.bytes::<4>()?;
    let n = usize::try_from(r.u32()?).map_err(|_| DecodeError::Short)?;
    let mut frequencies = r.room(n, 4)?;
    for _ in 0..n {
        let hz = r.f32()?;
        frequencies.push(if hz.is_finite() { hz } else { return Err(DecodeError::Value) });
    }
    Ok(Axis { id, fft_size, sample_rate, scale, frequencies })
}
