//! Where channels belong: loudspeakers for loudness, and two sides for players.

use engine_core::analysis::layout::{Layout, MAX_CHANNELS, Speaker};
use symphonia::core::audio::{Channels, Position};

/// Places of so many channels when nothing says where they go, as [`Layout::of_channels`] has them.
pub(crate) fn places_of(n_channels: usize) -> Option<Channels> {
    let front = Position::FRONT_LEFT | Position::FRONT_RIGHT;
    let surround = Position::REAR_LEFT | Position::REAR_RIGHT;
    let positions = match n_channels {
        1 => Position::FRONT_LEFT,
        2 => front,
        3 => front | Position::FRONT_CENTER,
        4 => front | surround,
        5 => front | Position::FRONT_CENTER | surround,
        6 => front | Position::FRONT_CENTER | Position::LFE1 | surround,
        _ => return None,
    };
    Some(Channels::Positioned(positions))
}

/// How much each channel counts. Rear loudspeakers stand at the sides, as those of 5.1 do, unless there are side
/// ones besides. `None` without a channel or with more than six.
pub(crate) fn layout(places: &Channels, n_channels: usize) -> Option<Layout> {
    let Channels::Positioned(positions) = places else { return Layout::of_channels(n_channels) };
    if n_channels <= 2 || n_channels > MAX_CHANNELS {
        return Layout::of_channels(n_channels);
    }
    let mut speakers = [Speaker::Front; MAX_CHANNELS];
    let has_sides = positions.intersects(Position::SIDE_LEFT | Position::SIDE_RIGHT);
    let mut set = |position, speaker| {
        // Of a position that is not there it says where it would be.
        let at = places.get_canonical_index_for_positioned_channel(position);
        let at = at.filter(|_| positions.contains(position));
        if let Some(place) = at.and_then(|at| speakers.get_mut(at)) {
            *place = speaker;
        }
    };
    for side in [Position::SIDE_LEFT, Position::SIDE_RIGHT] {
        set(side, Speaker::Surround);
    }
    if !has_sides {
        set(Position::REAR_LEFT, Speaker::Surround);
        set(Position::REAR_RIGHT, Speaker::Surround);
    }
    set(Position::LFE1, Speaker::Lfe);
    set(Position::LFE2, Speaker::Lfe);
    Layout::new(&speakers[..n_channels])
}

/// Adds one side of a packet to `out`. More than two channels are folded as ITU-R BS.775 says: the centre and the
/// surrounds at −3 dB on their sides, without the low-frequency effects. Channels without places: the first two.
pub(crate) fn mix_down(side: usize, layout: &Channels, planes: &[Vec<f32>], out: &mut Vec<f32>) {
    const HALF: f32 = core::f32::consts::FRAC_1_SQRT_2;
    let front = &planes[side.min(planes.len() - 1)];
    let Channels::Positioned(positions) = layout else { return out.extend(front) };
    if planes.len() <= 2 {
        return out.extend(front);
    }
    let [near, rear, aside] = if side == 0 {
        [Position::FRONT_LEFT, Position::REAR_LEFT, Position::SIDE_LEFT]
    } else {
        [Position::FRONT_RIGHT, Position::REAR_RIGHT, Position::SIDE_RIGHT]
    };
    let centres = [Position::FRONT_CENTER, Position::REAR_CENTER];
    let start = out.len();
    out.resize(start + front.len(), 0.0);
    let gains = [(near, 1.0), (rear, HALF), (aside, HALF), (centres[0], HALF), (centres[1], 0.5)];
    for (position, gain) in gains.into_iter().filter(|(position, _)| positions.contains(*position)) {
        let plane = layout.get_canonical_index_for_positioned_channel(position).and_then(|at| planes.get(at));
        for (sum, x) in out[start..].iter_mut().zip(plane.into_iter().flatten()) {
            *sum += gain * x;
        }
    }
}
