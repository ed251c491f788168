import { probe } from "./probe.js";

// Copied there from node_modules/antiphon/dist.
const at = (name) => new URL(`../antiphon/${name}`, document.baseURI);
probe({
  wasmUrl: at("antiphon_wasm_bg.wasm"),
  localWasmUrl: at("antiphon_local_bg.wasm"),
  workletUrl: at("worklet.js"),
  analysisWasmUrl: at("antiphon_analysis.wasm"),
  spectrumWasmUrl: at("antiphon_spectrum.wasm"),
  musicWasmUrl: at("antiphon_music.wasm"),
  scopeWasmUrl: at("antiphon_scope.wasm"),
  workletWasmUrl: at("antiphon_worklet.wasm"),
  listenWasmUrl: at("antiphon_listen.wasm"),
  offlineWasmUrl: at("antiphon_offline.wasm"),
  offlineWorkerUrl: at("offline-worker.js"),
});
