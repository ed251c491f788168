// The processor of `listen`: carries stretches of sound into the buffer, and 128 samples at a time out of it.
import { messageOf } from "./errors.ts";
import { type FromWorklet, type ListenerOptions, type ListenStats, moduleOf, type ToListener } from "./worklet-messages.ts";

declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

/** The exports of antiphon_listen.wasm; see listen/src/abi.rs. */
interface Buffer {
  memory: WebAssembly.Memory;
  init(rateIn: number, rateOut: number, latencyMs: number): void;
  input(side: number): number;
  output(side: number): number;
  push(end: number, isCut: number, nFrames: number): void;
  render(): void;
  position(): number;
  depth_ms(): number;
  correction_ppm(): number;
  count(which: number): number;
}

const QUANTUM = 128;
const MAX_PUSH = 16_384;
const STATS_SECONDS = 0.25;

export class ListenProcessor extends AudioWorkletProcessor {
  #buffer: Buffer | null = null;
  readonly #latencyMs: number;
  /** Of the source; 0 until its first sound. */
  #rate = 0;
  #output: Float32Array[] = [];
  #quanta = 0;
  #isOpen = true;

  constructor({ processorOptions }: { processorOptions: ListenerOptions }) {
    super();
    this.#latencyMs = processorOptions.latencyMs;
    try {
      this.#buffer = new WebAssembly.Instance(moduleOf(processorOptions), {}).exports as unknown as Buffer;
      this.port.onmessage = ({ data }: MessageEvent<ToListener>) => this.#received(data);
      this.#post({ type: "ready" });
    } catch (error) {
      this.#fail(error);
    }
  }

  process(_: Float32Array[][], outputs: Float32Array[][]): boolean {
    const buffer = this.#buffer;
    if (!buffer || this.#rate === 0) return this.#isOpen;
    try {
      buffer.render();
      outputs[0]?.forEach((channel, side) => channel.set(this.#output[Math.min(side, 1)]!));
      this.#quanta += 1;
      if ((this.#quanta * QUANTUM) / sampleRate >= STATS_SECONDS) this.#report(buffer);
    } catch (error) {
      this.#fail(error);
    }
    return this.#isOpen;
  }

  #received(message: ToListener): void {
    if (message.type === "close") return this.#end();
    try {
      if (this.#buffer) this.#take(this.#buffer, message);
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(buffer: Buffer, message: Exclude<ToListener, { type: "close" }>): void {
    if (message.rate !== this.#rate) this.#begin(buffer, message.rate);
    const n = Math.min(message.left.length, MAX_PUSH);
    [message.left, message.right].forEach((plane, side) => {
      new Float32Array(buffer.memory.buffer, buffer.input(side), n).set(plane.subarray(plane.length - n));
    });
    buffer.push(message.end, message.isCut ? 1 : 0, n);
  }

  /** Another source, or the same at another rate: it begins anew. */
  #begin(buffer: Buffer, rate: number): void {
    buffer.init(rate, sampleRate, this.#latencyMs);
    this.#rate = rate;
    this.#output = [0, 1].map((side) => new Float32Array(buffer.memory.buffer, buffer.output(side), QUANTUM));
  }

  #report(buffer: Buffer): void {
    this.#quanta = 0;
    this.#post({
      type: "stats", position: buffer.position(), depthMs: buffer.depth_ms(), correctionPpm: buffer.correction_ppm(),
      underRuns: buffer.count(0), skips: buffer.count(1), gaps: buffer.count(2),
    });
  }

  /** A trap leaves the buffer in a state of which nothing is known. */
  #fail(error: unknown): void {
    this.#end();
    this.#post({ type: "failed", message: messageOf(error) });
  }

  /** The browser lets go of a processor that plays no more. */
  #end(): void {
    this.#isOpen = false;
    this.#buffer = null;
  }

  #post(message: FromWorklet | ListenStats): void {
    this.port.postMessage(message);
  }
}
