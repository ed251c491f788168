// The connection against a server that does its worst. Time is the test's; the sockets are real.
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connect } from "../src/server.ts";
import type { Source } from "../src/source.ts";
import { wasm } from "./engine.ts";
import { BrowserSocket, StreamServer, until } from "./stream-server.ts";

let server: StreamServer;
let source: Source;
/** The two events of a page that matter here. */
let page: EventTarget & { hidden: boolean };

beforeEach(async () => {
  vi.stubGlobal("WebSocket", BrowserSocket);
  page = Object.assign(new EventTarget(), { hidden: false });
  vi.stubGlobal("document", page);
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  server = await new StreamServer().start();
});
afterEach(async () => {
  source.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  await server.kill();
});

/** What the connection and its timers see as time. Sockets do without. */
const stopTime = () => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
const pass = (ms: number) => vi.advanceTimersByTime(ms);

function connected(port = server.port, opts: Parameters<typeof connect>[1] = {}): Source {
  source = connect(`http://127.0.0.1:${port}`, { wasm, ...opts });
  return source;
}

/** Lets time pass until something is so, which needs time and packets. */
async function untilPassing(condition: () => boolean, stepMs: number, most: number): Promise<void> {
  for (let passed = 0; !condition(); passed += stepMs) {
    if (passed > most) throw new Error(`not true after ${most} ms: ${String(condition)}`);
    pass(stepMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("a server that", () => {
  test("accepts and never upgrades is given up, and tried again", async () => {
    const sockets = new Set<Socket>();
    const deaf: Server = createServer((socket) => void sockets.add(socket.on("error", () => undefined)));
    await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
    stopTime();
    connected((deaf.address() as { port: number }).port);
    await until(() => sockets.size === 1);
    pass(7_999);
    expect(source.status).toBe("connecting");
    pass(1);
    expect(source.status).toBe("reconnecting");
    expect(source.error).toMatchObject({ code: "timeout", hint: expect.stringContaining("Antiphon server") });
    await untilPassing(() => sockets.size === 2, 20, 500);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => deaf.close(resolve));
  });

  test("upgrades and says nothing is given up as well", async () => {
    server.saysHello = false;
    stopTime();
    connected();
    await until(() => server.clients.length === 1);
    pass(8_000);
    // A content policy that forbids the socket looks the same.
    expect(source.error).toMatchObject({ code: "timeout", hint: expect.stringContaining("connect-src") });
  });

  test("is slow to say hello is waited for", async () => {
    server.saysHello = false;
    stopTime();
    connected();
    await until(() => server.clients.length === 1);
    pass(7_000);
    server.clients[0]!.socket.send(JSON.stringify(server.hello()));
    await until(() => source.status === "live");
    expect(server.n_opened).toBe(1);
  });

  test("falls silent without closing is asked, given up, and replaced", async () => {
    stopTime();
    connected();
    await until(() => source.status === "live");
    server.isDeaf = true;
    const [before] = server.clients;
    await untilPassing(() => source.status === "reconnecting", 500, 20_000);
    expect(source.error?.code).toBe("stale");
    server.isDeaf = false;
    await untilPassing(() => source.status === "live" && server.clients.some((client) => client !== before), 100, 20_000);
    expect(source.error).toBeNull();
  });

  test("is quiet but answers is kept", async () => {
    stopTime();
    connected();
    await until(() => source.status === "live");
    await untilPassing(() => performance.now() > 300_000, 1_000, 400_000);
    expect(source.status).toBe("live");
    expect(server.n_opened).toBe(1);
  });

  test.each([
    [4401, "unauthorized", /token/],
    [4403, "forbidden", /--allow-origin/],
    [1008, "protocol", /same version/],
  ])("refuses with %i is not asked again", async (code, name, hint) => {
    server.closesWith = code;
    stopTime();
    connected();
    source.subscribe("meters", () => undefined);
    await until(() => source.status === "failed");
    expect(source.error).toMatchObject({ code: name, hint: expect.stringMatching(hint), message: expect.stringContaining("as the test wants it") });
    const n_opened = server.n_opened;
    page.dispatchEvent(new Event("online"));
    await untilPassing(() => performance.now() > 120_000, 1_000, 130_000);
    expect(server.n_opened).toBe(n_opened);
    expect(n_opened).toBeLessThanOrEqual(2);
  });

  test.each([
    [1001, "restarting", /back/, 40],
    [1013, "busy", /limits/, 25],
    [4408, "too-slow", /lower rate/, 40],
    [4429, "too-many", /multiplex/, 25],
  ])("closes with %i is asked again, ever more seldom", async (code, name, hint, most) => {
    stopTime();
    connected(server.port, { multiplex: true });
    await until(() => source.status === "live");
    server.closesWith = code;
    server.clients[0]!.socket.close(code, "as the test wants it");
    await until(() => source.status === "reconnecting");
    expect(source.error).toMatchObject({ code: name, hint: expect.stringMatching(hint) });
    const before = server.n_opened;
    await untilPassing(() => performance.now() > 60_000, 250, 70_000);
    const n_tries = server.n_opened - before;
    expect(n_tries).toBeGreaterThan(2);
    expect(n_tries).toBeLessThan(most);
    server.closesWith = null;
    await untilPassing(() => source.status === "live", 250, 20_000);
    expect(source.error).toBeNull();
  });

  test("is reached at once when the network is back", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.999);
    stopTime();
    connected();
    await until(() => source.status === "live");
    await server.kill();
    await until(() => source.status === "reconnecting");
    for (let n = 0; n < 6; n += 1) {
      pass(15_000);
      await until(() => source.status === "reconnecting");
    }
    await server.start();
    page.dispatchEvent(new Event("online"));
    await until(() => source.status === "live");
  });
});

test("a page that is opened hidden pauses pictures, and asks for them when it is shown", async () => {
  page.hidden = true;
  stopTime();
  connected();
  source.subscribe("spectrum", () => undefined);
  source.subscribe("transport", () => undefined);
  await until(() => server.said(/spectrum/).length === 1);
  pass(2_000);
  await until(() => server.said(/spectrum/).length === 2);
  expect(server.said(/spectrum/)[1]).toMatchObject({ type: "unsubscribe" });
  expect(server.said(/transport/).map(({ type }) => type)).toEqual(["subscribe"]);
  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  await until(() => server.said(/spectrum/).length === 3);
});

test("a hidden page pauses pictures, keeps the transport, and asks again when it is shown", async () => {
  stopTime();
  connected();
  await until(() => source.status === "live");
  source.subscribe("spectrum", () => undefined, { bands: 64 });
  source.subscribe("audio", () => undefined);
  await until(() => server.said(/spectrum/).length === 1 && server.said(/audio/).length === 1);
  page.hidden = true;
  page.dispatchEvent(new Event("visibilitychange"));
  pass(1_999);
  expect(server.said(/spectrum/)).toHaveLength(1);
  pass(1);
  await until(() => server.said(/spectrum/).length === 2);
  expect(server.said(/spectrum/)[1]).toMatchObject({ type: "unsubscribe", topic: "spectrum" });
  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  await until(() => server.said(/spectrum/).length === 3);
  expect(server.said(/spectrum/)[2]).toMatchObject({ type: "subscribe", options: { bands: 64 } });
  expect(server.said(/audio/).map(({ type }) => type)).toEqual(["subscribe"]);
  expect(source.status).toBe("live");
});
