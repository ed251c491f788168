import { beforeEach, describe, expect, it, vi } from "vitest";

const { server, transport, compositions, remote, local, make } = vi.hoisted(() => {
  const spec = (name: string) => ({ id: name, name, tempo: [], time_signatures: [], length: 96 * 960, tracks: [] });
  const transport = {
    is_playing: true,
    position_beats: 10,
    position_seconds: 5,
    tempo: 120,
    loop_enabled: true,
    loop_start: 8,
    loop_end: 16,
    metronome_enabled: true,
  };
  const listeners = new Set<(frame: unknown) => void>();
  const watchers = new Set<() => void>();
  const server = {
    kind: "server",
    status: "live",
    error: null,
    hello: {},
    onStatus: (cb: () => void) => {
      watchers.add(cb);
      return () => watchers.delete(cb);
    },
    become: (status: string) => {
      server.status = status;
      watchers.forEach((cb) => cb());
    },
    subscribe: (_topic: string, cb: (frame: unknown) => void) => {
      listeners.add(cb);
      return () => listeners.delete(cb);
    },
    playhead: () => null,
    send: (frame: unknown) => listeners.forEach((cb) => cb(frame)),
    forget: () => [listeners, watchers].forEach((set) => set.clear()),
  };
  const command = () => vi.fn(() => Promise.resolve({}));
  const local = {
    kind: "local",
    status: "live",
    error: null,
    onStatus: () => () => undefined,
    composition: null as { id: string } | null,
    context: { suspend: vi.fn(() => Promise.resolve()), decodeAudioData: vi.fn() },
    playback: {
      play: command(),
      pause: command(),
      seek: command(),
      setLoop: command(),
      setTempo: command(),
      setMetronome: command(),
    },
    preload: vi.fn(() => Promise.resolve()),
    load: vi.fn((data: { id?: string }, name: string) => {
      local.composition = { ...spec(name), id: data.id ?? name };
      return Promise.resolve(local.composition);
    }),
    resume: vi.fn(() => Promise.resolve()),
    setInput: vi.fn(),
    latest: () => null,
  };
  const compositions = {
    list: vi.fn(() => Promise.resolve({ items: [{ id: "1", name: "One", loaded: true }] })),
    get: vi.fn(() => Promise.resolve(spec("One"))),
    importMidi: vi.fn((_bytes: unknown, name: string) => Promise.resolve({ ...spec(name), id: "2" })),
    importAudio: vi.fn((_bytes: unknown, { name }: { name: string }) => Promise.resolve({ ...spec(name), id: "3" })),
    load: vi.fn(() => Promise.resolve({})),
  };
  const remote = {
    compositions,
    playback: { play: command(), setLoop: command() },
    samples: { file: vi.fn((_id: string) => Promise.resolve(new ArrayBuffer(8))) },
  };
  return { server, transport, compositions, remote, local, make: vi.fn(() => Promise.resolve(local)) };
});

// The package's own failover, between a server and an engine that are none.
vi.mock("antiphon", async (importActual) => ({
  ...(await importActual<typeof import("antiphon")>()),
  connect: () => server,
  createLocalSource: make,
  preloadOffline: vi.fn(() => Promise.resolve()),
}));
vi.mock("antiphon/rest", async (importActual) => ({
  ...(await importActual<typeof import("antiphon/rest")>()),
  createRestClient: () => remote,
}));

/** Machines are busy. */
const PATIENCE_MS = 20_000;

const load = async () => ({
  ...(await import("../src/app/session")),
  ...(await import("../src/app/input")),
  ...(await import("../src/app/compositions")),
  ...(await import("../src/app/notices")),
  ...(await import("../src/app/connection")),
  ...(await import("../src/app/imports")),
  ...(await import("../src/app/standIn")),
});

beforeEach(() => {
  vi.resetModules();
  vi.clearAllMocks();
  compositions.list.mockResolvedValue({ items: [{ id: "1", name: "One", loaded: true }] });
  local.composition = null;
  server.forget();
  server.status = "live";
  vi.stubGlobal("AudioContext", class { close = () => Promise.resolve(); });
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(new Uint8Array([77, 84, 104, 100]))));
});

describe("the switch to this browser", () => {
  it("goes on where the server is, in the server's composition", async () => {
    const page = await load();
    await page.queryClient.fetchQuery(page.serverComposition);
    expect(page.cachedServerComposition()?.name).toBe("One");
    server.send(transport);
    await page.switchToBrowser();
    expect(page.session.getState()).toMatchObject({ mode: "browser", source: local, choiceId: "server" });
    expect(local.resume).toHaveBeenCalled();
    expect(local.playback.seek).toHaveBeenCalledWith({ position_beats: 10 });
    expect(local.playback.setLoop).toHaveBeenCalledWith({ enabled: true, start_beats: 8, end_beats: 16 });
    expect(local.playback.setTempo).toHaveBeenCalledWith({ bpm: 120 });
    expect(local.playback.play).toHaveBeenCalled();
  });

  it("plays the bundled file when the server plays none that is known, and then keeps no positions", async () => {
    compositions.list.mockResolvedValue({ items: [] });
    const page = await load();
    server.send(transport);
    await page.switchToBrowser();
    expect(page.session.getState().choiceId).toBe("bundled");
    expect(local.load.mock.calls[0]![0]).toBeInstanceOf(ArrayBuffer);
    // What is changed of it is kept under its own name, and told from the bundled one by that.
    expect(local.load.mock.calls[0]![1]).toBe("Antiphon");
    expect(local.playback.seek).not.toHaveBeenCalled();
    expect(local.playback.play).toHaveBeenCalled();
  });

  it("stays silent when the server did not play", async () => {
    const page = await load();
    server.send({ ...transport, is_playing: false });
    await page.switchToBrowser();
    expect(local.playback.play).not.toHaveBeenCalled();
  });

  it("tells what failed and what to do, and stays with the server", async () => {
    const page = await load();
    const { AntiphonError } = await import("antiphon");
    make.mockRejectedValueOnce(new AntiphonError("no-audio-worklet", "no AudioWorklet here", "open it over https"));
    await page.switchToBrowser();
    expect(page.session.getState()).toMatchObject({ mode: "server", isSwitching: false });
    expect(page.notices.getState().list).toMatchObject([
      { kind: "error", title: "This browser cannot play", detail: "no AudioWorklet here", hint: "open it over https" },
    ]);
  });

  it("is called off by who wants the server after all", async () => {
    const page = await load();
    server.send(transport);
    let made: () => void = () => undefined;
    make.mockImplementationOnce(() => new Promise((done) => (made = () => done(local))));
    const switched = page.switchToBrowser();
    expect(page.session.getState().isSwitching).toBe(true);
    page.switchToServer();
    expect(page.session.getState()).toMatchObject({ mode: "server", isSwitching: false });
    made();
    await switched;
    expect(page.session.getState()).toMatchObject({ mode: "server", source: server, isSwitching: false });
    expect(local.playback.play).not.toHaveBeenCalled();
    expect(page.player.active).toBe("primary");
    await page.switchToBrowser();
    expect(page.session.getState()).toMatchObject({ mode: "browser", source: local });
  });

  it("opens what was chosen last while it is under way", async () => {
    const page = await load();
    let made: () => void = () => undefined;
    make.mockImplementationOnce(() => new Promise((done) => (made = () => done(local))));
    const kept = (id: string) => ({ id, name: id, tempo: [], time_signatures: [], length: 960, tracks: [] }) as never;
    const opened = [page.openKept(kept("first")), page.openKept(kept("last"))];
    made();
    await Promise.all(opened);
    expect(page.session.getState()).toMatchObject({ mode: "browser", choiceId: "kept:last" });
    expect(local.load.mock.calls.map(([{ id }]) => id)).not.toContain("first");
  });

  it("back to the server, the browser falls silent and lets its input go", async () => {
    const page = await load();
    await page.switchToBrowser();
    page.setTap("input");
    page.switchToServer();
    expect(page.session.getState()).toMatchObject({ mode: "server", source: server, tap: "master" });
    await vi.waitFor(() => expect(local.context.suspend).toHaveBeenCalled(), PATIENCE_MS);
    expect(local.playback.pause).toHaveBeenCalled();
  });
});

it("a server that is gone is stood in for as soon as the engine is made, however long that takes", async () => {
  vi.useFakeTimers();
  const page = await load();
  let made: () => void = () => undefined;
  make.mockImplementationOnce(() => new Promise((done) => (made = () => done(local))));
  page.watchServerLoss();
  page.warmUp();
  server.become("reconnecting");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.session.getState().mode).toBe("server");
  made();
  await vi.advanceTimersByTimeAsync(1);
  expect(page.session.getState()).toMatchObject({ mode: "browser", isSwitching: false });
  expect(page.standIn.getState().isActive).toBe(true);
  vi.useRealTimers();
});

describe("answers that come late", () => {
  const shown = { tempo: [], time_signatures: [], length: 0, tracks: [] };

  it("do not take back what was changed meanwhile, and show another composition all the same", async () => {
    const page = await load();
    const show = (id: string, name: string) => page.queryClient.setQueryData(page.serverComposition.queryKey, { ...shown, id, name } as never);
    for (const [id, name] of [["One", "Changed"], ["Two", "One"]] as const) {
      let answer: (spec: object) => void = () => undefined;
      compositions.get.mockImplementationOnce(() => new Promise((done) => (answer = done as never)));
      const fetched = page.queryClient.fetchQuery({ ...page.serverComposition, staleTime: 0 });
      await vi.waitFor(() => expect(compositions.get).toHaveBeenCalled(), PATIENCE_MS);
      compositions.get.mockClear();
      show(id, "Changed");
      answer({ ...shown, id: "One", name: "One" });
      await fetched;
      expect(page.cachedServerComposition()?.name).toBe(name);
    }
  });

  it("of what was opened do not, either", async () => {
    const page = await load();
    let answer: (state: object) => void = () => undefined;
    remote.playback.setLoop.mockImplementationOnce(() => new Promise((done) => (answer = done)));
    const opened = page.playOnServer({ ...shown, id: "One", name: "One", length: 960 } as never);
    await vi.waitFor(() => expect(remote.playback.setLoop).toHaveBeenCalled(), PATIENCE_MS);
    expect(page.cachedServerComposition()?.name).toBe("One");
    page.queryClient.setQueryData(page.serverComposition.queryKey, { ...shown, id: "One", name: "Changed" } as never);
    answer({});
    await opened;
    expect(page.cachedServerComposition()?.name).toBe("Changed");
  });
});

describe("files and microphone", () => {
  it("tells which file could not be decoded", async () => {
    const page = await load();
    await page.switchToBrowser();
    local.context.decodeAudioData.mockRejectedValueOnce(new Error("EncodingError"));
    await page.openFile(new File(["x"], "notes.wav", { type: "audio/wav" }));
    const [notice] = page.notices.getState().list;
    expect(notice?.title).toContain("notes.wav");
    expect(notice?.hint).toContain("WAV");
    expect(page.input.getState()).toMatchObject({ input: { kind: "none" }, isOpening: false });
  });

  it("shows the file that was opened last, also when another one takes longer to decode", async () => {
    vi.stubGlobal("AudioBufferSourceNode", class { start = () => undefined; stop = () => undefined; });
    const page = await load();
    await page.switchToBrowser();
    const decoded: ((buffer: object) => void)[] = [];
    local.context.decodeAudioData.mockImplementation(() => new Promise((done) => decoded.push(done)));
    const opened = ["long.wav", "short.wav"].map((name) => page.openFile(new File(["x"], name)));
    await vi.waitFor(() => expect(decoded).toHaveLength(2), PATIENCE_MS);
    for (const done of decoded.reverse()) done({ duration: 1 });
    await Promise.all(opened);
    expect(page.input.getState()).toMatchObject({ input: { kind: "file", name: "short.wav" }, isOpening: false });
  });

  it("forgets a file that is still being decoded when something else is opened or the server is shown", async () => {
    const page = await load();
    const kept = { id: "kept", name: "Kept", tempo: [], time_signatures: [], length: 960, tracks: [] } as never;
    const leaves = [() => page.openFile(new File(["MThd"], "song.mid")), () => page.openKept(kept), async () => page.switchToServer()];
    for (const leave of leaves) {
      await page.switchToBrowser();
      let decoded: (buffer: object) => void = () => undefined;
      local.context.decodeAudioData.mockImplementationOnce(() => new Promise((done) => (decoded = done)));
      const opened = page.openFile(new File(["x"], "long.wav"));
      await vi.waitFor(() => expect(page.input.getState().isOpening).toBe(true), PATIENCE_MS);
      await leave();
      decoded({ duration: 1 });
      await opened;
      expect(page.input.getState()).toMatchObject({ input: { kind: "none" }, isOpening: false });
      expect(page.session.getState().tap).toBe("master");
    }
  });

  it("loads a MIDI file instead of measuring it", async () => {
    const page = await load();
    await page.switchToBrowser();
    await page.openFile(new File(["MThd"], "Song.MID"));
    expect(local.load).toHaveBeenLastCalledWith(expect.any(ArrayBuffer), "Song", { samples: expect.any(Function) });
    expect(page.choices().map(({ label }) => label)).toContain("Song");
    expect(local.context.decodeAudioData).not.toHaveBeenCalled();
  });

  it("gives a file to the server while the server is shown, which plays it round", async () => {
    const page = await load();
    await page.openFile(new File(["RIFF"], "Take 1.wav"));
    expect(compositions.importAudio).toHaveBeenCalledWith(expect.any(ArrayBuffer), { name: "Take 1" });
    expect(compositions.load).toHaveBeenLastCalledWith("3");
    expect(remote.playback.setLoop).toHaveBeenCalledWith({ enabled: true, start_beats: 0, end_beats: 96 });
    expect(remote.playback.play).toHaveBeenCalled();
    expect(page.cachedServerComposition()?.name).toBe("Take 1");
    await page.openFile(new File(["MThd"], "Song.mid"));
    expect(compositions.load).toHaveBeenLastCalledWith("2");
    expect(page.session.getState().mode).toBe("server");
    expect(local.load).not.toHaveBeenCalled();
    const long = await compositions.importAudio(null, { name: "Long" });
    // Of two, the one that was opened last plays, also when the other one takes longer.
    let stored: () => void = () => undefined;
    compositions.importAudio.mockReturnValueOnce(new Promise((done) => (stored = () => done(long))));
    const slow = page.openFile(new File(["RIFF"], "Long.wav"));
    await page.openFile(new File(["MThd"], "Song.mid"));
    const nLoads = compositions.load.mock.calls.length;
    stored();
    await slow;
    expect(compositions.load).toHaveBeenCalledTimes(nLoads);
    compositions.importAudio.mockRejectedValueOnce(new Error("not a recording"));
    await page.openFile(new File(["x"], "notes.wav"));
    expect(page.notices.getState().list.at(-1)).toMatchObject({ kind: "error", title: "notes.wav was not imported", detail: "not a recording" });
    expect(page.input.getState().isOpening).toBe(false);
  });

  it.each([
    ["NotAllowedError", "refused"],
    ["NotFoundError", "no microphone"],
    ["NotReadableError", "another program"],
  ])("says what to do about %s", async (name, word) => {
    const page = await load();
    const getUserMedia = () => Promise.reject(new DOMException("", name));
    vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
    await page.openMicrophone();
    const [notice] = page.notices.getState().list;
    expect(notice?.detail).toContain(word);
    expect(notice?.hint).toContain("open it again");
    expect(page.session.getState().tap).toBe("master");
  });

  it("says why an insecure page has no microphone", async () => {
    const page = await load();
    vi.stubGlobal("navigator", {});
    await page.openMicrophone();
    expect(page.notices.getState().list[0]?.hint).toContain("https");
  });
});

describe("notices", () => {
  it("do not repeat themselves, and are few", async () => {
    const { notify, notices } = await load();
    for (let n = 0; n < 3; n++) notify("error", "Same", "hint");
    expect(notices.getState().list).toHaveLength(1);
    for (let n = 0; n < 9; n++) notify("error", `No ${n}`);
    expect(notices.getState().list.map(({ title }) => title)).toEqual(["No 5", "No 6", "No 7", "No 8"]);
  });
});
