// The REST client against a real HTTP server.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRestClient, RestError } from "../src/rest.ts";

interface Seen {
  method: string;
  url: string;
  body: Buffer;
  headers: NodeJS.Dict<string | string[]>;
}

let server: Server;
let base: string;
let seen: Seen;
let answer: { status: number; type?: string; body: string };

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    seen = { method: request.method ?? "", url: request.url ?? "", body: Buffer.concat(chunks), headers: request.headers };
    response.writeHead(answer.status, { "content-type": answer.type ?? "application/json" });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const client = (token?: string) => createRestClient(`${base}/`, { token });
const ok = (body: unknown) => (answer = { status: 200, body: JSON.stringify(body) });

test("the recorder's file comes as bytes", async () => {
  answer = { status: 200, type: "application/vnd.antiphon.recording", body: "ANTIFREC" };
  const bytes = await client().recorder.save({ from: 5, tap: "input" });
  expect([seen.method, seen.url]).toEqual(["GET", "/api/recorder?from=5&tap=input&format=file"]);
  expect(bytes).toEqual(new TextEncoder().encode("ANTIFREC"));
});

test("every call has the method, path and body of the interface", async () => {
  const { playback, mixer, compositions, samples, loudness } = client();
  const calls: [() => Promise<unknown>, string, unknown?][] = [
    [() => playback.get(), "GET /api/playback"],
    [() => playback.play(), "POST /api/playback/play"],
    [() => playback.stop(), "POST /api/playback/stop"],
    [() => playback.pause(), "POST /api/playback/pause"],
    [() => playback.resume(), "POST /api/playback/resume"],
    [() => playback.seek({ position_beats: 4 }), "POST /api/playback/seek", { position_beats: 4 }],
    [() => playback.setTempo({ bpm: 90 }), "PUT /api/playback/tempo", { bpm: 90 }],
    [() => playback.setMetronome({ enabled: true }), "PUT /api/playback/metronome", { enabled: true }],
    [() => loudness.reset("input"), "POST /api/loudness/reset", { tap: "input" }],
    [() => loudness.reset(), "POST /api/loudness/reset", {}],
    [() => mixer.get(), "GET /api/mixer"],
    [() => mixer.patchChannel("a/b", { mute: true }), "PATCH /api/mixer/channels/a%2Fb", { mute: true }],
    [() => mixer.patchMaster({ gain_db: -3 }), "PATCH /api/mixer/master", { gain_db: -3 }],
    [() => compositions.list(), "GET /api/compositions"],
    [() => compositions.list({ limit: 5, cursor: "x&y" }), "GET /api/compositions?limit=5&cursor=x%26y"],
    [() => compositions.get("id"), "GET /api/compositions/id"],
    [() => compositions.load("id"), "POST /api/compositions/id/load"],
    [() => compositions.undo("id"), "POST /api/compositions/id/undo"],
    [() => compositions.redo("id"), "POST /api/compositions/id/redo"],
    [() => compositions.history("id", { limit: 3, cursor: "7" }), "GET /api/compositions/id/history?limit=3&cursor=7"],
    [() => samples.list({ limit: 2 }), "GET /api/samples?limit=2"],
    [() => samples.get("a b"), "GET /api/samples/a%20b"],
  ];
  for (const [call, line, body] of calls) {
    ok({ some: "answer" });
    expect(await call()).toEqual({ some: "answer" });
    expect(`${seen.method} ${seen.url}`).toBe(line);
    expect(seen.body.toString()).toBe(body === undefined ? "" : JSON.stringify(body));
  }
});

test("files go as bytes, tokens as bearer, and an empty answer is nothing", async () => {
  ok({ id: "1" });
  await client("secret").compositions.importMidi(new Uint8Array([77, 84, 104, 100]), "My song");
  expect(seen.url).toBe("/api/compositions/import?name=My+song");
  expect([...seen.body]).toEqual([77, 84, 104, 100]);
  expect(seen.headers).toMatchObject({ "content-type": "audio/midi", authorization: "Bearer secret" });
  await client().compositions.importAudio(new Uint8Array([1, 2]), { name: "Take 1", bpm: 90 });
  expect(seen.url).toBe("/api/compositions/import?name=Take+1&bpm=90");
  expect([...seen.body]).toEqual([1, 2]);
  await client().samples.add(new Blob([new Uint8Array([7])]), "Hit");
  expect([seen.method, seen.url, ...seen.body]).toEqual(["POST", "/api/samples?name=Hit", 7]);
  answer = { status: 200, type: "audio/wav", body: "RIFF" };
  expect(Buffer.from(await client("secret").samples.file("x/y")).toString()).toBe("RIFF");
  expect(seen).toMatchObject({ url: "/api/samples/x%2Fy/audio", headers: { authorization: "Bearer secret" } });
  answer = { status: 204, body: "" };
  expect(await client().compositions.remove("1")).toBeUndefined();
  expect(seen.method).toBe("DELETE");
  expect(await client().samples.remove("2")).toBeUndefined();
  expect(seen.url).toBe("/api/samples/2");
});

test("a problem rejects with the server's own words", async () => {
  const problem = {
    type: "/problems/invalid-value", title: "Invalid value", status: 422, detail: "bpm: 900 is not between 20 and 400",
    errors: [{ field: "bpm", message: "900 is not between 20 and 400" }],
  };
  answer = { status: 422, type: "application/problem+json", body: JSON.stringify(problem) };
  const error = await client().playback.setTempo({ bpm: 900 }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RestError);
  expect(error).toMatchObject({ status: 422, problem, message: problem.detail, code: "invalid-value" });
});

test("an answer that is no problem still says what happened", async () => {
  answer = { status: 502, type: "text/html", body: "<h1>Bad gateway</h1>" };
  await expect(client().mixer.get()).rejects.toMatchObject({
    status: 502, problem: null, message: expect.stringContaining("GET /api/mixer: 502"),
  });
});

test("a server that is not there is told by its address", async () => {
  const gone = createRestClient("http://127.0.0.1:9");
  await expect(gone.playback.play()).rejects.toMatchObject({
    status: 0, code: "unreachable", message: expect.stringMatching(/^cannot reach the server at http:\/\/127\.0\.0\.1:9 — /),
  });
});

test("every refusal says what to do", async () => {
  const said = async (status: number, kind?: string) => {
    const problem = { type: `/problems/${kind}`, title: "No", status, detail: "no", errors: [] };
    answer = { status, type: kind ? "application/problem+json" : "text/html", body: kind ? JSON.stringify(problem) : "" };
    return client().playback.get().then(() => "", ({ hint }: RestError) => hint);
  };
  expect(await said(422, "invalid-value")).toMatch(/range/);
  expect(await said(401, "unauthorized")).toMatch(/token/);
  expect(await said(404)).toMatch(/Antiphon server/);
  expect(await said(500, "unreadable")).toMatch(/log/);
  expect(await said(400, "a-kind-of-tomorrow")).toMatch(/./);
  await expect(createRestClient("http://127.0.0.1:9").playback.get()).rejects.toMatchObject({ hint: expect.stringContaining("antiphon serve") });
});

test("a host that answers every path with its page is told from a server", async () => {
  answer = { status: 200, type: "text/html", body: "<!doctype html>" };
  const failure = await client().mixer.get().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RestError);
  expect(failure).toMatchObject({ status: 200, problem: null, message: "GET /api/mixer: what answered is no JSON" });
  expect((failure as RestError).hint).toContain("Antiphon server");
});
