// Makes the worklet's node and waits until it says that it works: everything that fails in there fails silently.
import { AntiphonError, messageOf } from "./errors.ts";
import { type Part, type WasmLocation, type WorkletModule, workletUrl } from "./wasm.ts";
import {
  type FromWorklet, LISTEN_PROCESSOR, type ListenerOptions, PROCESSOR, type SentModule, type SentPart, type WorkletOptions,
} from "./worklet-messages.ts";

const READY_TIMEOUT_MS = 10_000;
const contextsWithScript = new WeakMap<BaseAudioContext, Promise<void>>();

/** A part that was compiled here. */
export type CompiledPart = WorkletModule & { part: Part };

/** How compiled parts are sent to a worklet. */
export type Send = (part: CompiledPart) => SentPart;

const asModule: Send = ({ part, module }) => ({ part, module, bytes: null });
const asBytes: Send = ({ part, module, bytes }) => ({ part, module: bytes ? null : module, bytes });

/** The node, ready to play, and how it gets further parts. Some browsers do not send compiled modules to worklets; bytes always arrive. */
export async function createWorkletNode(
  ctx: AudioContext, parts: CompiledPart[], epoch: number, location: WasmLocation = {},
): Promise<{ node: AudioWorkletNode; send: Send }> {
  await addScript(ctx, workletUrl(location));
  const make = async (send: Send) => ({ node: await ready(ctx, PROCESSOR, 1, { parts: parts.map(send), epoch }), send });
  return make(asModule).catch((error: unknown) => {
    if (!parts.some(({ bytes }) => bytes)) throw error;
    return make(asBytes);
  });
}

/** The node of `listen`, ready to play. */
export async function createListenNode(
  ctx: AudioContext, compiled: WorkletModule, latencyMs: number, location: WasmLocation = {},
): Promise<AudioWorkletNode> {
  await addScript(ctx, workletUrl(location));
  return withModule(compiled, (given) => ready(ctx, LISTEN_PROCESSOR, 0, { ...given, latencyMs }));
}

/** Some browsers do not send compiled modules to worklets; bytes always arrive. */
function withModule<R>(
  { module, bytes }: WorkletModule, make: (given: SentModule) => Promise<R>,
): Promise<R> {
  return make({ module, bytes: null }).catch((error: unknown) => {
    if (!bytes) throw error;
    return make({ module: null, bytes });
  });
}

/** A script may register its processor once in a context. */
function addScript(ctx: AudioContext, url: string | URL): Promise<void> {
  const added = contextsWithScript.get(ctx) ?? ctx.audioWorklet.addModule(url).catch((cause: unknown) => {
    contextsWithScript.delete(ctx);
    throw new AntiphonError(
      "worklet-script", `the worklet's script did not load from ${url}: ${messageOf(cause)}`,
      "serve worklet.js as JavaScript, pass { wasm: { workletUrl } }, or use antiphon/inline " +
        "(which needs blob: in the content policy)", cause);
  });
  contextsWithScript.set(ctx, added);
  return added;
}

function ready(
  ctx: AudioContext, processor: string, numberOfInputs: number, processorOptions: WorkletOptions | ListenerOptions,
): Promise<AudioWorkletNode> {
  return new Promise((resolve, reject) => {
    const fail = (code: string, message: string, cause?: unknown) => {
      clearTimeout(timer);
      reject(new AntiphonError(code, message, "use a current browser, and reload the page", cause));
    };
    const timer = setTimeout(() => fail("worklet-timeout", "the audio worklet did not start in 10 s"), READY_TIMEOUT_MS);
    let node: AudioWorkletNode;
    try {
      node = new AudioWorkletNode(ctx, processor, {
        numberOfInputs,
        numberOfOutputs: 1,
        outputChannelCount: [2],
        channelCount: 2,
        channelCountMode: "explicit",
        channelInterpretation: "speakers",
        processorOptions,
      });
    } catch (cause) {
      return fail("worklet", `the audio worklet could not be made: ${messageOf(cause)}`, cause);
    }
    node.onprocessorerror = () => fail("worklet", "the audio worklet crashed while it started");
    node.port.onmessage = ({ data }: MessageEvent<FromWorklet>) => {
      if (data.type === "failed") return fail("worklet", `the audio worklet did not start: ${data.message}`);
      if (data.type !== "ready") return;
      clearTimeout(timer);
      resolve(node);
    };
  });
}
