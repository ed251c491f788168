// The wasm modules in Node, from their files: what a server or a worklet would send is made by the engine.
import { readFileSync } from "node:fs";
import type { CompositionSpec } from "../src/types.gen.ts";
import { compilePart, loadLocalWasm, type LocalWasm, PARTS, type WasmLocation } from "../src/wasm.ts";

const pkg = new URL("../pkg/", import.meta.url);

/** The modules' bytes, since Node's fetch reads no files. */
export const wasm: WasmLocation = {
  wasmModule: new Uint8Array(readFileSync(new URL("antiphon_wasm_bg.wasm", pkg))),
  localWasmModule: new Uint8Array(readFileSync(new URL("antiphon_local_bg.wasm", pkg))),
  ...Object.fromEntries(PARTS.map((part) => [`${part}WasmModule`, new Uint8Array(readFileSync(new URL(`antiphon_${part}.wasm`, pkg)))])),
  listenWasmModule: new Uint8Array(readFileSync(new URL("antiphon_listen.wasm", pkg))),
  offlineWasmModule: new Uint8Array(readFileSync(new URL("antiphon_offline.wasm", pkg))),
};

/** 0.4 s at 44.1 kHz: 1 kHz at −6 dBFS on the left, 441 Hz at −12 dBFS on the right; `tone.flac`, `.mp3`, `.ogg`. */
export function toneFile(format: "flac" | "mp3" | "ogg" = "flac"): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../../audio-files/tests/data/tone.${format}`, import.meta.url)));
}

export const TRACK_ID = "11111111-2222-4333-8444-555555555555";

/** Four beats of A4 and A5 on one track. */
export function composition(name = "Four beats"): CompositionSpec {
  const note = (start: number, pitch: number) => ({ pitch, velocity: 110, start, length: 900 });
  const notes = [note(0, 69), note(960, 81), note(1920, 69), note(2880, 81)];
  return {
    id: "99999999-2222-4333-8444-555555555555", name, tempo: [{ tick: 0, bpm: 120 }],
    time_signatures: [{ tick: 0, numerator: 4, denominator: 4 }], length: 3840,
    tracks: [{
      id: TRACK_ID, name: "Lead", color: "#7c9cff", instrument: { program: 80, drums: false, zones: [] }, gain_db: 0, pan: 0,
      mute: false, solo: false, clips: [{ id: "77777777-2222-4333-8444-555555555555", start: 0, length: 3840, notes, controls: [] }], solo_safe: false, effects: [], sends: [], audio_clips: [],
    }],
    buses: [], master: { gain_db: 0, effects: [] },
  };
}

interface Raw {
  memory: WebAssembly.Memory;
  init(rate: number, epoch: number): number;
  init_engine(): void;
  message(length: number): number;
  load(): number;
  command(): number;
  subscribe(lane: number): number;
  render(hasInput: number, unixMs: number): number;
  frames(lane: number): number;
  frames_len(lane: number): number;
}

/** An engine that plays; `render` gives the binary frames of so many quanta. */
export class TestEngine {
  readonly #raw: Raw;
  readonly local: InstanceType<LocalWasm["Local"]>;
  #quanta = 0;

  private constructor(raw: Raw, local: InstanceType<LocalWasm["Local"]>) {
    this.#raw = raw;
    this.local = local;
  }

  static async make(epoch = 7): Promise<TestEngine> {
    const { Local } = await loadLocalWasm(wasm);
    const parts: Record<string, WebAssembly.Exports> = {};
    for (const part of PARTS) {
      parts[part] = new WebAssembly.Instance((await compilePart(part, wasm)).module, parts).exports;
    }
    const raw = { ...parts.analysis, ...parts.worklet } as unknown as Raw;
    raw.init(48_000, epoch);
    raw.init_engine();
    const engine = new TestEngine(raw, new Local(48_000, epoch));
    const [program, commands] = engine.local.load(composition()) as [Uint8Array, Uint8Array];
    engine.#give(program);
    raw.load();
    engine.command(commands);
    engine.command(engine.local.request("play", undefined));
    return engine;
  }

  command(bytes: Uint8Array): void {
    this.#give(bytes);
    if (this.#raw.command() !== 0) throw new Error("refused");
  }

  subscribe(topic: string, fps = 30, options: object = {}, tap = "master"): void {
    this.#give(this.local.subscription(topic, tap, fps, options));
    if (this.#raw.subscribe(0) < 0) throw new Error("refused");
  }

  /** Messages with the frames of `n` quanta. */
  render(n: number): Uint8Array<ArrayBuffer>[] {
    const messages = [];
    for (let idx = 0; idx < n; idx += 1) {
      this.#quanta += 1;
      if (this.#raw.render(0, 1_700_000_000_000 + this.#quanta) === 0) continue;
      const [start, length] = [this.#raw.frames(0), this.#raw.frames_len(0)];
      messages.push(new Uint8Array(this.#raw.memory.buffer.slice(start, start + length)));
    }
    return messages;
  }

  get memoryBytes(): number {
    return this.#raw.memory.buffer.byteLength;
  }

  #give(bytes: Uint8Array): void {
    const at = this.#raw.message(bytes.length);
    new Uint8Array(this.#raw.memory.buffer, at, bytes.length).set(bytes);
  }
}
