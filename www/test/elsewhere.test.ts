import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Sent, ToWorker } from "../src/canvas/elsewhere";
import { canvasOf } from "./fakeCanvas";

const SIZE = { width: 20, height: 10 };

/** What `new Worker` made, and what it was told. */
class FakeWorker {
  static made: FakeWorker[] = [];
  onmessage: (() => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  readonly told: { message: ToWorker; transfer: Transferable[] }[] = [];
  readonly terminate = vi.fn();

  constructor() {
    FakeWorker.made.push(this);
  }

  postMessage(message: ToWorker, transfer: Transferable[]): void {
    this.told.push({ message, transfer });
  }

  /** Of the pictures of each message. */
  get pictures(): Sent[][] {
    return this.told.flatMap(({ message }) => ("pictures" in message ? [message.pictures] : []));
  }
}

/** A registry whose objects are lost when the test says so. */
class FakeRegistry {
  static lose: (held: unknown) => void = () => undefined;
  readonly register = vi.fn();

  constructor(lost: (held: unknown) => void) {
    FakeRegistry.lose = lost;
  }
}

const reported = vi.fn();

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  FakeWorker.made = [];
  reported.mockClear();
  vi.stubGlobal("Worker", FakeWorker);
  vi.stubGlobal("OffscreenCanvas", class {});
  vi.stubGlobal("FinalizationRegistry", FakeRegistry);
  vi.stubGlobal("reportError", reported);
  vi.stubGlobal("HTMLCanvasElement", class { transferControlToOffscreen() {} });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** The module as a page loads it, and its worker. */
async function load() {
  const { drawElsewhere, prepareElsewhere } = await import("../src/canvas/elsewhere");
  drawElsewhere();
  return { prepare: prepareElsewhere, worker: FakeWorker.made[0]! };
}

/** A canvas whose control is handed over as `given`. */
function transferable() {
  const { canvas, done } = canvasOf(1);
  const given = { given: true } as unknown as OffscreenCanvas;
  const transferred = vi.fn(() => given);
  return { canvas: Object.assign(canvas, { transferControlToOffscreen: transferred }), done, given, transferred };
}

/** As a painter that is called at each animation frame. */
function paint(prepare: typeof import("../src/canvas/elsewhere").prepareElsewhere, canvas: HTMLCanvasElement, text: string): void {
  prepare(canvas, SIZE)?.fillText(text, 1, 2);
}

const microtasks = () => Promise.resolve();

describe("pictures for a worker", () => {
  it("go out together once it runs, with a canvas the first time", async () => {
    const { prepare, worker } = await load();
    const [one, other] = [transferable(), transferable()];
    paint(prepare, one.canvas, "early");
    await microtasks();
    expect(one.transferred).not.toHaveBeenCalled();
    expect(worker.told).toEqual([]);

    worker.onmessage!();
    expect(worker.pictures.map((pictures) => pictures.map(({ words }) => words))).toEqual([[["early"]]]);

    for (const text of ["replaced", "newest"]) paint(prepare, one.canvas, text);
    paint(prepare, other.canvas, "another");
    await microtasks();
    expect(worker.pictures[1]!.map(({ words, canvas }) => [words, canvas])).toEqual([[["newest"], null], [["another"], other.given]]);
    expect(worker.told[0]!.transfer).toContain(one.given);
    expect(worker.told[1]!.transfer).not.toContain(one.given);
    expect(one.transferred).toHaveBeenCalledOnce();
    expect(one.done).toEqual([]);
  });

  it("of a canvas that is gone are forgotten", async () => {
    const { prepare, worker } = await load();
    worker.onmessage!();
    paint(prepare, transferable().canvas, "seen");
    await microtasks();
    const { id } = worker.pictures[0]![0]!;
    FakeRegistry.lose(id);
    expect(worker.told[1]!.message).toEqual({ gone: id });
  });

  it("go out without the one whose canvas cannot be handed over, which is reported", async () => {
    const { prepare, worker } = await load();
    worker.onmessage!();
    const [first, broken, last] = [transferable(), transferable(), transferable()];
    const error = new Error("it has a context");
    broken.transferred.mockImplementation(() => {
      throw error;
    });
    for (const [idx, { canvas }] of [first, broken, last].entries()) paint(prepare, canvas, String(idx));
    await microtasks();
    expect(worker.pictures[0]!.map(({ words, canvas }) => [words, canvas])).toEqual([[["0"], first.given], [["2"], last.given]]);
    expect(reported.mock.calls).toEqual([[error]]);
    paint(prepare, first.canvas, "next");
    await microtasks();
    expect(worker.pictures[1]!.map(({ words }) => words)).toEqual([["next"]]);
  });

  it("tell when the worker fails later", async () => {
    const { worker } = await load();
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    worker.onmessage!();
    worker.onerror!({ message: "no memory" });
    expect(logged).toHaveBeenCalledWith(expect.stringContaining("no memory"));
    expect(worker.terminate).not.toHaveBeenCalled();
  });
});

describe("pictures without a worker are drawn here", () => {
  it.each<[string, (worker: FakeWorker) => void]>([
    ["that fails", (worker) => worker.onerror!({ message: "refused" })],
    ["that does not answer", () => vi.advanceTimersByTime(3000)],
  ])("%s", async (_, fail) => {
    const { prepare, worker } = await load();
    const [early, late] = [transferable(), transferable()];
    paint(prepare, early.canvas, "early");
    await microtasks();
    expect(early.done).toEqual([]);
    fail(worker);
    expect(early.done.at(-1)).toEqual(["fillText", "early", 1, 2]);
    expect(worker.terminate).toHaveBeenCalledOnce();

    // Too late: nobody listens any more.
    worker.onmessage!();
    paint(prepare, early.canvas, "again");
    paint(prepare, late.canvas, "late");
    await microtasks();
    expect([early, late].map(({ done }) => done.at(-1)![1])).toEqual(["again", "late"]);
    expect(worker.told).toEqual([]);
    expect(early.transferred).not.toHaveBeenCalled();
  });

  it("that cannot be made", async () => {
    vi.stubGlobal("Worker", class {
      constructor() {
        throw new DOMException("not of this origin", "SecurityError");
      }
    });
    const { prepare } = await load();
    const { canvas, done } = transferable();
    paint(prepare, canvas, "here");
    expect(done.at(-1)).toEqual(["fillText", "here", 1, 2]);
  });

  it("also where one of them throws", async () => {
    const { prepare, worker } = await load();
    const [broken, fine] = [transferable(), transferable()];
    const error = new Error("no context");
    Object.assign(broken.canvas, { getContext: () => { throw error; } });
    paint(prepare, broken.canvas, "never");
    paint(prepare, fine.canvas, "seen");
    await microtasks();
    worker.onerror!({ message: "refused" });
    expect(fine.done.at(-1)).toEqual(["fillText", "seen", 1, 2]);
    expect(reported.mock.calls).toEqual([[error]]);
  });
});

describe("the worker", () => {
  it("draws the newest of each canvas once a frame, and the others where one throws", async () => {
    const frames: (() => void)[] = [];
    let hear: (event: { data: ToWorker }) => void = () => undefined;
    const said = vi.fn();
    vi.stubGlobal("addEventListener", (_: string, listener: typeof hear) => (hear = listener));
    vi.stubGlobal("requestAnimationFrame", (draw: () => void) => frames.push(draw));
    vi.stubGlobal("postMessage", said);
    await import("../src/canvas/worker");
    expect(said).toHaveBeenCalledWith("ready");

    const { Recorder } = await import("../src/canvas/record");
    const send = (id: number, text: string, canvas: unknown = null) => {
      const recorder = new Recorder(() => undefined);
      recorder.ctx.fillText(text, 1, 2);
      hear({ data: { pictures: [{ id, canvas: canvas as OffscreenCanvas | null, ...recorder.take() }] } });
    };
    const error = new Error("lost");
    const { canvas, done } = canvasOf(1);
    send(1, "never", { getContext: () => { throw error; } });
    send(2, "replaced", canvas);
    send(2, "newest");
    expect(frames).toHaveLength(1);
    frames.pop()!();
    expect(reported.mock.calls).toEqual([[error]]);
    expect(done.filter(([name]) => name === "fillText")).toEqual([["fillText", "newest", 1, 2]]);

    send(2, "next");
    expect(frames).toHaveLength(1);
    frames.pop()!();
    expect(done.at(-1)).toEqual(["fillText", "next", 1, 2]);

    hear({ data: { gone: 2 } });
    send(2, "gone");
    frames.pop()!();
    expect(done.at(-1)).toEqual(["fillText", "next", 1, 2]);
  });
});
