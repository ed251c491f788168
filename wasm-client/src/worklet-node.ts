// Makes the worklet's node and waits until it says that it works: everything that fails in there fails silently.
import { AntiphonError, messageOf } from "./errors.ts";
import { type Part, type WasmLocation, type WorkletModule, workletUrl } from "./wasm.ts";
import {
  type FromWorklet, LISTEN_PROCESSOR, type ListenerOptions, NO_MODULE, PART_PROCESSOR, type PartOptions, PROCESSOR,
  type SentModule, type WorkletOptions,
} from "./worklet-messages.ts";

const READY_TIMEOUT_MS = 10_000;
const contextsWithScript = new WeakMap<BaseAudioContext, Promise<void>>();

/** A part that was compiled here. */
export type CompiledPart = WorkletModule & { part: Part };

/** A processor's node, ready to play, and how it gets further parts. */
export interface WorkletNode {
  node: AudioWorkletNode;
  addPart(part: CompiledPart): Promise<void>;
}

/** The node of these parts, those below before those above. */
export async function createWorkletNode(
  ctx: AudioContext, parts: CompiledPart[], epoch: number, location: WasmLocation = {},
): Promise<WorkletNode> {
  await addScript(ctx, workletUrl(location));
  const id = Math.random();
  return {
    node: await withModules(parts, (sent) => ready(ctx, PROCESSOR, 1, { id, parts: sent, epoch })),
    async addPart(part) {
      letGo(await withModules([part], ([sent]) => ready(ctx, PART_PROCESSOR, 0, { id, ...sent! })));
    },
  };
}

/** The node of `listen`, ready to play. */
export async function createListenNode(
  ctx: AudioContext, compiled: WorkletModule, latencyMs: number, location: WasmLocation = {},
): Promise<AudioWorkletNode> {
  await addScript(ctx, workletUrl(location));
  return withModules([compiled], ([sent]) => ready(ctx, LISTEN_PROCESSOR, 0, { ...sent!, latencyMs }));
}

/** Code of the error when a worklet did not get its module. */
const NOT_SENT = "worklet-module";

/** Some browsers do not send compiled modules to worklets; bytes always arrive. What fails otherwise would fail again. */
async function withModules<M extends WorkletModule, R>(
  modules: M[], make: (sent: (Omit<M, "module"> & SentModule)[]) => Promise<R>,
): Promise<R> {
  try {
    return await make(modules.map((one) => ({ ...one, bytes: null })));
  } catch (error) {
    const isNotSent = error instanceof AntiphonError && error.code === NOT_SENT;
    if (!isNotSent || !modules.some(({ bytes }) => bytes)) throw error;
    return make(modules.map((one) => ({ ...one, module: one.bytes ? null : one.module })));
  }
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

/** Nothing is said to the node any more, nor heard from it. */
function letGo(node: AudioWorkletNode): void {
  node.port.onmessage = null;
  node.onprocessorerror = null;
  node.port.close();
}

function ready(
  ctx: AudioContext, processor: string, numberOfInputs: number, processorOptions: WorkletOptions | PartOptions | ListenerOptions,
): Promise<AudioWorkletNode> {
  return new Promise((resolve, reject) => {
    const fail = (code: string, message: string, cause?: unknown) => {
      clearTimeout(timer);
      if (node) letGo(node);
      reject(new AntiphonError(code, message, "use a current browser, and reload the page", cause));
    };
    const timer = setTimeout(() => fail("worklet-timeout", "the audio worklet did not start in 10 s"), READY_TIMEOUT_MS);
    let node: AudioWorkletNode | undefined;
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
      const isNotSent = cause instanceof DOMException && cause.name === "DataCloneError";
      return fail(isNotSent ? NOT_SENT : "worklet", `the audio worklet could not be made: ${messageOf(cause)}`, cause);
    }
    const made = node;
    // The constructors of processors catch all: their options could not be read over there.
    made.onprocessorerror = () => fail(NOT_SENT, "the audio worklet crashed while it started");
    made.port.onmessage = ({ data }: MessageEvent<FromWorklet>) => {
      if (data.type === "failed") {
        const code = data.message === NO_MODULE ? NOT_SENT : "worklet";
        return fail(code, `the audio worklet did not start: ${data.message}`);
      }
      if (data.type !== "ready") return;
      clearTimeout(timer);
      resolve(made);
    };
  });
}
