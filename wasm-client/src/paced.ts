// What one listener gets of a stream that others want faster: frames that are due, by the engine's own time.
import type { FrameOf, TopicName } from "./source.ts";
import type { MasterMeters, TrackMeters } from "./types.gen.ts";

/** What a stream runs at for who does not say. */
export const DEFAULT_FPS = 30;

/** Whether a listener may miss frames: not events, sound, or what the transport did. */
const isPaced = (topic: TopicName) => topic !== "transport" && topic !== "trigger" && topic !== "audio";

/** Chooses the frames of one listener. */
export class Pace {
  readonly fps: number;
  /** Sample positions: of the frame before, and where the next one is due. */
  #last = -Infinity;
  #due = -Infinity;
  /** Meters that were left out, since their peaks and clips may not be; and of how many frames they are. */
  #left: FrameOf<"meters"> | null = null;
  #nLeft = 0;

  constructor(fps: number = DEFAULT_FPS) {
    this.fps = fps;
  }

  /** What the listener gets of a frame of a stream at `streamFps`; `null`: it waits for a later one. */
  take(frame: FrameOf<TopicName>, streamFps: number, sampleRate: number): FrameOf<TopicName> | null {
    if (!isPaced(frame.type)) return frame;
    const at = frame.sample_position;
    // The engine began anew.
    if (at < this.#last) this.#due = -Infinity;
    this.#last = at;
    // Whichever frame is nearest: by half a period of the stream it may be early.
    if (this.fps < streamFps && at + sampleRate / streamFps / 2 < this.#due) {
      if (frame.type === "meters") this.#left = this.#left ? this.#whole(frame) : structuredClone(frame);
      this.#nLeft += 1;
      return null;
    }
    const period = sampleRate / this.fps;
    // From where it was due, which keeps the rate; after a gap, from here.
    this.#due = (at - this.#due > period ? at : this.#due) + period;
    const whole = frame.type === "meters" ? this.#whole(frame) : frame;
    this.#left = null;
    this.#nLeft = 0;
    return whole;
  }

  /** With what was left out, as the server merges for slow clients: greatest peaks, mean power, all clips. */
  #whole(frame: FrameOf<"meters">): FrameOf<"meters"> {
    const left = this.#left;
    if (!left) return frame;
    const tracks = frame.tracks.map((track, idx) => {
      const isIt = (older: TrackMeters | undefined) => older?.track_id === track.track_id;
      // Where it was, but for tracks that came or went.
      return merged(isIt(left.tracks[idx]) ? left.tracks[idx] : left.tracks.find(isIt), this.#nLeft, track);
    });
    return { ...frame, tracks, master: merged(left.master, this.#nLeft, frame.master) };
  }
}

/** Levels of `nOlder` frames and of the next one. */
function merged<L extends TrackMeters | MasterMeters>(older: L | undefined, nOlder: number, newer: L): L {
  if (!older) return { ...newer };
  const both = { ...newer, clips: older.clips + newer.clips };
  for (const side of ["left", "right"] as const) {
    for (const name of [`peak_${side}`, `true_peak_${side}`, `needle_${side}`, `hold_${side}`] as const) {
      const [a, b] = [older[name], newer[name]];
      if (a !== undefined && b !== undefined) both[name] = Math.max(a, b);
    }
    const rms = `rms_${side}` as const;
    both[rms] = 10 * Math.log10((nOlder * 10 ** (older[rms] / 10) + 10 ** (newer[rms] / 10)) / (nOlder + 1));
  }
  return both;
}
