import type { FrameOf, Report } from "antiphon";
import { describe, expect, it } from "vitest";
import { toCsv } from "../src/analysis/batchTable";
import { drawLoudness, LoudnessHistory, yFromLufs } from "../src/analysis/loudnessHistory";
import { momentAt } from "../src/analysis/recording";
import { analysis } from "../src/analysis/settings";
import { triggerText, wantedTriggers } from "../src/analysis/triggers";
import type { CanvasTheme } from "../src/canvas/theme";
import { canvasOf } from "./fakeCanvas";

const RATE = 48_000;

function meters(seconds: number, lufs: number, truePeak = -6, loudness_resets = 0): FrameOf<"meters"> {
  return {
    type: "meters", seq: 1, epoch: 1, dropped: 0, sample_position: seconds * RATE, tracks: [], loudness_resets,
    master: {
      lufs_momentary: lufs, lufs_short_term: lufs - 1, lufs_integrated: lufs, lra: 0, correlation: 1, peak_left: -6, peak_right: -6,
      rms_left: -9, rms_right: -9, true_peak_left: truePeak, true_peak_right: -120, clips: 0,
    },
  };
}

describe("loudness history", () => {
  it("keeps two minutes, and the highest of all until the reset", () => {
    const history = new LoudnessHistory();
    history.push(meters(1, -10, 0.5), RATE);
    for (let seconds = 2; seconds <= 200; seconds += 1) history.push(meters(seconds, -20), RATE);
    expect(history.points).toHaveLength(121);
    expect(history.points[0]?.seconds).toBe(80);
    expect(history.max).toEqual({ momentary: -10, shortTerm: -11, truePeak: 0.5 });
    expect(history.seconds).toBe(199);
    history.reset();
    history.push(meters(201, -30), RATE);
    expect(history.max).toEqual({ momentary: -30, shortTerm: -31, truePeak: -6 });
    expect(history.seconds).toBe(0);
  });

  it("starts anew when the server did", () => {
    const history = new LoudnessHistory();
    history.push(meters(100, -10), RATE);
    history.push(meters(1, -20), RATE);
    expect(history.points.map(({ seconds }) => seconds)).toEqual([1]);
    expect(history.max.momentary).toBe(-20);
  });

  it("starts anew when somebody reset the loudness, here or elsewhere", () => {
    const history = new LoudnessHistory();
    history.push(meters(1, -10, -6, 3), RATE);
    history.push(meters(2, -20, -6, 3), RATE);
    expect(history.max.momentary).toBe(-10);
    history.push(meters(3, -30, -6, 4), RATE);
    expect(history.points.map(({ seconds }) => seconds)).toEqual([3]);
    expect(history.max.momentary).toBe(-30);
  });

  it("counts, and draws, only what was watched", () => {
    const history = new LoudnessHistory();
    for (const seconds of [10, 10.5, 11, 40, 40.5]) history.push(meters(seconds, -20), RATE);
    expect(history.seconds).toBe(1.5);
    expect(history.max.momentary).toBe(-20);
    const { ctx, done } = canvasOf(1);
    drawLoudness({ ctx, width: 1200, height: 420 }, history, -23, { font: "", meterHigh: "", grid: "", text: "", spectrumFill: "", left: "" } as CanvasTheme);
    // 120 seconds are 1200 pixels, and the grid begins at 0: area and line begin at 10 s, and again at 40 s.
    expect(done.filter(([name, x]) => name === "moveTo" && x !== 0).map(([, x]) => x)).toEqual([895, 895, 1195, 1195]);
  });

  it("has the target twelve of forty-two units below the top", () => {
    expect(yFromLufs(-23, -23, 420)).toBe(120);
    expect(yFromLufs(-11, -23, 420)).toBe(0);
    expect(yFromLufs(0, -23, 420)).toBe(0);
    expect(yFromLufs(-120, -23, 420)).toBe(420);
  });
});

describe("triggers", () => {
  const { triggers } = analysis.getInitialState();

  it("ask for what is armed, again and again", () => {
    expect(wantedTriggers(triggers)).toEqual([]);
    expect(wantedTriggers({ ...triggers, clip: true, silence: true, loudness: true })).toEqual([
      { kind: "clip", once: false },
      { kind: "silence", once: false, seconds: 5, below_db: -60 },
      { kind: "loudness", once: false, measure: "short_term", above_lufs: -14 },
    ]);
  });

  it("say what happened and when", () => {
    const base = { type: "trigger", seq: 1, epoch: 1, dropped: 0, tap: "master", sample_position: 61.5 * RATE, ended: false } as const;
    expect(triggerText({ ...base, kind: "clip", value: 0.2 }, "Master", RATE)).toBe("Master clips at 1:01.500: +0.2 dBFS");
    expect(triggerText({ ...base, kind: "silence", seconds: 5, below_db: -60, value: -71 }, "Bass", RATE))
      .toBe("Bass is silent since 5 s at 1:01.500: nothing above −60.0 dBFS");
    expect(triggerText({ ...base, kind: "loudness", measure: "momentary", above_lufs: -14, value: -13.2 }, "Master", RATE))
      .toBe("Momentary loudness of Master reached −14.0 LUFS at 1:01.500: −13.2 LUFS");
  });
});

describe("flight recorder", () => {
  it("shows the frame that measured a moment", () => {
    const frames = [1, 2, 3].map((seconds) => meters(seconds, -10 * seconds));
    const at = (seconds: number) => momentAt({ meters: frames, spectra: [] }, seconds * RATE).meters?.master.lufs_momentary ?? null;
    expect([0, 1, 1.01, 3, 3.5].map(at)).toEqual([-10, -10, -20, -30, null]);
  });
});

describe("batch", () => {
  const report: Report = {
    sample_rate: RATE, frames: RATE, duration_seconds: 1, bad_samples: 0, damaged_packets: 0, is_cut_short: false,
    channels: [1, 2].map((clips) => ({ peak: 0, peak_position: 0, true_peak: 0, rms: -3, crest: 3, dc_offset: 0, clips })),
    loudness: { integrated: -23.04321, range: 1.5, max_momentary: -20, max_short_term: -120, true_peak: -1, history: [] },
    stereo: { correlation: 1, balance: 0 },
    spectrum: { fft_size: 2048, frequencies: [], mean: [], max: [] },
    overview: { samples_per_pixel: 1, points: [] },
    music: { bpm: null, key_name: "D minor" } as Report["music"],
  };

  it("is CSV that a spreadsheet reads, and that runs no formula", () => {
    const csv = toCsv([
      { name: 'Say "A", B.wav', progress: 1, report, error: null },
      { name: "=HYPERLINK(1).wav", progress: 1, report: null, error: "not a WAV file" },
    ]);
    expect(csv.split("\r\n")).toEqual([
      "file,duration_seconds,integrated_lufs,range_lu,max_momentary_lufs,max_short_term_lufs,true_peak_dbtp,clips,bpm,key,error",
      '"Say ""A"", B.wav",1,-23.043,1.5,-20,,-1,3,,D minor,',
      "'=HYPERLINK(1).wav,,,,,,,,,,not a WAV file",
      "",
    ]);
  });
});
