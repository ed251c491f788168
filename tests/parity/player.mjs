// Plays a scenario on the worklet's raw WebAssembly modules. Runs in Node.js and in browsers.

/** The parts of the worklet, those below before those above. */
export const PARTS = ["analysis", "spectrum", "music", "scope", "worklet"];

const QUANTUM = 128;
const N_LANES = 3;
const AUDIO_LEN = 2 * QUANTUM * 4;

/**
 * @param {(BufferSource | WebAssembly.Module)[]} sources the modules of `names`
 * @param {{sample_rate: number, epoch: number, n_quanta: number, input: [number, number],
 *   steps: {quantum: number, call: "load" | "command" | "subscribe", lane: number, bytes: number[]}[]}} scenario
 * @returns {Promise<Uint8Array>} the recording; see tests/src/recording.rs for its layout
 */
export async function play(sources, scenario, names = PARTS) {
  const parts = {};
  for (const [idx, source] of sources.entries()) {
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
    parts[names[idx]] = (await WebAssembly.instantiate(module, parts)).exports;
  }
  const wasm = { ...parts.analysis, ...parts.worklet };
  if (wasm.init(scenario.sample_rate, scenario.epoch) !== 0) throw new Error("init refused");
  wasm.init_engine?.();
  const memoryAtStart = wasm.memory.buffer.byteLength;
  const chunks = [];
  for (let quantum = 0; quantum < scenario.n_quanta; quantum += 1) {
    for (const step of scenario.steps) {
      if (step.quantum === quantum) give(wasm, step);
    }
    const hasInput = quantum >= scenario.input[0] && quantum < scenario.input[1];
    if (hasInput) writeInput(wasm, quantum);
    wasm.render(hasInput ? 1 : 0, (quantum * 128) / 48);
    // Views are made anew: allocation in `give` may have grown the memory.
    chunks.push(new Uint8Array(wasm.memory.buffer, wasm.output(), AUDIO_LEN).slice());
    for (let lane = 0; lane < N_LANES; lane += 1) {
      const length = wasm.frames_len(lane);
      chunks.push(new Uint8Array(new Uint32Array([length]).buffer));
      chunks.push(new Uint8Array(wasm.memory.buffer, wasm.frames(lane), length).slice());
    }
  }
  if (wasm.memory.buffer.byteLength !== memoryAtStart) {
    throw new Error(`memory grew from ${memoryAtStart} to ${wasm.memory.buffer.byteLength} bytes after init`);
  }
  return concatenate(chunks);
}

function give(wasm, { call, lane, bytes }) {
  new Uint8Array(wasm.memory.buffer, wasm.message(bytes.length), bytes.length).set(bytes);
  const result = call === "subscribe" ? wasm.subscribe(lane) : wasm[call]();
  if (result < 0) throw new Error(`${call} was refused: ${result}`);
}

/** A saw and its half, of values that f32 holds exactly. */
function writeInput(wasm, quantum) {
  const input = new Float32Array(wasm.memory.buffer, wasm.input(), 2 * QUANTUM);
  for (let idx = 0; idx < QUANTUM; idx += 1) {
    const sample = ((quantum * QUANTUM + idx) % 96) / 64 - 0.5;
    input[idx] = sample;
    input[QUANTUM + idx] = sample / 2;
  }
}

function concatenate(chunks) {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}
