// What a quantum costs in an AudioWorklet: 32 voices on 16 strips, and the meters of all taps.

import { readFile } from "node:fs/promises";
import { milliseconds } from "./compare.mjs";

const RUNS = 9;
/** Quanta of one run: 2.7 s of sound. */
const N_QUANTA = 1000;

/** `bench/target/quantum.json` is written by the native section of the same name, which runs before. */
export async function run(table) {
  const scenario = JSON.parse(await readFile(new URL("../target/quantum.json", import.meta.url), "utf8"));
  const parts = {};
  for (const part of ["analysis", "worklet"]) {
    const module = await readFile(new URL(`../../wasm-client/pkg/antiphon_${part}.wasm`, import.meta.url));
    parts[part] = (await WebAssembly.instantiate(module, parts)).instance.exports;
  }
  const wasm = { ...parts.analysis, ...parts.worklet };
  if (wasm.init(scenario.sample_rate, 1) !== 0) throw new Error("the worklet refused the sample rate");
  wasm.init_engine();
  for (const call of ["load", "subscribe", "command"]) {
    const bytes = scenario[call];
    new Uint8Array(wasm.memory.buffer, wasm.message(bytes.length), bytes.length).set(bytes);
    if (wasm[call](0) < 0) throw new Error(`the worklet refused: ${call}`);
  }
  let nBytes = 0;
  const render = () => {
    nBytes += wasm.render(0, 0);
  };
  milliseconds(N_QUANTA, render);
  const realTime = (1000 * 128) / scenario.sample_rate;
  const shares = Array.from({ length: RUNS }, () => (100 * milliseconds(N_QUANTA, render)) / realTime);
  const master = new Float32Array(wasm.memory.buffer, wasm.output(), 256);
  if (nBytes === 0 || !master.some((x) => x !== 0)) throw new Error("there was nothing to measure");
  const name = "a quantum of 32 voices, 16 strips and all meters";
  table.value({ name, peer: "real time", atMost: 15 }, "%", shares);
}
