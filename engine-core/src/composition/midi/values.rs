//! Controller values of MIDI and ours.

use super::super::validate::GAIN_DB_RANGE;
use crate::math;

/// What General MIDI says a channel's volume is before any controller.
pub(super) const DEFAULT_VOLUME: f32 = 100.0;
/// CC 10 of the centre.
pub(super) const CENTRE: f32 = 64.0;
/// Steps of CC 10 to either side: 0 and 1 are both left.
pub(super) const PAN_STEPS: f32 = 63.0;
/// Semitones that a pitch bend spans to either side, until RPN 0 says otherwise.
pub(super) const DEFAULT_BEND_RANGE: u8 = 2;
/// Semitones that a [`PitchBend`](crate::composition::ControlKind::PitchBend) control can have.
pub(super) const MAX_BEND: f32 = 24.0;
/// 14-bit pitch bend at rest.
pub(super) const BEND_CENTRE: u16 = 8192;

/// Fader position of a volume, 0 to 127.
pub(super) fn gain_db_from_volume(volume: f32) -> f32 {
    // The loudest is 0 dB; the curve's −∞ at 0 is our floor.
    (2.0 * math::db_from_gain(volume / 127.0)).max(*GAIN_DB_RANGE.start())
}

/// CC 7 of a fader position; what is louder than 0 dB is 127. Not rounded.
pub(super) fn volume_from_gain_db(gain_db: f32) -> f32 {
    (127.0 * math::gain_from_db(gain_db / 2.0)).min(127.0)
}

/// Semitones of a 14-bit pitch bend.
pub(super) fn semitones_from_bend(bend: u16, range: f32) -> f32 {
    let semitones = (f32::from(bend) - f32::from(BEND_CENTRE)) / f32::from(BEND_CENTRE) * range;
    semitones.clamp(-MAX_BEND, MAX_BEND)
}

/// The nearest 14-bit pitch bend.
pub(super) fn bend_from_semitones(semitones: f32, range: f32) -> u16 {
    let bend = semitones / range * f32::from(BEND_CENTRE) + f32::from(BEND_CENTRE);
    libm::roundf(bend).clamp(0.0, 16383.0) as u16
}

/// The nearest 7-bit value.
pub(super) fn seven_bits(value: f32) -> u8 {
    libm::roundf(value).clamp(0.0, 127.0) as u8
}
