import { act } from "react";
import { createRoot } from "react-dom/client";
import { beforeAll, expect, it, vi } from "vitest";

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

const { server, rest, playback, recording, mixer, answer } = vi.hoisted(() => {
  const listeners = new Set<(frame: unknown) => void>();
  const never = () => new Promise(() => undefined);
  const server = {
    kind: "server",
    status: "live",
    error: null,
    hello: {},
    onStatus: () => () => undefined,
    subscribe: (topic: string, cb: (frame: unknown) => void) => {
      if (topic === "transport") listeners.add(cb);
      return () => listeners.delete(cb);
    },
    latest: () => null,
    playhead: () => null,
    send: (frame: unknown) => listeners.forEach((cb) => cb(frame)),
  };
  const command = () => vi.fn((_request?: unknown) => Promise.resolve({}));
  /** Answered by `answer`. */
  const asked: (() => void)[] = [];
  const waiting = () => vi.fn((_request?: unknown) => new Promise((done) => asked.push(() => done({}))));
  const answer = () => asked.splice(0).forEach((done) => done());
  const playback = {
    get: never,
    play: waiting(), stop: waiting(), pause: waiting(), resume: waiting(),
    seek: waiting(), setTempo: waiting(), setLoop: waiting(), setMetronome: waiting(),
  };
  const recording = { arm: command(), record: waiting() };
  const compositions = { list: never, get: never, history: never };
  const channel = { id: "keys", name: "Keys", gain_db: 0, pan: 0, mute: false, solo: false };
  const mixer = { get: () => Promise.resolve({ channels: [channel], master: { gain_db: 0 } }), patchChannel: command() };
  return { server, rest: { playback, recording, compositions, mixer }, playback, recording, mixer, answer };
});

vi.mock("antiphon", async (importActual) => ({
  ...(await importActual<typeof import("antiphon")>()),
  connect: () => server,
  failover: () => ({ ...server, refresh: () => Promise.resolve(null), composition: null, active: "primary" }),
}));
vi.mock("antiphon/rest", async (importActual) => ({
  ...(await importActual<typeof import("antiphon/rest")>()),
  createRestClient: () => rest,
}));
// No view: keys are the page's.
vi.mock("../src/app/bodies", () => ({ BODIES: new Proxy({}, { get: () => () => null }) }));

const host = document.createElement("div");
const press = (key: string) => act(async () => {
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
});

beforeAll(async () => {
  const { App } = await import("../src/app/App");
  const { queryClient } = await import("../src/app/connection");
  const { serverComposition } = await import("../src/app/compositions");
  const { QueryClientProvider } = await import("@tanstack/react-query");
  const composition = { id: "1", name: "One", tempo: [], time_signatures: [], length: 96 * 960, tracks: [] };
  queryClient.setQueryData(serverComposition.queryKey, composition as never);
  document.body.replaceChildren(host);
  await act(async () => createRoot(host).render(<QueryClientProvider client={queryClient}><App /></QueryClientProvider>));
});

it("the transport's keys wait until it is known how the transport stands", async () => {
  const signature = () => host.querySelector("[data-testid=signature]")!.closest("button")!;

  for (const key of [" ", "Home", "l", "c", "r", "ArrowRight"]) await press(key);
  for (const command of Object.values(playback)) if (vi.isMockFunction(command)) expect(command).not.toHaveBeenCalled();
  expect(signature().disabled).toBe(true);

  await act(async () => server.send({
    is_playing: true, is_paused: false, position_beats: 9, tempo: 120, time_signature_num: 3, time_signature_den: 4,
    loop_enabled: true, loop_start: 4, loop_end: 8, metronome_enabled: true, composition_revision: 1,
  }));
  for (const key of [" ", "l", "c"]) await press(key);
  expect(playback.pause).toHaveBeenCalledTimes(1);
  expect(playback.setLoop).toHaveBeenCalledWith({ enabled: false, start_beats: 4, end_beats: 8 });
  expect(playback.setMetronome).toHaveBeenCalledWith({ enabled: false });
  expect(signature().disabled).toBe(false);

  // The stream has not said so yet; a second press is one back all the same, and sent when the first is through.
  for (const key of [" ", "l", "c"]) await press(key);
  expect(playback.play).not.toHaveBeenCalled();
  await act(async () => answer());
  expect(playback.pause).toHaveBeenCalledTimes(1);
  expect(playback.play).toHaveBeenCalledTimes(1);
  expect(playback.setLoop).toHaveBeenLastCalledWith({ enabled: true, start_beats: 4, end_beats: 8 });
  expect(playback.setMetronome).toHaveBeenLastCalledWith({ enabled: true });
  await act(async () => answer());
});

it("Play is pressed right after Stop in a pause, and R twice, before the stream says anything", async () => {
  vi.clearAllMocks();
  await act(async () => server.send({
    is_playing: false, is_paused: true, is_recording: false, armed_track_id: "keys", position_beats: 9, tempo: 120,
    time_signature_num: 3, time_signature_den: 4, loop_enabled: true, loop_start: 4, loop_end: 8, composition_revision: 1,
  }));
  const pressed = async (key: string) => {
    await press(key);
    await act(async () => answer());
  };
  await act(async () => host.querySelector<HTMLElement>("[data-testid=stop]")!.click());
  await pressed(" ");
  expect(playback.stop).toHaveBeenCalledTimes(1);
  expect(playback.play).toHaveBeenCalledTimes(1);
  await pressed(" ");
  await pressed("r");
  await pressed("r");
  expect(recording.record).toHaveBeenCalledTimes(1);
  expect(playback.pause).toHaveBeenCalledTimes(2);
});

it("a change of a strip takes an offer to take back an earlier step away", async () => {
  const { notices, notify } = await import("../src/app/notices");
  const { select } = await import("../src/edit/selection");
  select({ track: "keys" });
  act(() => notify("info", "Bass was deleted", "", { label: "Undo", run: () => undefined, isUndo: true }));
  await press("m");
  expect(mixer.patchChannel).toHaveBeenCalledWith("keys", { mute: true });
  expect(notices.getState().list).toEqual([]);
});
