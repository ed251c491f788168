/**
 * Where the playhead is now. Transport frames come five times a second; between them it runs on by the clock.
 */

/** What a transport frame says about the playhead. */
export interface TransportPoint {
  is_playing: boolean;
  position_beats: number;
  position_seconds: number;
  tempo: number;
  loop_enabled: boolean;
  loop_start: number;
  loop_end: number;
}

export interface Playhead {
  beats: number;
  seconds: number;
}

/** After this long without a frame the playhead waits: the connection is gone, and guessing on would be a lie. */
const MAX_AHEAD_MS = 1500;

/** The playhead `elapsedMs` after `point` was measured. Writes into `out`, since this runs every frame. */
export function extrapolate(point: TransportPoint, elapsedMs: number, out: Playhead): Playhead {
  out.beats = point.position_beats;
  out.seconds = point.position_seconds;
  if (!point.is_playing) return out;
  const seconds = Math.min(MAX_AHEAD_MS, Math.max(0, elapsedMs)) / 1000;
  const beatsPerSecond = point.tempo / 60;
  out.beats += seconds * beatsPerSecond;
  out.seconds += seconds;
  const length = point.loop_end - point.loop_start;
  // Only a playhead that was before the loop's end runs into it; one beyond goes on to the end of the piece.
  if (point.loop_enabled && length > 0 && point.position_beats < point.loop_end && out.beats >= point.loop_end) {
    const wrapped = point.loop_start + ((out.beats - point.loop_start) % length);
    out.seconds -= (out.beats - wrapped) / beatsPerSecond;
    out.beats = wrapped;
  }
  return out;
}
