// A server that goes and comes back, with the real engine in its place.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AntiphonError } from "../src/errors.ts";
import { type Failover, failover, type FailoverOptions, type Handover } from "../src/failover.ts";
import { createLocalSource, type LocalSource } from "../src/local.ts";
import type { CompositionSpec, Hello } from "../src/types.gen.ts";
import { asContext, FakeContext, settle } from "./audio.ts";
import { composition, toneFile, wasm } from "./engine.ts";
import { FakeSource, transport } from "./fake-source.ts";
import { until } from "./stream-server.ts";

const hello = (sample_rate = 48_000): Hello => ({
  version: 1, epoch: 1, sample_rate, channels: 2, taps: [], topics: [],
  limits: {
    max_fps: 120, max_message_bytes: 4096, max_subscriptions: 32, max_messages_per_second: 100, max_message_burst: 300,
    max_unread_answers: 64, max_waiting_triggers: 64, max_waiting_audio_ms: 500, max_active_notes: 64,
  },
  server_time: 0,
});

let primary: FakeSource;
let context: FakeContext;
let source: Failover;
let playing: CompositionSpec | null;
let handovers: Handover[];

const rest = {
  compositions: {
    list: async () => ({ items: playing ? [{ id: playing.id, name: playing.name, loaded: true }] : [] }) as never,
    get: async () => structuredClone(playing!),
  },
  samples: { file: vi.fn(async () => toneFile("flac").buffer) },
};

const makeLocal = async (handover: Handover): Promise<LocalSource> => {
  handovers.push(handover);
  return createLocalSource(asContext(context), { wasm });
};

function make(opts: FailoverOptions = {}, fallback = makeLocal): Failover {
  source = failover(primary, fallback, { rest, wasm, patienceMs: 20, ...opts });
  return source;
}

const local = () => source.fallback as LocalSource | null;
const live = () => primary.state.set({ status: "live", error: null, hello: hello() });
const lose = () => primary.state.set({ status: "reconnecting", error: new AntiphonError("closed", "gone") });

beforeEach(() => {
  primary = new FakeSource();
  context = new FakeContext();
  playing = composition();
  handovers = [];
  rest.samples.file.mockClear();
});
afterEach(() => source.close());

describe("a server with this browser behind it", () => {
  test("says that what it was given is no source, and can be closed", async () => {
    make({ auto: false }, async () => ({}) as never);
    await expect(source.takeOver()).rejects.toMatchObject({ code: "invalid-source", hint: expect.stringContaining("createLocalSource") });
    expect(source.error?.code).toBe("invalid-source");
    expect(() => source.close()).not.toThrow();
  });

  test("has all parts of the worklet before they are needed, and tries again when the server is back", async () => {
    let isBroken = true;
    const tries: Promise<void>[] = [];
    make({}, async (handover) => {
      const made = await makeLocal(handover);
      const { preload } = made;
      made.preload = () => {
        const one = isBroken ? Promise.reject(new AntiphonError("wasm", "gone")) : preload.call(made);
        tries.push(one);
        return one;
      };
      return made;
    });
    live();
    await until(() => local() !== null);
    await source.prepare();
    const n_before = tries.length;
    await expect(tries[0]).rejects.toThrow("gone");
    lose();
    isBroken = false;
    live();
    expect(tries.length).toBe(n_before + 1);
    await tries.at(-1);
  });

  test("has the loudness of the active one started anew", async () => {
    make({ auto: false });
    live();
    await source.resetLoudness("master");
    expect(primary.resets).toEqual(["master"]);
    await source.prepare();
    const reset = vi.spyOn(local()!, "resetLoudness");
    await source.takeOver();
    await source.resetLoudness();
    expect(reset).toHaveBeenCalledWith(undefined);
    expect(primary.resets).toEqual(["master"]);
  });

  test("is the server while it is there, with the fallback ready and silent", async () => {
    make();
    expect([source.active, source.kind, source.status]).toEqual(["primary", "server", "connecting"]);
    live();
    await until(() => local()?.composition?.id === composition().id, "the composition is loaded in advance");
    expect(handovers).toHaveLength(1);
    expect(handovers[0]!.sampleRate).toBe(48_000);
    expect([source.active, source.status, context.state]).toEqual(["primary", "live", "suspended"]);
    expect(source.composition?.name).toBe("Four beats");
  });

  test("goes on in the browser at the position where the server would be, and back", async () => {
    make();
    const epochs: number[] = [];
    const seen: string[] = [];
    source.onStatus(() => seen.push(`${source.active} ${source.status}`));
    source.subscribe("transport", (frame) => epochs.push(frame.epoch));
    live();
    await until(() => local()?.composition !== undefined && local()?.composition !== null);
    primary.emit(transport({
      position_beats: 1, tempo: 90, loop_enabled: true, loop_start: 1, loop_end: 3, metronome_enabled: true, epoch: 77,
    }));
    expect(epochs).toEqual([77]);
    primary.heard = { position_beats: 2.25, position_seconds: 1.5, sample_position: 0, is_playing: true };
    lose();
    expect(source.active).toBe("primary");
    await until(() => source.active === "fallback");
    expect(source.kind).toBe("local");
    expect(source.status).toBe("live");
    expect(source.error).toBeNull();
    expect(await local()!.playback.get()).toMatchObject({
      is_playing: true, tempo: 90, loop_enabled: true, loop_start: 1, loop_end: 3, metronome_enabled: true, position_beats: 2.25,
    });
    await settle(local()!);
    // The engine itself stands there, to the sample: 64 quanta at 90 bpm later.
    context.render(64);
    await settle(local()!);
    const frame = source.latest("transport") ?? local()!.latest("transport");
    const quanta = Math.round(frame!.sample_position / 128) - 1;
    expect(frame!.position_beats).toBeCloseTo(2.25 + (quanta * 128 * 1.5) / 48_000, 9);
    expect(epochs.at(-1)).not.toBe(77);

    live();
    expect([source.active, source.kind]).toEqual(["primary", "server"]);
    await until(() => context.state === "suspended");
    expect(await local()!.playback.get()).toMatchObject({ is_playing: false });
    primary.emit(transport({ epoch: 78 }));
    expect(epochs.at(-1)).toBe(78);
    expect(seen).toEqual(expect.arrayContaining(["primary reconnecting", "fallback live", "primary live"]));
  });

  test("a short interruption changes nothing", async () => {
    make({ patienceMs: 60_000 });
    live();
    await until(() => local() !== null);
    lose();
    live();
    expect(source.active).toBe("primary");
    expect(handovers).toHaveLength(1);
  });

  test("a server that never was there is replaced too", async () => {
    playing = null;
    make();
    await until(() => source.active === "fallback");
    expect(handovers[0]).toMatchObject({ sampleRate: undefined, composition: null });
    expect(await local()!.playback.get()).toMatchObject({ is_playing: false });
  });

  test("a server that stood still stands still here, where it was", async () => {
    make();
    live();
    await until(() => local()?.composition?.id === composition().id);
    primary.emit(transport({ is_playing: false, is_paused: true, position_beats: 3.5 }));
    lose();
    await until(() => source.active === "fallback");
    expect(await local()!.playback.get()).toMatchObject({ is_playing: false, position_beats: 3.5 });
  });

  test("a browser that wants a click says so, and goes on where the server would be then", async () => {
    make();
    live();
    await until(() => local()?.composition?.id === composition().id);
    primary.emit(transport({ position_beats: 1 }));
    context.needsGesture = true;
    primary.heard = { position_beats: 1.5, position_seconds: 0.75, sample_position: 0, is_playing: true };
    lose();
    await until(() => source.active === "fallback");
    expect(source.status).toBe("needs-gesture");
    primary.heard = { ...primary.heard, position_beats: 3 };
    context.needsGesture = false;
    await source.resume();
    expect(source.status).toBe("live");
    expect(await local()!.playback.get()).toMatchObject({ is_playing: true, position_beats: 3 });
  });

  test("without a loudspeaker the take-over stands still, and the click says why", async () => {
    make({ auto: false });
    live();
    await source.prepare();
    primary.emit(transport({ position_beats: 1 }));
    context.isMute = true;
    await source.takeOver();
    expect([source.active, source.status]).toEqual(["fallback", "needs-gesture"]);
    await expect(source.resume()).rejects.toMatchObject({ code: "no-output" });
    context.isMute = false;
    await source.resume();
    expect(source.status).toBe("live");
    expect(await local()!.playback.get()).toMatchObject({ is_playing: true });
  });

  test("keeps what somebody chose to load in the browser", async () => {
    make({ auto: false });
    live();
    await source.prepare();
    await local()!.load({ ...composition("Mine"), id: "88888888-2222-4333-8444-555555555555" });
    primary.emit(transport({ position_beats: 2 }));
    await source.takeOver();
    expect(local()!.composition?.name).toBe("Mine");
    expect(await local()!.playback.get()).toMatchObject({ is_playing: true, position_beats: 0 });
  });

  test("hands over what was changed on the server meanwhile, and its samples, fetched once", async () => {
    const sample = "00000000-0000-4000-8000-000000000020";
    const [track] = composition().tracks;
    const clip = { id: sample.replace("20", "21"), sample, start: 0, offset_seconds: 0, length_seconds: 0.4, gain_db: 0, fade_in_seconds: 0, fade_out_seconds: 0 };
    playing = { ...composition("With a clip"), tracks: [{ ...track!, audio_clips: [clip] }] };
    make({ auto: false });
    live();
    await source.prepare();
    await until(() => local()?.composition?.name === "With a clip");
    playing = { ...playing, master: { gain_db: -12, effects: [] } };
    await source.refresh();
    expect((await local()!.mixer.get()).master.gain_db).toBe(-12);
    playing = { ...playing, master: { gain_db: -18, effects: [] } };
    primary.emit(transport({ composition_revision: 7 }));
    await until(() => local()?.composition?.master.gain_db === -18, "what others change is heard of");
    expect(rest.samples.file).toHaveBeenCalledTimes(1);
  });

  test("tells why the browser cannot play, and stays with the server", async () => {
    let n_calls = 0;
    make({}, async () => {
      n_calls += 1;
      throw new AntiphonError("no-audio-worklet", "this page may not use AudioWorklet", "open it over https");
    });
    await until(() => source.error?.code === "no-audio-worklet");
    expect([source.active, source.status]).toEqual(["primary", "connecting"]);
    await expect(source.takeOver()).rejects.toMatchObject({ code: "no-audio-worklet", hint: "open it over https" });
    expect(n_calls).toBe(2);
  });

  test("of a switch there and back at once the last one counts", async () => {
    make({ auto: false });
    live();
    const there = source.takeOver();
    expect(source.isSwitching).toBe(true);
    source.failBack();
    await there;
    expect([source.active, source.isSwitching]).toEqual(["primary", false]);
  });

  test("moves subscriptions, and ends them with the last one", async () => {
    make({ auto: false });
    live();
    const topics = () => [...primary.listeners].map(({ topic }) => topic);
    // What it wants to know for itself, whoever is active.
    const own = topics();
    expect(new Set(own)).toEqual(new Set(["transport"]));
    const end = source.subscribe("spectrum", () => undefined, { bands: 64 });
    expect(topics()).toEqual([...own, "spectrum"]);
    await source.takeOver();
    expect(topics()).toEqual(own);
    source.failBack();
    expect(topics()).toEqual([...own, "spectrum"]);
    end();
    expect(topics()).toEqual(own);
    source.close();
    expect([primary.listeners.size, primary.status, local()!.status, source.status]).toEqual([0, "closed", "closed", "closed"]);
  });
});
