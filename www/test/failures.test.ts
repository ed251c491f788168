import { RestError } from "antiphon/rest";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const { server } = vi.hoisted(() => ({ server: { status: "reconnecting" } }));
vi.mock("../src/app/connection", () => ({ server }));

const { notifyFailure } = await import("../src/app/failures");
const { notices } = await import("../src/app/notices");

const problem = { type: "/problems/invalid-value", title: "Invalid", status: 422, detail: "bpm: 7 is out of range", errors: [] };
const titles = () => notices.getState().list.map(({ title }) => title);

describe("a failure of a command", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    notices.setState({ list: [] });
    server.status = "reconnecting";
  });
  afterEach(() => void vi.useRealTimers());

  it("is told at once when the server says what is wrong", () => {
    notifyFailure("Refused", new RestError(422, problem, problem.detail));
    expect(titles()).toEqual(["Refused"]);
  });

  it("is the banner's to tell when nobody answers, or a host that is no server", async () => {
    notifyFailure("Unreachable", new RestError(0, null, "cannot reach the server"));
    notifyFailure("Static", new RestError(404, null, "GET /api/mixer: 404 Not Found"));
    notifyFailure("Proxy", new RestError(502, null, "GET /api/mixer: 502 Bad Gateway"));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(titles()).toEqual([]);
  });

  it("is told when the stream is there all the same", async () => {
    server.status = "live";
    notifyFailure("Static", new RestError(404, null, "GET /api/mixer: 404 Not Found"));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(titles()).toEqual(["Static"]);
  });
});
