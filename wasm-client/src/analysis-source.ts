// This browser as a source of measurements alone: a microphone, an element, any node. No engine is loaded for it.
import { AntiphonError } from "./errors.ts";
import type { Source, TopicName } from "./source.ts";
import type { Hello } from "./types.gen.ts";
import { compileAnalysis, loadWasm, type WasmLocation } from "./wasm.ts";
import { createHalves, WorkletSource } from "./worklet-source.ts";

/** How a source that only measures is made. */
export interface AnalysisSourceOptions {
  wasm?: WasmLocation | undefined;
}

/** A source whose frames are made here. */
export interface AnalysisSource extends Source {
  readonly kind: "local";
  /** Connected to `context.destination`; disconnect it to route the sound elsewhere. */
  readonly node: AudioWorkletNode;
  readonly context: AudioContext;
  /**
   * Routes a node into the `input` tap. `monitor`: heard through the master (files), else only measured
   * (microphones, which would feed back). `null` disconnects.
   */
  setInput(node: AudioNode | null, opts?: { monitor?: boolean }): void;
  /** What `setInput` was given. */
  readonly input: AudioNode | null;
  /** Starts the context; call it in a click when `status` is `needs-gesture`. */
  resume(): Promise<void>;
}

/** Not part of the module, which is little more than a third of the engine's size. */
const NOT_MEASURED: TopicName = "music";

/**
 * Makes a source that measures what `setInput`, `openMicrophone` and `openCapture` give it, as taps `input` and, while
 * that is monitored, `master`. It plays nothing, and loads a fraction of what {@link createLocalSource} does. All topics
 * but `music`, which becomes an `error` with code `not-measured`; the transport stands still. Rejects with an
 * AntiphonError that says what to do.
 */
export async function createAnalysisSource(ctx: AudioContext, opts: AnalysisSourceOptions = {}): Promise<AnalysisSource> {
  const load = async (location?: WasmLocation) => (await loadWasm(location)).Measuring;
  return new MeasuringSource(ctx, await createHalves(ctx, load, compileAnalysis, opts.wasm));
}

class MeasuringSource extends WorkletSource implements AnalysisSource {
  /** Nothing plays. */
  playhead(): null {
    return null;
  }

  note(): never {
    throw new AntiphonError("no-engine", "a source that only measures plays no notes", "make it with createLocalSource");
  }

  protected override monitor(isHeard: boolean): void {
    this.post({ type: "monitor", isHeard });
  }

  protected override check(topic: TopicName): void {
    if (topic !== NOT_MEASURED) return;
    throw new AntiphonError("not-measured", `this source does not measure ${topic}`, "make it with createLocalSource");
  }

  protected override greeting(): Hello {
    const hello = super.greeting();
    return { ...hello, topics: hello.topics.filter(({ name }) => name !== NOT_MEASURED) };
  }
}
