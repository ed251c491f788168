// Where the package's WebAssembly and its worklet script are, and how they are loaded.
import initLocal, { FlightRecorder, Local, parse_midi, Recording } from "../pkg/antiphon_local.js";
import init, { Connection, Measuring } from "../pkg/antiphon_wasm.js";
import { AntiphonError, messageOf } from "./errors.ts";
import type { TopicName } from "./source.ts";
import type { StreamOptions } from "./types.gen.ts";

/** A compiled module, its bytes, or the response that brings them. */
export type WasmSource = WebAssembly.Module | BufferSource | Response | Promise<Response>;

/**
 * Needed only where a bundler does not follow `new URL("x.wasm", import.meta.url)` (esbuild, rollup), or where
 * the files are served from elsewhere. What is absent is found next to this package's own files.
 */
export interface WasmLocation {
  /** Of `antiphon_wasm_bg.wasm`: connection and decoder, for `connect` and `createAnalysisSource`. */
  wasmUrl?: string | URL | undefined;
  /** Instead of `wasmUrl`. */
  wasmModule?: WasmSource | undefined;
  /** Of `antiphon_local_bg.wasm`: the same for `createLocalSource`, and MIDI files and recordings. */
  localWasmUrl?: string | URL | undefined;
  /** Instead of `localWasmUrl`. */
  localWasmModule?: WasmSource | undefined;
  /** Of `worklet.js`. */
  workletUrl?: string | URL | undefined;
  /** Of `antiphon_worklet.wasm`: the engine, loaded for local sources on top of `antiphon_analysis.wasm`. */
  workletWasmUrl?: string | URL | undefined;
  /** Instead of `workletWasmUrl`. */
  workletWasmModule?: WasmSource | undefined;
  /** Of `antiphon_analysis.wasm`: what all sources of this page need; meters with loudness, transport and sound. */
  analysisWasmUrl?: string | URL | undefined;
  /** Instead of `analysisWasmUrl`. */
  analysisWasmModule?: WasmSource | undefined;
  /** Of `antiphon_spectrum.wasm`: spectra, loaded when they are needed. */
  spectrumWasmUrl?: string | URL | undefined;
  /** Instead of `spectrumWasmUrl`. */
  spectrumWasmModule?: WasmSource | undefined;
  /** Of `antiphon_music.wasm`: onsets, tempo, pitch, chroma and key, loaded when they are needed. */
  musicWasmUrl?: string | URL | undefined;
  /** Instead of `musicWasmUrl`. */
  musicWasmModule?: WasmSource | undefined;
  /** Of `antiphon_scope.wasm`: waveform, stereo image, needles, triggers and analytics, loaded when they are needed. */
  scopeWasmUrl?: string | URL | undefined;
  /** Instead of `scopeWasmUrl`. */
  scopeWasmModule?: WasmSource | undefined;
  /** Of `antiphon_listen.wasm`: the buffer of `listen`, loaded when it is needed. */
  listenWasmUrl?: string | URL | undefined;
  /** Instead of `listenWasmUrl`. */
  listenWasmModule?: WasmSource | undefined;
  /** Of `antiphon_offline.wasm`: decoder and renderer, loaded when they are needed. */
  offlineWasmUrl?: string | URL | undefined;
  /** Instead of `offlineWasmUrl`. */
  offlineWasmModule?: WasmSource | undefined;
  /** Of `offline-worker.js`. */
  offlineWorkerUrl?: string | URL | undefined;
}

/** What the module of a connection exports. */
export interface Wasm {
  Connection: typeof Connection;
  Measuring: typeof Measuring;
}

/** What the module of local mode exports. */
export interface LocalWasm {
  FlightRecorder: typeof FlightRecorder;
  Local: typeof Local;
  Recording: typeof Recording;
  parse_midi: typeof parse_midi;
}

/** Of browsers that have none, or have it turned off. */
function checkSupport(): void {
  if (typeof WebAssembly === "object") return;
  throw new AntiphonError(
    "unsupported", "this browser has no WebAssembly",
    "use a current browser, or allow WebAssembly in it: lockdown modes turn it off");
}

/** Starts a module of the main thread once in a page; after a failure the next call tries again. */
function once<T>(name: string, option: keyof WasmLocation, start: (location: WasmLocation) => Promise<T>) {
  let loading: Promise<T> | null = null;
  return async (location: WasmLocation = {}): Promise<T> => {
    checkSupport();
    loading ??= start(location).catch((cause: unknown) => {
      loading = null;
      throw new AntiphonError(
        "wasm", `${name} did not load: ${messageOf(cause)}`,
        `serve the file next to the script, pass { wasm: { ${option} } }, use antiphon/inline, ` +
          "and allow 'wasm-unsafe-eval' in the content policy", cause);
    });
    return loading;
  };
}

/** Loads what connects to a server, and what only measures. */
export const loadWasm = /* @__PURE__ */ once(
  "antiphon_wasm_bg.wasm", "wasmUrl", async ({ wasmModule, wasmUrl }): Promise<Wasm> => {
    await init({ module_or_path: wasmModule ?? wasmUrl ?? new URL("./antiphon_wasm_bg.wasm", import.meta.url) });
    return { Connection, Measuring };
  });

/** Loads what is needed on the main thread to play without a server. */
export const loadLocalWasm = /* @__PURE__ */ once(
  "antiphon_local_bg.wasm", "localWasmUrl", async ({ localWasmModule, localWasmUrl }): Promise<LocalWasm> => {
    const url = localWasmModule ?? localWasmUrl ?? new URL("./antiphon_local_bg.wasm", import.meta.url);
    await initLocal({ module_or_path: url });
    return { FlightRecorder, Local, parse_midi, Recording };
  });

/** Where the worklet's script is. */
export function workletUrl({ workletUrl }: WasmLocation = {}): string | URL {
  return workletUrl ?? new URL("./worklet.js", import.meta.url);
}

/** A module of a worklet, compiled here so that no worklet has to; and its bytes, where the module cannot be sent. */
export interface WorkletModule {
  module: WebAssembly.Module;
  bytes: ArrayBuffer | null;
}

/** What measures and plays in the worklet, each `antiphon_….wasm`, those below before those above; see xtask/src/parts.rs. */
export const PARTS = ["analysis", "spectrum", "music", "scope", "worklet"] as const;
export type Part = (typeof PARTS)[number];

/** The parts that a stream needs besides the first, in the order in which they are to be started. */
export function partsOf(topic: TopicName, { ballistics }: StreamOptions): Part[] {
  switch (topic) {
    case "spectrum":
      return ["spectrum"];
    case "music":
      return ["spectrum", "music"];
    case "waveform":
    case "stereo":
    case "trigger":
    case "analytics":
      return ["scope"];
    case "meters":
      return ballistics === undefined ? [] : ["scope"];
    default:
      return [];
  }
}

/** Where parts are, written out since bundlers look for such URLs. */
const PART_URLS: Record<Part, () => URL> = {
  analysis: () => new URL("./antiphon_analysis.wasm", import.meta.url),
  spectrum: () => new URL("./antiphon_spectrum.wasm", import.meta.url),
  music: () => new URL("./antiphon_music.wasm", import.meta.url),
  scope: () => new URL("./antiphon_scope.wasm", import.meta.url),
  worklet: () => new URL("./antiphon_worklet.wasm", import.meta.url),
};

const compiledParts = new Map<unknown, Promise<WorkletModule>>();

/** Fetches and compiles a part, each file or module once in a page; after a failure the next call tries again. */
export function compilePart(part: Part, location: WasmLocation = {}): Promise<WorkletModule> {
  const given = location[`${part}WasmModule`];
  const url = location[`${part}WasmUrl`] ?? PART_URLS[part]();
  const key = given ?? String(url);
  const known = compiledParts.get(key);
  if (known) return known;
  const compiling = compile(`antiphon_${part}.wasm`, url, given, `${part}WasmUrl`);
  compiledParts.set(key, compiling);
  compiling.catch(() => compiledParts.delete(key));
  return compiling;
}

/** Fetches and compiles the module of `listen`. */
export async function compileListen({ listenWasmModule, listenWasmUrl }: WasmLocation = {}): Promise<WorkletModule> {
  const url = listenWasmUrl ?? new URL("./antiphon_listen.wasm", import.meta.url);
  return compile("antiphon_listen.wasm", url, listenWasmModule, "listenWasmUrl");
}

let offline: Promise<WebAssembly.Module> | null = null;

/** Fetches and compiles the decoder and renderer, once in a page; after a failure the next call tries again. */
export function compileOffline({ offlineWasmModule, offlineWasmUrl }: WasmLocation = {}): Promise<WebAssembly.Module> {
  const url = offlineWasmUrl ?? new URL("./antiphon_offline.wasm", import.meta.url);
  offline ??= compile("antiphon_offline.wasm", url, offlineWasmModule, "offlineWasmUrl").then(
    ({ module }) => module,
    (error: unknown) => {
      offline = null;
      throw error;
    },
  );
  return offline;
}

/** Where the script of its worker is. */
export function offlineWorkerUrl({ offlineWorkerUrl }: WasmLocation = {}): string | URL {
  return offlineWorkerUrl ?? new URL("./offline-worker.js", import.meta.url);
}

async function compile(
  name: string, url: string | URL, given: WasmSource | undefined, option: keyof WasmLocation,
): Promise<WorkletModule> {
  checkSupport();
  try {
    const source = await (given ?? fetch(url));
    if (source instanceof WebAssembly.Module) return { module: source, bytes: null };
    if (source instanceof Response && !source.ok) throw new Error(`${source.status} ${source.statusText}`);
    // Not compileStreaming: a static host that serves .wasm with another type would fail.
    const bytes = source instanceof Response ? await source.arrayBuffer() : bytesOf(source);
    return { module: await WebAssembly.compile(bytes), bytes };
  } catch (cause) {
    throw new AntiphonError(
      "wasm", `${name} did not load from ${url}: ${messageOf(cause)}`,
      `serve the file next to the script, pass { wasm: { ${option} } }, use antiphon/inline${name.includes("offline") ? "-offline" : ""}, ` +
        "and allow 'wasm-unsafe-eval' in the content policy", cause);
  }
}

function bytesOf(source: BufferSource): ArrayBuffer {
  const view = ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : source;
  return new Uint8Array(view).slice().buffer;
}
