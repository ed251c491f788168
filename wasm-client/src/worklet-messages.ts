// What crosses between the main thread and the worklet.
import type { Part } from "./wasm.ts";

/** A module, or its bytes where a compiled module cannot be cloned. */
export interface SentModule {
  module: WebAssembly.Module | null;
  bytes: ArrayBuffer | null;
}

/** What a processor says that got neither: some browsers leave out what they do not clone. */
export const NO_MODULE = "its module did not arrive";

/** The module that was sent. */
export function moduleOf({ module, bytes }: SentModule): WebAssembly.Module {
  if (module instanceof WebAssembly.Module) return module;
  if (bytes) return new WebAssembly.Module(bytes);
  throw new TypeError(NO_MODULE);
}

/** A module of those that measure and play. */
export interface SentPart extends SentModule {
  part: Part;
}

/** To the worklet. Bytes are postcard, made and read by Rust. */
export type ToWorklet =
  | { type: "load"; bytes: Uint8Array }
  /** In place of what plays, which goes on. */
  | { type: "update"; bytes: Uint8Array }
  | { type: "command"; bytes: Uint8Array }
  /** The same for a source that only measures, which takes no commands: its input is heard, or only measured. */
  | { type: "monitor"; isHeard: boolean }
  /** For the programs after it. The id is the 16 bytes of a UUID; the channels are of equal length, at the engine's rate. */
  | { type: "sample"; id: Uint8Array; left: Float32Array; right: Float32Array }
  /**
   * Starts the stream of that name, or starts it anew; `tells`: `began` is the answer. Somebody's own have options, as JSON
   * says them.
   */
  | { type: "subscribe"; stream: string; options?: string; lane: number; bytes: Uint8Array; tells: boolean }
  | { type: "unsubscribe"; stream: string }
  /** Starts the loudness of the tap of that number anew; `null`: of all. */
  | { type: "reset-loudness"; tap: number | null }
  /** From the engine to the loudspeaker, for analytics. */
  | { type: "latency"; ms: number }
  | { type: "close" };

/** From the worklet. */
export type FromWorklet =
  | { type: "ready" }
  /** The engine's first quantum begins at this frame of the context; both count on together. */
  | { type: "started"; frame: number }
  /** Frames of that stream are of its new options from here on. */
  | { type: "began"; stream: string }
  /** Encoded frames: headers and payloads, one after the other. */
  | { type: "frames"; lane: number; buffer: ArrayBuffer }
  | { type: "refused"; what: string; code: number }
  /** The engine refused a stream of these options. */
  | { type: "refused-stream"; stream: string; options: string }
  | { type: "failed"; message: string };

/** To the processor of `listen`. */
export type ToListener =
  | { type: "sound"; end: number; isCut: boolean; rate: number; left: Float32Array; right: Float32Array }
  | { type: "close" };

/** How listening goes: what its processor says, four times a second. */
export interface ListenStats {
  /** What the message is. */
  type: "stats";
  /** Engine frame of the source that is heard next; negative before anything came. */
  position: number;
  /** What waits. */
  depthMs: number;
  /** By how much faster it is read than it should be by this computer's clock. */
  correctionPpm: number;
  /** Times that nothing was left to play. */
  underRuns: number;
  /** Times that sound was left out, since too much waited. */
  skips: number;
  /** Times that sound was missing, or jumped, when it arrived. */
  gaps: number;
}

/** The processor's options. */
export interface WorkletOptions {
  /** By which the processor is found when it gets a further part. */
  id: number;
  /** Those below before those above. */
  parts: SentPart[];
  epoch: number;
}

/** The same of the processor of `listen`. */
export interface ListenerOptions extends SentModule {
  latencyMs: number;
}

/**
 * The options of a processor that gives another one a further part, and does nothing else. Chromium takes compiled modules
 * in options, but not in messages to worklets.
 */
export interface PartOptions extends SentPart {
  /** Of that other one. */
  id: number;
}

/** Its registered name. */
export const PART_PROCESSOR = "antiphon-part";

/** The registered name of the processor of `listen`. */
export const LISTEN_PROCESSOR = "antiphon-listen";

/** The processor's registered name. */
export const PROCESSOR = "antiphon";
