// What all meters of one stereo tap cost in the worklet, as a share of the time that a quantum lasts.

import { readFileSync } from "node:fs";
import { milliseconds } from "./compare.mjs";

const MODULE = new URL(
  "../target/wasm32-unknown-unknown/wasm/antiphon_bench_wasm.wasm", import.meta.url,
);
const QUANTUM_MS = 128 / 48;
/** Quanta of one run: 40 s of sound. */
const N = 15_000;

export async function run(table) {
  const { instance } = await WebAssembly.instantiate(readFileSync(MODULE));
  const { meters_new, meters_run } = instance.exports;
  for (const [name, kind] of [["meters of a stereo tap", 0], ["the same and a programme meter's needles", 3]]) {
    if (meters_new(kind) !== 0) throw new Error("the module refused the subscription");
    const work = () => {
      if (meters_run(N) === 0) throw new Error("no frame was made");
    };
    work();
    const values = Array.from({ length: 9 }, () => (100 * milliseconds(1, work)) / N / QUANTUM_MS);
    table.value({
      name, peer: "a quantum of 2.67 ms", atMost: 1,
      note: "In WebAssembly: peaks, true peaks, RMS, clips, loudness, LRA, correlation, 30 encoded frames a second.",
    }, "%", values);
  }
}
