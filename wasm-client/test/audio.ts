// An AudioContext without a sound card: the real worklet script runs, a quantum whenever a test says so.
import type { AnalysisSource } from "../src/analysis-source.ts";

interface Processor {
  port: MessagePort;
  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}
type ProcessorClass = new (options: { processorOptions: unknown }) => Processor;

const globals = globalThis as unknown as Record<string, unknown>;
const registered = new Map<string, ProcessorClass>();
let nextPort: MessagePort | null = null;

globals["sampleRate"] = 48_000;
globals["currentFrame"] = 0;
globals["AudioWorkletProcessor"] = class {
  readonly port = nextPort;
};
globals["registerProcessor"] = (name: string, processor: ProcessorClass) => {
  registered.set(name, processor);
};
globals["AudioWorkletNode"] = class extends EventTarget {
  readonly port: MessagePort;
  readonly processor: Processor;
  onprocessorerror: (() => void) | null = null;
  isConnected = false;

  constructor(context: FakeContext, name: string, options: { processorOptions: unknown }) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    nextPort = port2;
    const processor = registered.get(name);
    if (!processor) throw new Error(`node name '${name}' is not defined`);
    this.processor = new processor({ processorOptions: options.processorOptions });
    context.processors.push(this.processor);
  }

  connect(): void {
    this.isConnected = true;
  }

  disconnect(): void {
    this.isConnected = false;
  }
};

export class FakeContext extends EventTarget {
  state = "suspended";
  /** Stays suspended until a click, as browsers want it. */
  needsGesture = false;
  /** There is no loudspeaker. */
  isMute = false;
  /** What came out on the left, for those who set it. */
  heard: number[] | null = null;
  readonly sampleRate = 48_000;
  readonly baseLatency = 0.01;
  readonly outputLatency = 0;
  readonly destination = {};
  readonly processors: Processor[] = [];
  readonly audioWorklet = {
    addModule: async () => {
      await import("../src/worklet.ts");
    },
  };

  async resume(): Promise<void> {
    if (this.state === "closed") throw new DOMException("cannot resume a closed AudioContext", "InvalidStateError");
    if (this.isMute) throw new DOMException("Failed to start the audio device", "InvalidStateError");
    // A browser's promise stays open until the click.
    if (this.needsGesture) return new Promise(() => undefined);
    this.#become("running");
  }

  async suspend(): Promise<void> {
    this.#become("suspended");
  }

  async close(): Promise<void> {
    this.#become("closed");
  }

  /** Renders quanta and returns the greatest sample that came out. */
  render(n: number, input: Float32Array[] = []): number {
    let peak = 0;
    for (let idx = 0; idx < n; idx += 1) {
      const output = [new Float32Array(128), new Float32Array(128)];
      for (const processor of this.processors) processor.process([input], [output]);
      if (this.heard) this.heard.push(...output[0]!);
      for (const sample of [...output[0]!, ...output[1]!]) peak = Math.max(peak, Math.abs(sample));
    }
    return peak;
  }

  #become(state: string): void {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

/** For `createLocalSource`. */
export function asContext(context: FakeContext): AudioContext {
  return context as unknown as AudioContext;
}

/** Lets messages cross between the threads, and frames be drawn. */
export async function settle(source: AnalysisSource, n_turns = 6): Promise<void> {
  void source;
  for (let turn = 0; turn < n_turns; turn += 1) await new Promise((resolve) => setTimeout(resolve, 12));
}
