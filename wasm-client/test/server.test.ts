// The connection against a real WebSocket server that dies, hangs and comes back.
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { connect } from "../src/server.ts";
import type { FrameOf, Source } from "../src/source.ts";
import { onFrame } from "../src/ticker.ts";
import { TestEngine, TRACK_ID, wasm } from "./engine.ts";
import { BrowserSocket, StreamServer, until } from "./stream-server.ts";

beforeAll(() => {
  vi.stubGlobal("WebSocket", BrowserSocket);
});

const open: (Source | StreamServer)[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await (one instanceof StreamServer ? one.kill() : one.close());
});

async function started(): Promise<StreamServer> {
  const server = await new StreamServer().start();
  open.push(server);
  return server;
}

function connected(server: StreamServer, opts: Parameters<typeof connect>[1] = {}): Source {
  const source = connect(`http://127.0.0.1:${server.port}`, { wasm, ...opts });
  open.unshift(source);
  return source;
}

describe("a connection", () => {
  test("goes live, opens an endpoint for each topic where it is not multiplexed, and says which streams it wants", async () => {
    const server = await started();
    const source = connected(server, { multiplex: false });
    expect(source.status).toBe("loading");
    source.subscribe("spectrum", () => undefined, { fps: 60, fft_size: 4096, tap: TRACK_ID });
    await until(() => source.status === "live");
    await until(() => server.said(/spectrum/).length === 1);
    expect(server.clients.map(({ path }) => path).sort()).toEqual(["/api/ws/spectrum", "/api/ws/transport"]);
    expect(server.clients.map(({ protocol }) => protocol)).toEqual(Array(2).fill("antiphon.v1.binary"));
    expect(server.said(/spectrum/)).toEqual([
      { type: "subscribe", topic: "spectrum", tap: TRACK_ID, fps: 60, options: { fft_size: 4096 } },
    ]);
    expect(source.hello?.taps.map(({ name }) => name)).toEqual(["master", "Lead", "input"]);
    expect(source.error).toBeNull();
  });

  test("carries everything on one socket", async () => {
    const server = await started();
    const source = connected(server, { encoding: "json", token: "secret" });
    source.subscribe("meters", () => undefined);
    source.subscribe("waveform", () => undefined);
    await until(() => server.said(/stream/).length === 2);
    expect(server.clients.map(({ path, protocol }) => [path, protocol])).toEqual([["/api/ws/stream", "antiphon.v1.json"]]);
  });

  test("shares equal streams at the highest rate, and separates different ones", async () => {
    const server = await started();
    const source = connected(server, { multiplex: false });
    await until(() => source.status === "live");
    const ends = [
      source.subscribe("spectrum", () => undefined, { fps: 20 }),
      source.subscribe("spectrum", () => undefined, { fps: 60 }),
      source.subscribe("spectrum", () => undefined, { scale: "octave" }),
    ];
    await until(() => server.clients.length === 3 && server.said(/spectrum/).length >= 2);
    const fps = server.said(/spectrum/).filter(({ options }) => JSON.stringify(options) === "{}").map((said) => said.fps);
    expect(fps.at(-1)).toBe(60);
    for (const end of ends) end();
    for (const end of ends) end();
    await until(() => server.clients.length === 1, "sockets without streams are closed");
    expect(server.clients[0]).toMatchObject({ path: "/api/ws/transport", query: "refusal=close" });
  });

  test("comes back after the server was killed, with all its streams", async () => {
    const server = await started();
    const source = connected(server);
    const statuses: string[] = [];
    source.onStatus(() => statuses.push(source.status));
    source.subscribe("meters", () => undefined, { fps: 50 });
    await until(() => server.said(/meters/).length === 1);
    await server.kill();
    await until(() => source.status === "reconnecting");
    expect(source.error).toMatchObject({ name: "AntiphonError", hint: expect.stringMatching(/./) });
    server.epoch = 2;
    await server.start();
    await until(() => source.status === "live" && server.said(/meters/).length > 0, "live again", 15_000);
    expect(server.said(/stream/)[0]).toMatchObject({ type: "subscribe", topic: "meters", fps: 50 });
    expect(server.said(/stream/)[1]).toMatchObject({ type: "resume", epoch: 1 });
    expect(source.hello?.epoch).toBe(2);
    expect(source.error).toBeNull();
    expect(statuses).toEqual(expect.arrayContaining(["connecting", "live", "reconnecting"]));
  }, 20_000);

  test("tells a refused token from a server that is not there", async () => {
    const server = await started();
    server.saysHello = false;
    const refused = connected(server);
    await until(() => server.clients.length === 1);
    server.clients[0]?.socket.close(4401, "token expired");
    await until(() => refused.status === "failed");
    expect(refused.error).toMatchObject({ code: "unauthorized", message: expect.stringContaining("token expired") });

    await server.kill();
    const alone = connected(server);
    await until(() => alone.status === "reconnecting");
    expect(alone.error?.code).toBe("unreachable");
  });

  test("shows what the server refuses, and stays", async () => {
    const server = await started();
    const source = connected(server);
    const end = source.subscribe("waveform", () => undefined, { tap: "nonsense" });
    await until(() => source.error !== null);
    expect(source.error).toMatchObject({ code: "invalid-option", message: expect.stringContaining('tap: "nonsense"') });
    expect(source.status).toBe("live");
    const errors: unknown[] = [];
    source.onStatus(() => errors.push(source.error));
    end();
    await until(() => server.said(/waveform/).length === 2);
    // That it cannot be ended either is nobody's trouble.
    server.send(/stream/, JSON.stringify({ type: "error", code: "busy", message: "the last" }));
    await until(() => source.error !== null);
    expect(errors).toEqual([null, expect.objectContaining({ code: "refused", message: "the last" })]);
  });

  describe.each([true, false])("whose options are refused, multiplexed: %s,", (multiplex) => {
    test("has the error while somebody wants them, and not a frame", async () => {
      const server = await started();
      server.refused = { bands: "1 to 8192" };
      const source = connected(server, { multiplex });
      const seen: number[] = [];
      const errors: (string | undefined)[] = [];
      source.onStatus(() => errors.push(source.error?.message));
      const end = source.subscribe("spectrum", ({ frequencies }) => seen.push(frequencies.length), { bands: 0, fft_size: 512 });
      await until(() => source.error !== null);
      expect(source.error).toMatchObject({ code: "invalid-option", message: "bands: must be 1 to 8192", hint: expect.stringMatching(/./) });
      // Other streams start and run, on sockets of their own or on this one.
      let n_meters = 0;
      source.subscribe("meters", () => (n_meters += 1));
      await until(() => server.said(/meters/).length === 1);
      const engine = await TestEngine.make();
      engine.subscribe("meters");
      // As an endpoint of one topic begins.
      if (!multiplex) engine.subscribe("spectrum");
      for (const message of engine.render(200)) for (const path of multiplex ? [/stream/] : [/meters/, /spectrum/]) server.send(path, message);
      await until(() => n_meters > 0);
      expect(seen).toEqual([]);
      expect(source.error?.code).toBe("invalid-option");
      end();
      expect(source.error).toBeNull();
      expect(errors.filter((message) => message === undefined), "nothing took it away").toHaveLength(errors.length - 1);
    });

    test("is asked again for a track that is there later", async () => {
      const server = await started();
      const source = connected(server, { multiplex });
      source.subscribe("spectrum", () => undefined, { tap: "nonsense" });
      await until(() => source.error !== null);
      const path = multiplex ? /stream/ : /spectrum/;
      const n_asked = server.said(/spectrum/).length;
      server.send(path, JSON.stringify(server.hello()));
      await until(() => server.said(/spectrum/).length > n_asked);
      expect(server.said(/spectrum/).at(-1)).toMatchObject({ type: "subscribe", tap: "nonsense" });
    });

    test("no longer hides what is wrong with another one", async () => {
      const server = await started();
      server.refused = { bands: "1 to 8192", samples: "16 to 8192" };
      const source = connected(server, { multiplex });
      const end = source.subscribe("spectrum", () => undefined, { bands: 0 });
      await until(() => source.error !== null);
      end();
      source.subscribe("waveform", () => undefined, { samples: 0 });
      await until(() => source.error !== null);
      expect(source.error?.message).toBe("samples: must be 16 to 8192");
    });

    test.each([
      [{ fps: 0 }, /^fps: 0 /], [{ fps: 121 }, /^fps: 121 /], [{ fps: -5 }, /^fps: -5 /], [{ fps: NaN }, /^fps: NaN /],
      [{ bands: 1.5 }, /^bands: /], [{ nope: 1 }, /^nope: /],
    ])("as %o is, which needs no server, keeps its error too", async (opts, message) => {
      const server = await started();
      const source = connected(server, { multiplex });
      await until(() => source.status === "live");
      let n_frames = 0;
      const ends = [source.subscribe("spectrum", () => (n_frames += 1), opts as object), source.subscribe("spectrum", () => (n_frames += 1))];
      expect(source.error).toMatchObject({ code: "invalid-option", message: expect.stringMatching(message) });
      await until(() => server.said(/spectrum/).some(({ type }) => type === "subscribe"));
      const engine = await TestEngine.make();
      engine.subscribe("spectrum");
      for (const bytes of engine.render(200)) server.send(/spectrum/, bytes);
      await until(() => n_frames > 0);
      expect(source.error).toMatchObject({ code: "invalid-option", message: expect.stringMatching(message) });
      ends[0]!();
      expect(source.error).toBeNull();
    });
  });

  test("gives what was refused to the stream that the server names, and to no other that it may be", async () => {
    const server = await started();
    const source = connected(server);
    const refuse = (message: string, tap: string) =>
      server.send(/stream/, JSON.stringify({ type: "error", code: "invalid_option", message, topic: "spectrum", tap }));
    const ends = ["master", "input"].map((tap) => source.subscribe("spectrum", () => undefined, { tap, bands: 8 }));
    await until(() => server.said(/spectrum/).length === 2);
    // What older servers say of neither an option nor a tap is no stream's, and stays.
    for (const message of ["bands: must be 16 to 8192", "a socket has at most 32 streams"]) {
      refuse(message, "input");
      await until(() => source.error?.message === message);
    }
    refuse("tap: is gone", "nobody");
    ends[1]!();
    expect(source.error).toBeNull();
    server.send(/stream/, JSON.stringify({ type: "error", code: "busy", message: "the last" }));
    await until(() => source.error !== null);
    expect(source.error).toMatchObject({ code: "refused", message: "the last" });
  });

  test("asks again for what was refused when other taps are there", async () => {
    const server = await started();
    server.refused = { samples: "16 to 8192" };
    const source = connected(server);
    let n_frames = 0;
    source.subscribe("waveform", () => (n_frames += 1), { samples: 16 });
    await until(() => source.error !== null);
    server.refused = {};
    server.send(/stream/, JSON.stringify({ ...server.hello(), epoch: 1 }));
    await until(() => server.said(/waveform/).length === 2);
    expect(source.error).toBeNull();
    const engine = await TestEngine.make();
    engine.subscribe("waveform", 30, { samples: 16 });
    for (const bytes of engine.render(200)) server.send(/stream/, bytes);
    await until(() => n_frames > 0);
  });

  test("fails with a reason when it cannot read what the server says first", async () => {
    const server = await started();
    server.trackId = "track-1";
    const source = connected(server);
    await until(() => source.status === "failed");
    expect(source.error).toMatchObject({ name: "AntiphonError", code: "protocol", hint: expect.stringContaining("same version") });
    expect(source.error!.message).toMatch(/hello cannot be read: .*UUID/i);
    await until(() => server.clients.length === 0, "the socket is closed");
  });

  test("hands out no frame of the options that an endpoint begins with", async () => {
    const server = await started();
    server.isSlow = true;
    const source = connected(server);
    const seen: number[] = [];
    source.subscribe("spectrum", ({ frequencies }) => seen.push(frequencies.length), { bands: 32 });
    await until(() => server.said(/spectrum/).length === 1);
    const engine = await TestEngine.make();
    engine.subscribe("spectrum");
    for (const message of engine.render(200)) server.send(/spectrum/, message);
    server.send(/spectrum/, JSON.stringify({ type: "error", code: "last", message: "all frames were sent" }));
    await until(() => source.error?.message === "all frames were sent");
    let n_drawn = 0;
    const stop = onFrame(() => (n_drawn += 1));
    await until(() => n_drawn >= 2, "what came is handed out");
    stop();
    expect(seen).toEqual([]);
    server.isSlow = false;
    server.answer();
    const next = await TestEngine.make();
    next.subscribe("spectrum", 30, { bands: 32 });
    for (const message of next.render(200)) server.send(/spectrum/, message);
    await until(() => seen.length > 0);
    expect(new Set(seen)).toEqual(new Set([32]));
  });

  test("asks for loudness to be started anew, and says what became of it", async () => {
    const server = await started();
    const source = connected(server, { token: "secret" });
    const asked: [string, RequestInit | undefined][] = [];
    const answers = [
      new Response(null, { status: 204 }),
      Response.json({ type: "/problems/invalid-value", title: "Unprocessable", status: 422, detail: "tap: no such", errors: [] }, { status: 422 }),
    ];
    vi.stubGlobal("fetch", (url: string, init?: RequestInit) => {
      asked.push([url, init]);
      return Promise.resolve(answers.shift());
    });
    await source.resetLoudness("master");
    expect(asked).toEqual([[`http://127.0.0.1:${server.port}/api/loudness/reset`, expect.objectContaining({ method: "POST", body: '{"tap":"master"}' })]]);
    expect((asked[0]![1]!.headers as Headers).get("authorization")).toBe("Bearer secret");
    await expect(source.resetLoudness("x")).rejects.toMatchObject({ code: "invalid-value", message: "tap: no such", status: 422 });
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
    await expect(source.resetLoudness()).rejects.toMatchObject({ code: "unreachable", status: 0 });
  });

  test("reports options out of range without asking the server", async () => {
    const server = await started();
    const source = connected(server);
    await until(() => source.status === "live");
    source.subscribe("spectrum", () => undefined, { fps: 500 });
    expect(source.error).toMatchObject({ code: "invalid-option", message: expect.stringContaining("500") });
    const wrong = [{ fft_size: "4096" }, { bands: 1.5 }, { channels: 300 }, { window: "none" }, { colour: 1 }, { once: true }];
    const said = wrong.map((options) => {
      source.subscribe("spectrum", () => undefined, options as object);
      return source.error?.message;
    });
    expect(said).toEqual([
      "fft_size: must be a number", "bands: must be a whole number", "channels: is out of range",
      expect.stringMatching(/^window: must be one of .*hann/), "colour: is not known", "once: not an option of spectrum",
    ]);
  });

  test("is over when it is closed", async () => {
    const server = await started();
    const source = connected(server, { multiplex: false });
    source.subscribe("meters", () => undefined);
    await until(() => source.status === "live" && server.clients.length === 2);
    source.close();
    source.close();
    await until(() => server.clients.length === 0);
    expect(source.status).toBe("closed");
  });

  test.each([
    "http://[", "localhost:7301", "127.0.0.1:7301", "ftp://x", "javascript:alert(1)", "server.lan", undefined, 5,
  ])("fails with a reason for %j, which is no URL of a server", async (url) => {
    vi.stubGlobal("location", new URL("http://127.0.0.1:9/lab/page.html"));
    const source = connect(url as string, { wasm });
    open.unshift(source);
    await until(() => source.status === "failed");
    vi.stubGlobal("location", undefined);
    expect(source.error).toMatchObject({ code: "invalid-url", hint: expect.stringContaining("http://host:port") });
  });

  test.each([[""], ["/"], ["ws://127.0.0.1"], [new URL("http://127.0.0.1/")]])("reaches a server by %j", async (url) => {
    const server = await started();
    vi.stubGlobal("location", new URL(`http://127.0.0.1:${server.port}/lab/page.html`));
    const withPort = String(url).replace("127.0.0.1", `127.0.0.1:${server.port}`);
    const source = connect((url instanceof URL ? new URL(withPort) : withPort) as string, { wasm });
    open.unshift(source);
    await until(() => source.status === "live");
    vi.stubGlobal("location", undefined);
    expect(server.clients[0]?.path).toBe("/api/ws/stream");
  });

  test.each([
    [{ encoding: "foo" }, /^encoding: "foo"/], [{ token: "two words" }, /^token: /], [{ token: "a,b" }, /^token: /],
  ])("fails with a reason where it is asked for %j", async (opts, message) => {
    const server = await started();
    const source = connected(server, opts as object);
    await until(() => source.status === "failed");
    expect(source.error).toMatchObject({ code: "invalid-option", message: expect.stringMatching(message), hint: expect.stringMatching(/./) });
    expect(server.n_opened).toBe(0);
  });
});

describe("frames", () => {
  test("arrive as the engine made them, in objects that are reused", async () => {
    const server = await started();
    const source = connected(server);
    const got: FrameOf<"spectrum">[] = [];
    const arrays = new Set<Float32Array>();
    source.subscribe("spectrum", (frame) => {
      got.push(frame);
      arrays.add(frame.magnitudes);
    }, { wide: true });
    await until(() => server.said(/spectrum/).length === 1);
    const engine = await TestEngine.make();
    engine.subscribe("spectrum", 30, { wide: true });
    for (const message of engine.render(400)) {
      server.send(/spectrum/, message);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await until(() => got.length > 10);
    const frame = got.at(-1)!;
    expect(new Set(got).size).toBe(1);
    expect(arrays.size).toBe(1);
    expect(frame).toMatchObject({ type: "spectrum", tap: "master", sample_rate: 48_000, scale: "log", channels: 1, epoch: 7 });
    expect(frame.magnitudes.length).toBe(frame.frequencies.length);
    const loudest = frame.magnitudes.indexOf(Math.max(...frame.magnitudes));
    const hz = frame.frequencies[loudest]!;
    // The lead plays A4, then A5: what sounds is one of them or a partial.
    expect(Math.abs((hz / 440) - Math.round(hz / 440))).toBeLessThan(0.06);
    expect(source.latest("spectrum", { wide: true })).toBe(frame);
    expect(source.latest("spectrum")).toBeNull();
  });

  test("that nobody drew are merged: peaks and clips survive", async () => {
    const server = await started();
    const source = connected(server, { encoding: "json" });
    const frames: { peak: number; clips: number; dropped: number; rms: number }[] = [];
    source.subscribe("meters", (frame) => {
      const [track] = frame.tracks;
      frames.push({ peak: track!.peak_left, clips: track!.clips, dropped: frame.dropped, rms: track!.rms_left });
    });
    await until(() => server.said(/meters/).length === 1);
    const levels = (peak: number, rms: number, clips: number) => ({
      peak_left: peak, peak_right: peak, rms_left: rms, rms_right: rms, true_peak_left: peak, true_peak_right: peak, clips,
    });
    const meters = (seq: number, peak: number, rms: number, clips: number) => JSON.stringify({
      type: "meters", seq, epoch: 1, dropped: 0, sample_position: seq * 1600,
      tracks: [{ track_id: TRACK_ID, name: "Lead", ...levels(peak, rms, clips) }],
      master: {
        ...levels(peak, rms, clips), lufs_momentary: -20, lufs_short_term: -20, lufs_integrated: -20, lra: 0, correlation: 1,
      },
    });
    // Three in one turn of the event loop: no animation frame comes between them.
    for (const [seq, peak, clips] of [[1, -20, 0], [2, -1, 2], [3, -30, 1]] as const) {
      server.send(/meters/, meters(seq, peak, -40, clips));
    }
    await until(() => frames.length > 0);
    await until(() => frames.reduce((sum, { clips }) => sum + clips, 0) === 3);
    expect(Math.max(...frames.map(({ peak }) => peak))).toBeCloseTo(-1, 2);
    expect(frames.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(3 - frames.length);
    expect(frames[0]!.rms).toBeCloseTo(-40, 2);
  });

  test("say in JSON what the server said", async () => {
    const server = await started();
    const source = connected(server, { encoding: "json", multiplex: true });
    const numbers = { epoch: 1, dropped: 0, seq: 7, sample_position: 4800 };
    const place = { ...numbers, tap: TRACK_ID, sample_rate: 48_000 };
    const frames = [
      { type: "transport", ...numbers, is_playing: true, is_paused: false, is_recording: false, position_beats: 4.5, position_seconds: 2.25,
        tempo: 120, time_signature_num: 7, time_signature_den: 8, loop_enabled: true, loop_start: 4, loop_end: 8, metronome_enabled: true,
        armed_track_id: TRACK_ID, count_in_beats: 3, active_notes: [{ track_id: TRACK_ID, pitch: 60, velocity: 100 }], server_time: 1e12,
        composition_revision: 7, discontinuity: true },
      { type: "spectrum", ...place, fft_size: 2048, scale: "log", channels: 1, frequencies: [20, 2000], magnitudes: [-60, -12.5] },
      { type: "waveform", ...place, min_left: [-0.5], max_left: [0.25], rms_left: [0.125], min_right: [0], max_right: [1], rms_right: [0.5] },
      { type: "music", ...numbers, tap: TRACK_ID, key_name: "D minor", key: { tonic: 2, mode: "minor" }, key_strength: 0.75, pitch_hz: null,
        pitch_clarity: 0.5, chroma: Array(12).fill(0.5), tuning_cents: -3, bpm: 99.5, bpm_strength: 1, n_onsets: 3,
        last_onset: { position: 4000, strength: 2 } },
      { type: "analytics", ...numbers, cpu_usage: 0.25, memory_usage: 2 ** 40, active_voices: 1, active_tracks: 2, sample_rate: 48_000,
        buffer_size: 128, latency_ms: 12.5, xruns: 0, clients: 3, frames_sent: 2 ** 33, frames_merged: 1, device: "none" },
    ] as const;
    for (const { type } of frames) source.subscribe(type, () => undefined, { tap: TRACK_ID });
    await until(() => server.said(/stream/).length >= frames.length);
    for (const frame of frames) server.send(/stream/, JSON.stringify(frame));
    await until(() => source.latest("analytics", { tap: TRACK_ID }) !== null);
    const plain = (value: unknown) => JSON.parse(JSON.stringify(value, (_, it) => (it instanceof Float32Array ? [...it] : it))) as unknown;
    expect(frames.map(({ type }) => plain(source.latest(type, { tap: TRACK_ID })))).toEqual(frames);
  });

  test("of streams that nobody wants are declined once", async () => {
    const server = await started();
    connected(server, { encoding: "json" });
    await until(() => server.clients.length === 1);
    const waveform = { type: "waveform", seq: 1, epoch: 1, dropped: 0, tap: "master", sample_position: 0, sample_rate: 48_000, samples_left: [0], samples_right: [0] };
    await until(() => server.clients[0]?.socket.readyState === WebSocket.OPEN);
    server.send(/stream/, JSON.stringify(waveform));
    server.send(/stream/, JSON.stringify(waveform));
    await until(() => server.said(/stream/).length > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.said(/stream/)).toEqual([{ type: "unsubscribe", topic: "waveform", tap: "master" }]);
  });

  test("survive a subscriber that throws, and bytes that are no frames", async () => {
    const errors = vi.spyOn(console, "error").mockImplementation(() => undefined);
    vi.stubGlobal("reportError", undefined);
    const server = await started();
    const source = connected(server);
    let n_frames = 0;
    source.subscribe("waveform", () => {
      throw new Error("a subscriber's own mistake");
    });
    source.subscribe("waveform", () => void (n_frames += 1));
    await until(() => server.said(/waveform/).length === 1);
    const engine = await TestEngine.make();
    engine.subscribe("waveform");
    server.send(/waveform/, Uint8Array.from({ length: 100 }, (_, idx) => idx * 37));
    server.send(/waveform/, "no JSON");
    for (const message of engine.render(100)) server.send(/waveform/, message);
    await until(() => n_frames > 0);
    expect(errors).toHaveBeenCalled();
    errors.mockRestore();
  });
});
