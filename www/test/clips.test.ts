import type { AudioClip, CompositionSpec } from "antiphon";
import { describe, expect, it } from "vitest";
import { hitAt, ROW, RULER, type View } from "../src/arrange/layout";
import { fadeClip, newComposition, splitClip } from "../src/edit/model";
import { PPQ } from "../src/lib/bars";

/** At 120 bpm: a clip of four beats at beat 2 and a recording of 2 s, four beats, at beat 8. */
function piece(): CompositionSpec {
  const spec = newComposition("Piece");
  const [track] = spec.tracks;
  const note = (start: number, length: number) => ({ pitch: 60, velocity: 100, start: start * PPQ, length: length * PPQ });
  const clip = { id: "notes", start: 2 * PPQ, length: 4 * PPQ, notes: [note(0, 1), note(1, 2), note(3, 1)], controls: [] };
  const recording: AudioClip = {
    id: "wave", sample: "s", start: 8 * PPQ, offset_seconds: 0.25, length_seconds: 2, gain_db: -3,
    fade_in_seconds: 0.5, fade_out_seconds: 0.75,
  };
  return { ...spec, tracks: [{ ...track!, clips: [clip], audio_clips: [recording] }] };
}

describe("a clip that is split", () => {
  it("of notes: the second has those that begin behind the cut", () => {
    const clips = splitClip("notes", 4 * PPQ, "second")(piece())!.tracks[0]!.clips;
    expect(clips.map(({ id, start, length }) => [id, start / PPQ, length / PPQ])).toEqual([["notes", 2, 2], ["second", 4, 2]]);
    expect(clips.map(({ notes }) => notes.map(({ start }) => start / PPQ))).toEqual([[0, 1], [1]]);
  });

  it("of a recording: it sounds on where the first ends, without a fade between them", () => {
    const clips = splitClip("wave", 9 * PPQ, "second")(piece())!.tracks[0]!.audio_clips;
    const [first, second] = clips;
    expect(first).toMatchObject({ id: "wave", start: 8 * PPQ, offset_seconds: 0.25, fade_in_seconds: 0.5, fade_out_seconds: 0 });
    expect(first!.length_seconds).toBeCloseTo(0.5, 9);
    expect(second).toMatchObject({ id: "second", start: 9 * PPQ, gain_db: -3, fade_in_seconds: 0, fade_out_seconds: 0.75 });
    expect([second!.offset_seconds, second!.length_seconds]).toEqual([expect.closeTo(0.75, 9), expect.closeTo(1.5, 9)]);
  });

  it("is not split at its ends or outside", () => {
    for (const beat of [1, 2, 6, 7]) expect(splitClip("notes", beat * PPQ, "second")(piece())).toBeNull();
  });
});

describe("fades", () => {
  const fades = (spec: CompositionSpec | null) => {
    const clip = spec!.tracks[0]!.audio_clips[0]!;
    return [clip.fade_in_seconds, clip.fade_out_seconds];
  };

  it("are as long as they are told to, and together not longer than the recording", () => {
    expect(fades(fadeClip("wave", "in", 0.1)(piece()))).toEqual([0.1, 0.75]);
    expect(fades(fadeClip("wave", "in", 5)(piece()))).toEqual([1.25, 0.75]);
    expect(fades(fadeClip("wave", "out", -1)(piece()))).toEqual([0.5, 0]);
    expect(fadeClip("notes", "in", 1)(piece())).toBeNull();
  });

  it("have handles along the upper edge, where they end", () => {
    const view: View = { scrollLeft: 0, scrollTop: 0, pixelsPerBeat: 40 };
    const part = (x: number, y: number) => {
      const hit = hitAt(x, RULER + y, piece(), view, false);
      return hit.kind === "clip" ? hit.part : hit.kind;
    };
    // The recording lies from 320 to 480; its fade in ends at 360, its fade out begins at 420.
    expect([part(360, 6), part(420, 6)]).toEqual(["fadeIn", "fadeOut"]);
    expect([part(360, ROW / 2), part(390, 6), part(322, ROW / 2)]).toEqual(["body", "body", "start"]);
  });
});
