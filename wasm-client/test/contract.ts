// What other code is written against, checked by the compiler: `npm run typecheck` fails when it changes.
import type {
  AntiphonError, Failover, FrameOf, Hello, LocalSource, MixerClient, PlaybackClient, PlaybackState, Source, SourceStatus,
} from "../src/index.ts";
import { connect, createLocalSource, failover, parseMidi } from "../src/index.ts";
import { drawMeter, drawSpectrum, drawWaveform } from "../src/draw/index.ts";
import { inline } from "../src/inline.ts";
import type { useMixer, usePlayback, useSpectrumWebsocket, useWebSocket } from "../src/react/index.ts";
import { createRestClient, type RestError } from "../src/rest.ts";
import { createAntiphonStore } from "../src/store.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T => true as T;

holds<Equal<Parameters<typeof connect>[0], string>>();
holds<Equal<ReturnType<typeof connect>, Source>>();
holds<Equal<Awaited<ReturnType<typeof createLocalSource>>, LocalSource>>();
holds<Equal<Awaited<ReturnType<typeof parseMidi>>["name"], string>>();
holds<Equal<Source["status"], SourceStatus>>();
holds<Equal<Source["error"], AntiphonError | null>>();
holds<Equal<Source["hello"], Hello | null>>();
holds<Equal<FrameOf<"spectrum">["magnitudes"], Float32Array>>();
holds<Equal<FrameOf<"meters">["master"]["lufs_integrated"], number>>();
holds<Equal<FrameOf<"transport">["type"], "transport">>();
holds<Equal<FrameOf<"analytics">["dropped"], number>>();
holds<Equal<LocalSource["playback"], PlaybackClient>>();
holds<Equal<ReturnType<typeof createRestClient>["mixer"], MixerClient>>();
holds<Equal<ReturnType<typeof usePlayback>["state"], PlaybackState | undefined>>();
holds<Equal<ReturnType<ReturnType<typeof useSpectrumWebsocket>["latest"]>, FrameOf<"spectrum"> | null>>();
holds<Equal<ReturnType<typeof useWebSocket>["status"], SourceStatus>>();
holds<Equal<Awaited<ReturnType<MixerClient["patchMaster"]>>["gain_db"], number>>();
holds<Equal<RestError["status"], number>>();
holds<Equal<ReturnType<ReturnType<typeof createAntiphonStore>["getState"]>["frames"]["meters"], FrameOf<"meters"> | null>>();

/** Never run: calls as outside code makes them. */
export function calls(ctx: CanvasRenderingContext2D, node: AudioNode, mixer: ReturnType<typeof useMixer>): void {
  const source = connect("", { multiplex: true, encoding: "json", token: "t", wasm: inline() });
  source.subscribe("spectrum", (frame) => drawSpectrum(ctx, frame, { width: 1, height: 1 }), { scale: "octave", fraction: 3 });
  source.subscribe("waveform", (frame) => drawWaveform(ctx, frame, { width: 1, height: 1 }));
  source.subscribe("meters", ({ master, tracks }) => [master, ...tracks].forEach((one) => drawMeter(ctx, one, { width: 1, height: 1 })));
  // @ts-expect-error: not a topic
  source.subscribe("spectra", () => undefined);
  // @ts-expect-error: not an option
  source.subscribe("spectrum", () => undefined, { fftSize: 4096 });
  void createLocalSource(new AudioContext()).then((local) => local.setInput(node, { monitor: true }));
  // As the design has it: whatever makes a source is a fallback, and the result is one.
  const either: Source & Failover = failover(source, () => createLocalSource(new AudioContext()));
  if (either.active === "fallback") either.failBack();
  void mixer.patchChannel("id", { pan: 0.5 });
}
