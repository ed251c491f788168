//! JSON frames back into the frames that they were made of, so that both encodings take one path from there on.

use engine_core::analysis::ballistics::{Ballistics, Reading};
use engine_core::analysis::meter::MeterBlock;
use engine_core::analysis::spectrum::Scale;
use engine_core::control::{ActiveNote, MAX_ACTIVE_NOTES, PlayState, TapId, TransportSnapshot};
use engine_core::math::gain_from_db;
use engine_core::protocol::json::{
    AudioFrame, Body, MeterLevels, MetersFrame, SpectrumFrame, StereoFrame, TrackMeters, TransportFrame,
    WaveformFrame,
};
use engine_core::protocol::{
    Audio, AudioFormat, Axis, Directory, Flags, Frame, Loudness, MeterNeedles, Meters, Payload, Spectrum,
    Stereo, Transport, Waveform,
};
use engine_core::units::{FLOOR_DB, ticks_from_beats};

/// The frame that a JSON body says, with the axis that every JSON spectrum brings along. `None` when it names a
/// tap that the directory does not have, and of topics that are JSON in both encodings.
pub fn frame_from_body(body: Body, directory: &Directory) -> Option<(Frame, Option<Axis>)> {
    let tap = |key: &str| directory.find(key).ok();
    let mut flags = Flags::default();
    let mut axis = None;
    let (tap, sample_position, payload) = match body {
        Body::Transport(frame) => {
            if frame.discontinuity {
                flags = Flags::DISCONTINUITY;
            }
            (TapId::MASTER, frame.sample_position, Payload::Transport(transport(&frame, directory)))
        }
        Body::Meters(frame) => {
            (TapId::MASTER, frame.sample_position, Payload::Meters(meters(&frame, directory)))
        }
        Body::Spectrum(frame) => {
            let tap = tap(&frame.tap)?;
            let position = frame.sample_position;
            let (values, its_axis) = spectrum(frame);
            axis = Some(its_axis);
            (tap, position, Payload::Spectrum(values))
        }
        Body::Waveform(frame) => {
            (tap(&frame.tap)?, frame.sample_position, Payload::Waveform(waveform(frame)))
        }
        Body::Stereo(frame) => (tap(&frame.tap)?, frame.sample_position, Payload::Stereo(stereo(&frame))),
        Body::Audio(frame) => {
            if frame.discontinuity {
                flags = Flags::DISCONTINUITY;
            }
            (tap(&frame.tap)?, frame.sample_position, Payload::Audio(audio(&frame)))
        }
        // The binary encoding has their JSON too: they take its path.
        Body::Analytics(_) | Body::Music(_) | Body::Trigger(_) => return None,
    };
    Some((Frame { tap, flags, sample_position, payload }, axis))
}

fn transport(frame: &TransportFrame, directory: &Directory) -> Transport {
    let ticks = |beats: f64| ticks_from_beats(beats).round() as u32;
    let mut active_notes = [ActiveNote::default(); MAX_ACTIVE_NOTES];
    let notes = frame.active_notes.iter().filter_map(|note| {
        let track = directory.find(&note.track_id).ok()?.track_index()? as u16;
        Some(ActiveNote { track, pitch: note.pitch, velocity: note.velocity })
    });
    let n_active_notes = active_notes.iter_mut().zip(notes).map(|(slot, note)| *slot = note).count();
    let armed = frame.armed_track_id.as_deref().and_then(|id| directory.find(id).ok()?.track_index());
    let snapshot = TransportSnapshot {
        recording: frame.is_recording,
        armed: armed.map(|track| track as u16),
        count_in_beats: frame.count_in_beats,
        state: match (frame.is_playing, frame.is_paused) {
            (true, _) => PlayState::Playing,
            (false, true) => PlayState::Paused,
            (false, false) => PlayState::Stopped,
        },
        tick: ticks_from_beats(frame.position_beats),
        seconds: frame.position_seconds,
        bpm: frame.tempo,
        numerator: frame.time_signature_num,
        denominator: frame.time_signature_den,
        loop_enabled: frame.loop_enabled,
        loop_start: ticks(frame.loop_start),
        loop_end: ticks(frame.loop_end),
        metronome: frame.metronome_enabled,
        revision: 0,
        active_notes,
        n_active_notes,
    };
    let TransportFrame { server_time, composition_revision, .. } = *frame;
    Transport { snapshot, server_time, composition_revision }
}

fn meters(frame: &MetersFrame, directory: &Directory) -> Meters {
    let known = |track: &TrackMeters| directory.find(&track.track_id).ok();
    let tracks: Vec<_> = frame.tracks.iter().filter_map(|track| Some((known(track)?, track))).collect();
    let master = &frame.master;
    let loudness = Loudness {
        momentary: master.lufs_momentary,
        short_term: master.lufs_short_term,
        integrated: master.lufs_integrated,
        range: master.lra,
    };
    let blocks = tracks.iter().map(|(tap, track)| (*tap, block(&track.levels)));
    // All tracks have their loudness, or none.
    let of_track = |track: &TrackMeters| {
        Some(Loudness {
            momentary: track.lufs_momentary?,
            short_term: track.lufs_short_term?,
            integrated: track.lufs_integrated?,
            range: track.lra?,
        })
    };
    let of_tracks: Option<Vec<Loudness>> = tracks.iter().map(|(_, track)| of_track(track)).collect();
    let levels = std::iter::once(&master.levels).chain(tracks.iter().map(|(_, track)| &track.levels));
    Meters {
        taps: std::iter::once((TapId::MASTER, block(&master.levels))).chain(blocks).collect(),
        needles: frame.ballistics.map(|ballistics| MeterNeedles {
            ballistics,
            readings: levels.map(|levels| reading(ballistics, levels)).collect(),
        }),
        loudness,
        loudness_resets: frame.loudness_resets,
        correlation: master.correlation,
        tap_loudness: of_tracks
            .filter(|all| !all.is_empty())
            .map(|all| std::iter::once(loudness).chain(all).collect())
            .unwrap_or_default(),
    }
}

fn reading(ballistics: Ballistics, levels: &MeterLevels) -> Reading {
    let position = |level: Option<f32>| ballistics.needle(level.unwrap_or(FLOOR_DB));
    Reading {
        needle: [position(levels.needle_left), position(levels.needle_right)],
        hold: [position(levels.hold_left), position(levels.hold_right)],
    }
}

fn stereo(frame: &StereoFrame) -> Stereo {
    let steps = |x: f32| (x * 127.0).round() as i8;
    Stereo {
        correlation: frame.correlation,
        balance: frame.balance,
        width: frame.width,
        points: frame.points.iter().map(|point| point.map(steps)).collect(),
    }
}

fn audio(frame: &AudioFrame) -> Audio {
    let frames = frame.samples_left.iter().zip(&frame.samples_right);
    Audio { channels: 2, format: AudioFormat::F32, samples: frames.flat_map(|(&l, &r)| [l, r]).collect() }
}

/// One frame stands for the whole span, as in the binary decoder: spans of one connection are equally long.
fn block(levels: &MeterLevels) -> MeterBlock {
    let gain = |db: f32| if db <= FLOOR_DB { 0.0 } else { gain_from_db(db) };
    let square = |db: f32| f64::from(gain(db)) * f64::from(gain(db));
    MeterBlock {
        peak: [gain(levels.peak_left), gain(levels.peak_right)],
        true_peak: [gain(levels.true_peak_left), gain(levels.true_peak_right)],
        sum_squares: [square(levels.rms_left), square(levels.rms_right)],
        n_frames: 1,
        clips: levels.clips,
    }
}

fn spectrum(frame: SpectrumFrame) -> (Spectrum, Axis) {
    let scales = [Scale::Linear, Scale::Log, Scale::Mel, Scale::Bark, Scale::Octave];
    let is_named =
        |scale: &Scale| Axis { scale: *scale as u8, ..Axis::default() }.scale_name() == frame.scale;
    // A scale that only a newer server has loses its name; its frequencies are right.
    let scale = scales.into_iter().find(is_named).unwrap_or_default();
    let axis = Axis::new(frame.fft_size, frame.sample_rate, scale, &frame.frequencies);
    (Spectrum { axis: axis.id, channels: frame.channels, wide: true, magnitudes: frame.magnitudes }, axis)
}

fn waveform(frame: WaveformFrame) -> Waveform {
    let is_scope = frame.samples_left.is_some();
    let left = [frame.samples_left, frame.min_left, frame.max_left, frame.rms_left];
    let right = [frame.samples_right, frame.min_right, frame.max_right, frame.rms_right];
    let is_stereo = right.iter().any(Option::is_some);
    Waveform {
        channels: if is_stereo { 2 } else { 1 },
        mode: u8::from(!is_scope),
        samples: left.into_iter().chain(right).flatten().flatten().collect(),
    }
}
