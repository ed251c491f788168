import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const { server, rest, player, history, stored } = vi.hoisted(() => {
  const stored = { id: "1", name: "One", tempo: [], time_signatures: [], length: 3840, tracks: [], buses: [] };
  const history = (step: number, more = {}) => ({
    items: [{ step, changed_at: "then", current: true }],
    can_undo: true,
    can_redo: false,
    ...more,
  });
  const listeners = new Set<() => void>();
  let onTransport: (frame: unknown) => void = () => undefined;
  const server = {
    kind: "server",
    status: "live",
    error: null,
    hello: {},
    onStatus: (cb: () => void) => {
      listeners.add(cb);
      return () => listeners.delete(cb);
    },
    subscribe: (_topic: string, cb: (frame: unknown) => void) => {
      onTransport = cb;
      return () => undefined;
    },
    become: (status: string) => {
      server.status = status;
      listeners.forEach((cb) => cb());
    },
    revise: (composition_revision: number) => onTransport({ composition_revision }),
  };
  const rest = {
    compositions: {
      history: vi.fn((): Promise<ReturnType<typeof history>> => Promise.resolve(history(1))),
      get: vi.fn(() => Promise.resolve(stored)),
      patch: vi.fn(() => Promise.resolve(stored)),
      undo: vi.fn(() => Promise.resolve(stored)),
      redo: vi.fn(() => Promise.resolve(stored)),
    },
  };
  return { server, rest, player: { refresh: vi.fn(() => Promise.resolve(null)) }, history, stored };
});

vi.mock("antiphon", async (importActual) => ({
  ...(await importActual<typeof import("antiphon")>()),
  connect: () => server,
  failover: () => player,
}));
vi.mock("antiphon/rest", async (importActual) => ({
  ...(await importActual<typeof import("antiphon/rest")>()),
  createRestClient: () => rest,
}));

const { compositions } = rest;

/** The page, with the server's composition shown and its newest step seen. */
async function load() {
  const page = {
    ...(await import("../src/edit/editor")),
    ...(await import("../src/app/compositions")),
    ...(await import("../src/app/connection")),
    ...(await import("../src/app/notices")),
    ...(await import("../src/app/session")),
  };
  page.queryClient.setQueryData(page.serverComposition.queryKey, stored as never);
  ends.push(page.watchEdits());
  server.revise(1);
  await vi.advanceTimersByTimeAsync(2000);
  vi.clearAllMocks();
  return page;
}

async function conflict(detail: string) {
  const { RestError } = await import("antiphon/rest");
  return new RestError(409, null, detail);
}

const rename = (name: string) => (spec: { name: string }) => (spec.name === name ? null : { ...spec, name }) as never;
const offerUndo = ({ notify }: typeof import("../src/app/notices")) =>
  notify("info", "Keys was deleted", "", { label: "Undo", run: () => undefined, isUndo: true });

const ends: (() => void)[] = [];

beforeEach(() => {
  vi.resetModules();
  vi.resetAllMocks();
  vi.useFakeTimers();
  server.status = "live";
  compositions.history.mockImplementation(() => Promise.resolve(history(1)));
  for (const call of ["get", "patch", "undo", "redo"] as const) compositions[call].mockImplementation(() => Promise.resolve(stored));
  player.refresh.mockImplementation(() => Promise.resolve(null));
});

afterEach(() => {
  for (const end of ends.splice(0)) end();
  vi.useRealTimers();
});

describe("what somebody else changes", () => {
  it("is shown meanwhile, and not asked for at each revision", async () => {
    const page = await load();
    let step = 1;
    // A slow connection: each answer is from when it was asked for, half a second ago.
    compositions.history.mockImplementation(async () => {
      const answer = history(step);
      await new Promise((done) => setTimeout(done, 500));
      return answer;
    });
    compositions.get.mockImplementation(() => Promise.resolve({ ...stored, name: `Step ${step}` }));
    for (let n = 0; n < 100; n += 1) {
      step += 1;
      server.revise(step);
      await vi.advanceTimersByTimeAsync(33);
    }
    expect(page.shownComposition()?.name).not.toBe("One");
    expect(compositions.history.mock.calls.length).toBeLessThanOrEqual(7);
    await vi.advanceTimersByTimeAsync(2000);
    expect(page.shownComposition()?.name).toBe("Step 101");
    // At the first change, and when it was over.
    expect(player.refresh).toHaveBeenCalledTimes(2);
  });

  it("is fetched later when it could not be: after a pause, and when the server is back", async () => {
    const page = await load();
    compositions.history.mockRejectedValueOnce(new Error("502"));
    compositions.get.mockResolvedValue({ ...stored, name: "Two" });
    compositions.history.mockResolvedValue(history(2));
    server.revise(2);
    await vi.advanceTimersByTimeAsync(500);
    expect(page.shownComposition()?.name).toBe("One");
    await vi.advanceTimersByTimeAsync(5000);
    expect(page.shownComposition()?.name).toBe("Two");
    compositions.history.mockRejectedValueOnce(new Error("gone"));
    server.revise(3);
    await vi.advanceTimersByTimeAsync(500);
    server.become("connecting");
    compositions.get.mockResolvedValue({ ...stored, name: "Three" });
    compositions.history.mockResolvedValue(history(3));
    server.become("live");
    await vi.advanceTimersByTimeAsync(500);
    expect(page.shownComposition()?.name).toBe("Three");
  });

  it("does not wait for an answer that never comes", async () => {
    const page = await load();
    compositions.history.mockImplementationOnce(() => new Promise(() => undefined));
    compositions.history.mockResolvedValue(history(2));
    compositions.get.mockResolvedValue({ ...stored, name: "Two" });
    server.revise(2);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(page.shownComposition()?.name).toBe("Two");
  });

  it("takes an offered Undo away; what was done here does not", async () => {
    const page = await load();
    page.edit(rename("Two"));
    offerUndo(page);
    compositions.history.mockResolvedValue(history(2));
    await vi.advanceTimersByTimeAsync(500);
    server.revise(2);
    await vi.advanceTimersByTimeAsync(500);
    expect(page.notices.getState().list).toHaveLength(1);
    compositions.history.mockResolvedValue(history(3));
    server.revise(3);
    await vi.advanceTimersByTimeAsync(500);
    expect(page.notices.getState().list).toHaveLength(0);
  });

  it("does not change Undo by an answer from before a change of our own", async () => {
    const page = await load();
    compositions.history.mockImplementationOnce(async () => {
      await new Promise((done) => setTimeout(done, 100));
      return history(2, { can_undo: false });
    });
    compositions.patch.mockImplementation(() => new Promise(() => undefined));
    server.revise(2);
    page.edit(rename("Two"));
    await vi.advanceTimersByTimeAsync(200);
    expect(page.steps.getState()).toEqual({ canUndo: true, canRedo: false });
    expect(page.shownComposition()?.name).toBe("Two");
  });
});

describe("Undo", () => {
  it("tells that a step's samples were deleted, and says nothing where there is no step", async () => {
    const page = await load();
    compositions.undo.mockRejectedValue(await conflict("samples of that state were deleted"));
    page.undo();
    await vi.advanceTimersByTimeAsync(500);
    expect(page.notices.getState().list).toMatchObject([{ kind: "error", title: "The undo was not made", detail: "samples of that state were deleted" }]);
    page.notices.setState({ list: [] });
    compositions.history.mockResolvedValue(history(1, { can_undo: false }));
    page.undo();
    await vi.advanceTimersByTimeAsync(500);
    expect(page.notices.getState().list).toEqual([]);
    expect(page.steps.getState().canUndo).toBe(false);
  });

  it("takes back a change that was made after one too many", async () => {
    const page = await load();
    compositions.undo.mockRejectedValueOnce(await conflict("there is no step before this one"));
    compositions.history.mockResolvedValue(history(1, { can_undo: false }));
    page.undo();
    page.edit(rename("Two"));
    page.undo();
    await vi.advanceTimersByTimeAsync(500);
    expect(compositions.patch).toHaveBeenCalledTimes(1);
    expect(compositions.undo).toHaveBeenCalledTimes(2);
  });
});

it("a mixer that is shown again is fetched again", async () => {
  const page = await load();
  page.queryClient.setQueryData(["antiphon", "mixer", 1], {});
  page.session.setState({ mode: "browser" });
  expect(page.queryClient.getQueryState(["antiphon", "mixer", 1])?.isInvalidated).toBe(true);
});
