// The script of the AudioWorklet: carries bytes between the message port and the engine, 128 frames at a time.
//
// The engine does not allocate while it plays. The one allocation here is the copy of the frames that are due,
// which leaves with the message that posts it.
import { messageOf } from "./errors.ts";
import { ListenProcessor } from "./listen-processor.ts";
import {
  type FromWorklet, LISTEN_PROCESSOR, moduleOf, PART_PROCESSOR, type PartOptions, PROCESSOR, type SentPart,
  type ToWorklet, type WorkletOptions,
} from "./worklet-messages.ts";

declare const sampleRate: number;
declare const currentFrame: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: unknown): void;

/** The exports of antiphon_analysis.wasm and of antiphon_worklet.wasm; see worklet/src/abi.rs. */
interface Engine {
  memory: WebAssembly.Memory;
  init(sampleRate: number, epoch: number): number;
  message(length: number): number;
  input(): number;
  output(): number;
  monitor(isMonitored: number): void;
  subscribe(lane: number): number;
  unsubscribe(id: number): void;
  reset_loudness(tap: number): void;
  set_load(cpuUsage: number, latencyMs: number): void;
  render(hasInput: number, unixMs: number): number;
  frames(lane: number): number;
  frames_len(lane: number): number;
  // Of the second, which plays; sources that only measure never ask for them.
  init_engine(): void;
  begin_sample(nFrames: number): void;
  sample_plane(side: number): number;
  keep_sample(): number;
  load(): number;
  update(): number;
  command(): number;
}

const QUANTUM = 128;
const N_LANES = 5;
const ANALYTICS_SECONDS = 2;
/** No tap has this number. */
const ALL_TAPS = 0xffff_ffff;

/** Those that play or measure, by id. */
const processors = new Map<number, AntiphonProcessor>();

class AntiphonProcessor extends AudioWorkletProcessor {
  #engine: Engine | null = null;
  #input = new Float32Array(0);
  #output = new Float32Array(0);
  #streams = new Map<string, number>();
  /** Exports of the parts that are here, from which those above import. */
  readonly #parts: Record<string, WebAssembly.Exports> = {};
  #id = 0;
  #latencyMs = 0;
  #busyMs = 0;
  #quanta = 0;
  #hasStarted = false;
  #isOpen = true;

  constructor({ processorOptions }: { processorOptions: WorkletOptions }) {
    super();
    try {
      const { id, parts, epoch } = processorOptions;
      for (const part of parts) this.add(part);
      const { analysis, worklet } = this.#parts;
      const engine = { ...analysis, ...worklet } as unknown as Engine;
      if (engine.init(sampleRate, epoch) !== 0) throw new Error(`the engine does not play at ${sampleRate} Hz`);
      if (worklet) engine.init_engine();
      this.#engine = engine;
      this.#id = id;
      processors.set(id, this);
      this.#view(engine);
      this.port.onmessage = ({ data }: MessageEvent<ToWorklet>) => this.#received(data);
      this.#post({ type: "ready" });
    } catch (error) {
      this.#fail(error);
    }
  }

  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const engine = this.#engine;
    const left = outputs[0]?.[0];
    const right = outputs[0]?.[1];
    if (!engine || !left || !right) return this.#isOpen;
    if (!this.#hasStarted) {
      this.#hasStarted = true;
      this.#post({ type: "started", frame: currentFrame });
    }
    const startMs = Date.now();
    try {
      const inLeft = inputs[0]?.[0];
      const inRight = inputs[0]?.[1];
      if (inLeft && inRight) {
        this.#input.set(inLeft, 0);
        this.#input.set(inRight, QUANTUM);
      }
      const length = engine.render(inLeft && inRight ? 1 : 0, startMs);
      for (let idx = 0; idx < QUANTUM; idx += 1) {
        left[idx] = this.#output[idx]!;
        right[idx] = this.#output[QUANTUM + idx]!;
      }
      if (length > 0) this.#postFrames(engine);
    } catch (error) {
      this.#fail(error);
    }
    this.#measure(engine, Date.now() - startMs);
    return this.#isOpen;
  }

  #postFrames(engine: Engine): void {
    for (let lane = 0; lane < N_LANES; lane += 1) {
      const length = engine.frames_len(lane);
      if (length === 0) continue;
      const start = engine.frames(lane);
      const buffer = engine.memory.buffer.slice(start, start + length);
      this.port.postMessage({ type: "frames", lane, buffer } satisfies FromWorklet, [buffer]);
    }
  }

  /**
   * There is no clock here but Date.now(), in whole milliseconds. A quantum takes less, but how often a millisecond
   * ends inside of one is in proportion to how long it takes, so the sum over many is right.
   */
  #measure(engine: Engine, busyMs: number): void {
    this.#busyMs += busyMs;
    this.#quanta += 1;
    const seconds = (this.#quanta * QUANTUM) / sampleRate;
    if (seconds < ANALYTICS_SECONDS) return;
    engine.set_load(this.#busyMs / 1000 / seconds, this.#latencyMs);
    this.#busyMs = 0;
    this.#quanta = 0;
  }

  #received(message: ToWorklet): void {
    if (message.type === "close") return this.#end();
    if (!this.#engine) return;
    try {
      this.#obey(this.#engine, message);
    } catch (error) {
      this.#fail(error);
    }
  }

  #obey(engine: Engine, message: Exclude<ToWorklet, { type: "close" }>): void {
    switch (message.type) {
      case "load":
        this.#give(engine, message.bytes);
        this.#check("the composition", engine.load());
        break;
      case "update":
        this.#give(engine, message.bytes);
        this.#check("the composition", engine.update());
        break;
      case "sample":
        engine.begin_sample(message.left.length);
        [message.left, message.right].forEach((plane, side) => {
          new Float32Array(engine.memory.buffer, engine.sample_plane(side), plane.length).set(plane);
        });
        this.#give(engine, message.id);
        this.#check("a sample", engine.keep_sample());
        break;
      case "command":
        this.#give(engine, message.bytes);
        this.#check("a command", engine.command());
        break;
      case "monitor":
        engine.monitor(message.isHeard ? 1 : 0);
        break;
      case "subscribe":
        this.#unsubscribe(engine, message.stream);
        this.#give(engine, message.bytes);
        this.#subscribe(message.stream, message.options, engine.subscribe(message.lane));
        if (message.tells) this.#post({ type: "began", stream: message.stream });
        break;
      case "reset-loudness":
        engine.reset_loudness(message.tap ?? ALL_TAPS);
        break;
      case "unsubscribe":
        this.#unsubscribe(engine, message.stream);
        break;
      case "latency":
        this.#latencyMs = message.ms;
        break;
    }
    if (this.#input.length === 0) this.#view(engine);
  }

  /** Starts a part; it throws when that is not of the same build. */
  add(sent: SentPart): void {
    this.#parts[sent.part] = new WebAssembly.Instance(moduleOf(sent), this.#parts).exports;
  }

  #give(engine: Engine, bytes: Uint8Array): void {
    new Uint8Array(engine.memory.buffer, engine.message(bytes.length), bytes.length).set(bytes);
  }

  #check(what: string, code: number): number {
    if (code < 0) this.#post({ type: "refused", what, code });
    return code;
  }

  #subscribe(stream: string, options: string | undefined, id: number): void {
    if (id >= 0) this.#streams.set(stream, id);
    else if (options === undefined) this.#check(`stream ${stream}`, id);
    else this.#post({ type: "refused-stream", stream, options });
  }

  #unsubscribe(engine: Engine, stream: string): void {
    const id = this.#streams.get(stream);
    this.#streams.delete(stream);
    if (id !== undefined) engine.unsubscribe(id);
  }

  /** Memory that grows detaches all views, whose length is then 0. It grows for samples and very large compositions. */
  #view(engine: Engine): void {
    this.#input = new Float32Array(engine.memory.buffer, engine.input(), 2 * QUANTUM);
    this.#output = new Float32Array(engine.memory.buffer, engine.output(), 2 * QUANTUM);
  }

  /** A trap leaves the engine in a state of which nothing is known. */
  #fail(error: unknown): void {
    this.#end();
    this.#post({ type: "failed", message: messageOf(error) });
  }

  /** The browser lets go of a processor that plays no more. */
  #end(): void {
    this.#isOpen = false;
    this.#engine = null;
    processors.delete(this.#id);
  }

  #post(message: FromWorklet): void {
    this.port.postMessage(message);
  }
}

/** Gives another one a part, and says how that went. */
class PartProcessor extends AudioWorkletProcessor {
  constructor({ processorOptions }: { processorOptions: PartOptions }) {
    super();
    const post = (message: FromWorklet) => this.port.postMessage(message);
    try {
      processors.get(processorOptions.id)?.add(processorOptions);
      post({ type: "ready" });
    } catch (error) {
      post({ type: "failed", message: messageOf(error) });
    }
  }

  process(): boolean {
    return false;
  }
}

registerProcessor(PROCESSOR, AntiphonProcessor);
registerProcessor(PART_PROCESSOR, PartProcessor);
registerProcessor(LISTEN_PROCESSOR, ListenProcessor);
