// Decoder and renderer inside of the script, as `inline.ts` is for the rest: a script of its own, since few pages need both.
import offlineWasm from "inline:pkg/antiphon_offline.wasm";
import workerScript from "inline:dist/offline-worker.js";
import type { WasmLocation } from "./wasm.ts";

let files: WasmLocation | null = null;

/** For `decodeAudio`, `renderComposition` and audio clips: `{ wasm: { ...inline(), ...inlineOffline() } }`. */
export function inlineOffline(): WasmLocation {
  files ??= {
    offlineWasmModule: bytesOf(offlineWasm),
    offlineWorkerUrl: URL.createObjectURL(new Blob([bytesOf(workerScript)], { type: "text/javascript" })),
  };
  return { ...files };
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
