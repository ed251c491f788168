// This browser as a source of measurements alone: a microphone, an element, any node. No engine is loaded for it.
import { AntiphonError } from "./errors.ts";
import type { Source } from "./source.ts";
import { loadWasm, type WasmLocation } from "./wasm.ts";
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
   * (microphones, which would feed back). `null` disconnects. Throws an AntiphonError (`invalid-node`) where the node is of
   * another context; what was there before stays.
   */
  setInput(node: AudioNode | null, opts?: { monitor?: boolean | undefined }): void;
  /** What `setInput` was given. */
  readonly input: AudioNode | null;
  /**
   * Loads what streams of any topic need, which is otherwise loaded with the first of them. Call it where the files may be
   * out of reach later. Rejects with an AntiphonError.
   */
  preload(): Promise<void>;
  /** Starts the context; call it in a click when `status` is `needs-gesture`. */
  resume(): Promise<void>;
}

/**
 * Makes a source that measures what `setInput`, `openMicrophone` and `openCapture` give it, as taps `input` and, while
 * that is monitored, `master`. It plays nothing, and loads a fraction of what {@link createLocalSource} does. All topics;
 * the transport stands still. Rejects with an AntiphonError that says what to do.
 */
export async function createAnalysisSource(ctx: AudioContext, opts: AnalysisSourceOptions = {}): Promise<AnalysisSource> {
  const load = async (location?: WasmLocation) => (await loadWasm(location)).Measuring;
  return new MeasuringSource(ctx, await createHalves(ctx, load, ["analysis"], opts.wasm));
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
}
