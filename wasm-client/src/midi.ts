// MIDI files as compositions, read by the engine's own importer.
import { errorFromWasm } from "./errors.ts";
import type { CompositionSpec } from "./types.gen.ts";
import { loadLocalWasm, type WasmLocation } from "./wasm.ts";

/** The composition that a Standard MIDI File (type 0 or 1) holds. */
export async function parseMidi(
  bytes: ArrayBuffer | Uint8Array, name = "Untitled", opts: { wasm?: WasmLocation | undefined } = {},
): Promise<CompositionSpec> {
  const wasm = await loadLocalWasm(opts.wasm);
  try {
    return wasm.parse_midi(new Uint8Array(bytes), name) as CompositionSpec;
  } catch (error) {
    throw errorFromWasm(error);
  }
}
