// FFTs and whole spectrum frames of engine-core in WebAssembly, without JavaScript in between, as a worklet has it.

import { readFileSync } from "node:fs";
import PFFFT from "@echogarden/pffft-wasm/simd";
import FFT from "fft.js";
import Meyda from "meyda";

const N = 2048;
const N_BANDS = 256;
const N_BINS = N / 2 + 1;

/** Uniform in −1..1, from a fixed seed. */
function noise(n) {
  let seed = 1;
  return Float32Array.from({ length: n }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed / 2 ** 32) * 2 - 1;
  });
}

export async function run(table) {
  const input = noise(N);
  const url = new URL("../target/wasm32-unknown-unknown/wasm/antiphon_bench_wasm.wasm", import.meta.url);
  const ours = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(url))).exports;
  const fft = ours.fft_new(N);
  const frame = ours.frame_new(N, N_BANDS);
  // Views after the last allocation: growing memory detaches them.
  const at = (pointer, n) => new Float32Array(ours.memory.buffer, pointer, n);
  at(ours.fft_input(fft), N).set(input);
  at(ours.frame_input(frame), N).set(input);
  const ourFft = () => ours.fft_run(fft);
  const ourFrames = () => ours.frame_run(frame);

  const pffft = await peerPffft(input);
  const js = new FFT(N);
  const jsOutput = js.createComplexArray();
  const jsFft = () => js.realTransform(jsOutput, input);

  // All three say the same before their speeds are compared.
  ourFft();
  pffft.transform();
  jsFft();
  const re = at(ours.fft_re(fft), N_BINS);
  for (let k = 1; k < N / 2; k++) {
    if (Math.abs(re[k] - pffft.output[2 * k]) > 1e-3 || Math.abs(re[k] - jsOutput[2 * k]) > 1e-3) {
      throw new Error(`the transforms differ in bin ${k}: ${re[k]}, ${pffft.output[2 * k]}, ${jsOutput[2 * k]}`);
    }
  }

  const name = `real FFT, N = ${N}`;
  const pffftName = "@echogarden/pffft-wasm";
  const simd = "the peer's simd128 build, ordered output, its input already in its memory";
  table.compare({ name, peer: pffftName, atLeast: 1, note: simd }, ourFft, pffft.transform);
  table.compare({ name, peer: "fft.js", atLeast: 7, note: "realTransform, half of the bins" }, ourFft, jsFft);

  const two = "two frames each; ours transforms in f64";
  table.compare(
    { name: `whole frame, N = ${N}: window, FFT, dB, ${N_BANDS} bands`, peer: pffftName, atLeast: 2,
      note: `${two}, the peer in f32 with Math.log10 for each bin` },
    ourFrames, twice(framePffft(pffft, input)),
  );
  Meyda.bufferSize = N;
  Meyda.sampleRate = 48_000;
  Meyda.windowingFunction = "hanning";
  table.compare(
    { name: `whole frame against a power spectrum, N = ${N}`, peer: "meyda", atLeast: 5,
      note: `${two}; the peer stops at powers, without dB and bands` },
    ourFrames, twice(() => Meyda.extract("powerSpectrum", input)),
  );
}

const twice = (work) => () => {
  work();
  work();
};

async function peerPffft(samples) {
  const module = await PFFFT();
  const setup = module._pffft_new_setup(N, 0);
  const [from, to, work] = [0, 1, 2].map(() => module._pffft_aligned_malloc(4 * N));
  const view = (pointer) => new Float32Array(module.HEAPF32.buffer, pointer, N);
  const [input, output] = [view(from), view(to)];
  input.set(samples);
  return { input, output, transform: () => module._pffft_transform_ordered(setup, from, to, work, 0) };
}

/** What a page writes around an FFT. */
function framePffft(pffft, samples) {
  const window = Float32Array.from({ length: N }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / N));
  const edges = Array.from({ length: N_BANDS + 1 }, (_, i) =>
    Math.floor(((20 * 1000 ** (i / N_BANDS)) / 48_000) * N));
  const gain = 16 / (N * N);
  const db = new Float32Array(N_BINS);
  const bands = new Float32Array(N_BANDS);
  const { input, output, transform } = pffft;
  return () => {
    for (let i = 0; i < N; i++) input[i] = samples[i] * window[i];
    transform();
    for (let k = 1; k < N / 2; k++) {
      const power = gain * (output[2 * k] ** 2 + output[2 * k + 1] ** 2);
      db[k] = 10 * Math.log10(Math.max(power, 1e-12));
    }
    // Both are real, and packed into the first pair.
    db[0] = 10 * Math.log10(Math.max((gain / 4) * output[0] ** 2, 1e-12));
    db[N / 2] = 10 * Math.log10(Math.max((gain / 4) * output[1] ** 2, 1e-12));
    for (let i = 0; i < N_BANDS; i++) {
      let level = -120;
      for (let k = edges[i]; k < Math.max(edges[i + 1], edges[i] + 1); k++) level = Math.max(level, db[k]);
      bands[i] = level;
    }
    return bands;
  };
}
