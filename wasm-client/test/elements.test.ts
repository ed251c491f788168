import { afterEach, describe, expect, it } from "vitest";
import { prepareCanvas } from "../src/draw/index.ts";
import { AntiphonElement, AntiphonMeter, AntiphonSpectrogram, AntiphonSpectrum } from "../src/elements/index.ts";

afterEach(() => {
  AntiphonElement.prepare = prepareCanvas;
});

describe("pictures that are drawn elsewhere", () => {
  it("are those of all elements but the spectrogram, whose columns lie on the main thread", () => {
    const elsewhere: typeof prepareCanvas = () => null;
    AntiphonElement.prepare = elsewhere;
    expect([AntiphonMeter.prepare, AntiphonSpectrum.prepare]).toEqual([elsewhere, elsewhere]);
    expect(AntiphonSpectrogram.prepare).toBe(prepareCanvas);
  });
});
