// Where the package's WebAssembly and its worklet script are.

/** A compiled module, its bytes, or the response that brings them. */
export type WasmSource = WebAssembly.Module | BufferSource | Response | Promise<Response>;

/**
 * Needed only where a bundler does not follow `new URL("x.wasm", import.meta.url)` (esbuild, rollup), or where
 * the files are served from elsewhere. What is absent is found next to this package's own files.
 */
export interface WasmLocation {
  /** Of `antiphon_wasm_bg.wasm`: connection and decoder. */
  wasmUrl?: string | URL | undefined;
  /** Instead of `wasmUrl`. */
  wasmModule?: WasmSource | undefined;
  /** Of `worklet.js`. */
  workletUrl?: string | URL | undefined;
  /** Of `antiphon_worklet.wasm`: the engine. */
  workletWasmUrl?: string | URL | undefined;
  /** Instead of `workletWasmUrl`. */
  workletWasmModule?: WasmSource | undefined;
}
