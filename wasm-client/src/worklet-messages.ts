// What crosses between the main thread and the worklet.

/** To the worklet. Bytes are postcard, made and read by Rust. */
export type ToWorklet =
  | { type: "load"; bytes: Uint8Array }
  | { type: "command"; bytes: Uint8Array }
  /** For the programs after it. The id is the 16 bytes of a UUID; the channels are of equal length, at the engine's rate. */
  | { type: "sample"; id: Uint8Array; left: Float32Array; right: Float32Array }
  /** Starts the stream of that name, or starts it anew. */
  | { type: "subscribe"; stream: string; lane: number; bytes: Uint8Array }
  | { type: "unsubscribe"; stream: string }
  /** From the engine to the loudspeaker, for analytics. */
  | { type: "latency"; ms: number }
  | { type: "close" };

/** From the worklet. */
export type FromWorklet =
  | { type: "ready" }
  /** The engine's first quantum begins at this frame of the context; both count on together. */
  | { type: "started"; frame: number }
  /** Encoded frames: headers and payloads, one after the other. */
  | { type: "frames"; lane: number; buffer: ArrayBuffer }
  | { type: "refused"; what: string; code: number }
  | { type: "failed"; message: string };

/** The processor's options. Where a compiled module cannot be cloned, its bytes are sent. */
export interface WorkletOptions {
  module: WebAssembly.Module | null;
  bytes: ArrayBuffer | null;
  epoch: number;
}

/** The processor's registered name. */
export const PROCESSOR = "antiphon";
