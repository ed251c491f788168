import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ANSWER_MS, lastAsked, SETTLING_MS } from "../src/lib/asked";
import { noteOfMidi, pitchOfKey } from "../src/lib/keys";
import { barLines, barPosition, formatBars } from "../src/lib/bars";
import { dbFromTravel, FADER_MARKS, stepDb, travelFromDb } from "../src/lib/fader";
import { formatBytes, formatCount, formatDb, formatHz, formatPan, formatTime } from "../src/lib/format";
import { formatNote, nearestNote } from "../src/lib/notes";
import { scrollToShow } from "../src/lib/scroll";
import { beatsFromX, loopRegion, SHORTEST_LOOP, shareFromBeats, snapBeats } from "../src/lib/timeline";

const fourFour = [{ tick: 0, numerator: 4, denominator: 4 }];

describe("what was asked for", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const pending = () => {
    let answer: () => void = () => undefined;
    const send = vi.fn(() => new Promise<void>((done) => (answer = done)));
    return { send, answer: () => answer() };
  };

  it("counts until it is answered and a little longer, and not when it is refused", async () => {
    const asked = lastAsked<number>();
    expect(asked.now()).toBeNull();
    const { send, answer } = pending();
    void asked.ask(1, send);
    await vi.advanceTimersByTimeAsync(ANSWER_MS - 1);
    expect(asked.now()).toBe(1);
    answer();
    await vi.advanceTimersByTimeAsync(SETTLING_MS - 1);
    expect(asked.now()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked.now()).toBeNull();
    await expect(asked.ask(2, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(asked.now()).toBeNull();
  });

  it("is sent one after the other, without those that others came after", async () => {
    const asked = lastAsked<number>();
    const [first, second, third] = [pending(), pending(), pending()];
    const all = [first, second, third].map(({ send }, idx) => asked.ask(idx, send));
    await vi.advanceTimersByTimeAsync(100);
    expect(first.send).toHaveBeenCalled();
    expect(third.send).not.toHaveBeenCalled();
    first.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(second.send).not.toHaveBeenCalled();
    expect(third.send).toHaveBeenCalledOnce();
    expect(asked.now()).toBe(2);
    third.answer();
    await Promise.all(all);
  });

  it("is neither shown nor waited for for ever when no answer comes", async () => {
    const asked = lastAsked<number>();
    void asked.ask(1, () => new Promise(() => undefined));
    await vi.advanceTimersByTimeAsync(ANSWER_MS);
    expect(asked.now()).toBeNull();
    const { send } = pending();
    void asked.ask(2, send);
    expect(send).toHaveBeenCalledOnce();
  });
});

describe("bars", () => {
  it("counts bars and beats from one", () => {
    expect(formatBars(0, fourFour)).toBe("001:1.00");
    expect(formatBars(3.5, fourFour)).toBe("001:4.50");
    expect(formatBars(4, fourFour)).toBe("002:1.00");
    expect(formatBars(-1, [])).toBe("001:1.00");
  });

  it("uses the unit of the signature", () => {
    const sixEight = [{ tick: 0, numerator: 6, denominator: 8 }];
    expect(barPosition(1, sixEight)).toEqual({ bar: 1, beat: 3, hundredths: 0 });
    expect(barPosition(3, sixEight)).toEqual({ bar: 2, beat: 1, hundredths: 0 });
  });

  it("follows a change of signature, also inside a bar", () => {
    const change = [...fourFour, { tick: 8 * 960, numerator: 3, denominator: 4 }];
    expect(formatBars(8, change)).toBe("003:1.00");
    expect(formatBars(11, change)).toBe("004:1.00");
    const cut = [...fourFour, { tick: 6 * 960, numerator: 3, denominator: 4 }];
    expect(formatBars(6, cut)).toBe("003:1.00");
  });

  it("does not fall before a bar line through rounding", () => {
    let beats = 0;
    for (let i = 0; i < 40; i++) beats += 0.1;
    expect(formatBars(beats, fourFour)).toBe("002:1.00");
  });

  it("thins bar lines by powers of two", () => {
    expect(barLines(16, fourFour, 8)).toEqual([0, 4, 8, 12]);
    expect(barLines(32, fourFour, 4)).toEqual([0, 8, 16, 24]);
  });
});

describe("fader", () => {
  it("has silence at the bottom, +12 at the top and 0 dB below three quarters or so", () => {
    expect(dbFromTravel(0)).toBe(-120);
    expect(dbFromTravel(1)).toBe(12);
    expect(travelFromDb(0)).toBeCloseTo(0.78, 9);
  });

  it("comes back to the same gain, and rises", () => {
    for (let db = -60; db <= 12; db += 0.5) expect(dbFromTravel(travelFromDb(db))).toBeCloseTo(db, 6);
    for (let t = 0.01; t <= 1; t += 0.01) expect(dbFromTravel(t)).toBeGreaterThan(dbFromTravel(t - 0.01));
  });

  it("clamps what is out of range", () => {
    expect(travelFromDb(40)).toBe(1);
    expect(travelFromDb(-400)).toBe(0);
    expect(dbFromTravel(7)).toBe(12);
  });

  it("never gives minus zero, which would read as −0.0", () => {
    expect(Object.is(dbFromTravel(travelFromDb(-0.01)), -0)).toBe(false);
  });

  it("steps by keys, with silence under −60 dB", () => {
    expect(stepDb(0, -0.5)).toBe(-0.5);
    expect(stepDb(-60, -0.5)).toBe(-120);
    expect(stepDb(-120, 0.5)).toBe(-60);
    expect(stepDb(11.8, 3)).toBe(12);
  });

  it("marks lie inside the travel, top to bottom", () => {
    const travels = FADER_MARKS.map(travelFromDb);
    expect(travels).toEqual([...travels].sort((a, b) => b - a));
  });
});

describe("format", () => {
  it("writes decibels", () => {
    expect(formatDb(-12.34)).toBe("−12.3");
    expect(formatDb(-0.04)).toBe("0.0");
    expect(formatDb(1.44, 1, true)).toBe("+1.4");
    expect(formatDb(-120)).toBe("−∞");
    expect(formatDb(Number.NaN)).toBe("−∞");
  });

  it("writes times without rounding up to a second that is not over", () => {
    expect(formatTime(62.3456)).toBe("1:02.345");
    expect(formatTime(59.9999)).toBe("0:59.999");
    expect(formatTime(3602.5)).toBe("1:00:02.500");
    expect(formatTime(-1)).toBe("0:00.000");
  });

  it("writes frequencies, sizes, counts and pans", () => {
    expect([formatHz(31.25), formatHz(440), formatHz(1250), formatHz(16000)]).toEqual([
      "31.3 Hz",
      "440 Hz",
      "1.25 kHz",
      "16.0 kHz",
    ]);
    expect([formatBytes(512), formatBytes(40_000_000)]).toEqual(["512 B", "38.1 MB"]);
    expect(formatCount(1234567)).toBe("1\u2009234\u2009567");
    expect([formatPan(0), formatPan(-0.3), formatPan(1)]).toEqual(["C", "L 30", "R 100"]);
  });
});

describe("notes", () => {
  it("names pitches and cents", () => {
    expect(nearestNote(440)).toEqual({ name: "A4", pitch: 69, cents: 0 });
    expect(formatNote(261.6256)).toBe("C4");
    expect(formatNote(445)).toBe("A4 +20");
    expect(formatNote(20)).toBe("D♯0 +49");
    expect(nearestNote(0)).toBeNull();
  });
});

describe("timeline", () => {
  it("maps pixels to beats and back", () => {
    expect(beatsFromX(50, 200, 96)).toBe(24);
    expect(beatsFromX(-5, 200, 96)).toBe(0);
    expect(beatsFromX(500, 200, 96)).toBe(96);
    expect(shareFromBeats(24, 96)).toBe(0.25);
    expect(shareFromBeats(24, 0)).toBe(0);
    expect(beatsFromX(5, 0, 96)).toBe(0);
  });

  it("snaps to a grid inside the composition", () => {
    expect(snapBeats(6.4, 1, 96)).toBe(6);
    expect(snapBeats(95.8, 4, 95)).toBe(95);
  });

  it("orders and limits loop regions", () => {
    expect(loopRegion(8, 4, 96)).toEqual({ start: 4, end: 8 });
    expect(loopRegion(-2, 500, 96)).toEqual({ start: 0, end: 96 });
    expect(loopRegion(96, 96, 96)).toEqual({ start: 95.75, end: 96 });
    // What the fields take as their ends is what becomes of it.
    expect(loopRegion(96 - SHORTEST_LOOP, 96, 96)).toEqual({ start: 95.75, end: 96 });
    expect(loopRegion(0, SHORTEST_LOOP, 96)).toEqual({ start: 0, end: 0.25 });
  });
});

describe("scrolling", () => {
  it("goes nowhere when enough is seen, and else no further than it takes", () => {
    expect(scrollToShow(100, 150, 170, 200, 10)).toBe(100);
    // What is too long to be seen whole is seen as long as some of it is.
    expect(scrollToShow(100, 0, 1000, 200, 10)).toBe(100);
    expect(scrollToShow(100, 60, 80, 200, 10)).toBe(50);
    expect(scrollToShow(100, 0, 80, 200, 10)).toBe(0);
    expect(scrollToShow(100, 400, 420, 200, 10)).toBe(230);
    expect(scrollToShow(100, 400, 1000, 200, 10)).toBe(390);
    expect(scrollToShow(100, 289, 309, 200, 10)).toBe(100);
    expect(scrollToShow(100, 290, 310, 200, 10)).toBe(120);
  });
});

describe("keys that play", () => {
  it("lays a piano over the letters, octave by octave, and knows where MIDI ends", () => {
    expect(["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyK"].map((code) => pitchOfKey(code, 4))).toEqual([60, 61, 62, 63, 64, 72]);
    expect(pitchOfKey("KeyA", 3)).toBe(48);
    expect(pitchOfKey("KeyQ", 4)).toBeNull();
    expect(pitchOfKey("KeyG", 9)).toBe(127);
    expect(pitchOfKey("KeyY", 9)).toBeNull();
  });

  it("reads notes of any MIDI channel, and a velocity of 0 as a release", () => {
    expect(noteOfMidi(new Uint8Array([0x95, 60, 100]))).toEqual({ pitch: 60, velocity: 100, on: true });
    expect(noteOfMidi(new Uint8Array([0x90, 60, 0]))).toEqual({ pitch: 60, velocity: 0, on: false });
    expect(noteOfMidi(new Uint8Array([0x83, 60, 64]))).toEqual({ pitch: 60, velocity: 64, on: false });
    expect(noteOfMidi(new Uint8Array([0xb0, 7, 100]))).toBeNull();
    expect(noteOfMidi(new Uint8Array([]))).toBeNull();
  });
});
