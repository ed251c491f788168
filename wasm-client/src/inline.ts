// All files inside of the script, for bundlers that do not follow `new URL("x.wasm", import.meta.url)` and for
// single-file pages. Costs a third more bytes than the files, and needs `blob:` in a content policy.
import analysisWasm from "inline:pkg/antiphon_analysis.wasm";
import localWasm from "inline:pkg/antiphon_local_bg.wasm";
import mainWasm from "inline:pkg/antiphon_wasm_bg.wasm";
import musicWasm from "inline:pkg/antiphon_music.wasm";
import scopeWasm from "inline:pkg/antiphon_scope.wasm";
import spectrumWasm from "inline:pkg/antiphon_spectrum.wasm";
import workletWasm from "inline:pkg/antiphon_worklet.wasm";
import listenWasm from "inline:pkg/antiphon_listen.wasm";
import workletScript from "inline:dist/worklet.js";
import type { WasmLocation } from "./wasm.ts";

let files: WasmLocation | null = null;

/** Pass it as `wasm`: `connect(url, { wasm: inline() })`. The same bytes each time, so that they are compiled once. */
export function inline(): WasmLocation {
  files ??= {
    wasmModule: bytesOf(mainWasm), localWasmModule: bytesOf(localWasm), workletWasmModule: bytesOf(workletWasm),
    analysisWasmModule: bytesOf(analysisWasm), spectrumWasmModule: bytesOf(spectrumWasm), musicWasmModule: bytesOf(musicWasm),
    scopeWasmModule: bytesOf(scopeWasm), listenWasmModule: bytesOf(listenWasm),
    workletUrl: URL.createObjectURL(new Blob([bytesOf(workletScript)], { type: "text/javascript" })),
  };
  return { ...files };
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
