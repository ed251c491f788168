import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Prefetch, type PrefetchClients } from "../src/prefetch.ts";
import { FakeSource, transport } from "./fake-source.ts";

const MINUTE = 60_000;

let source: FakeSource;
beforeEach(() => {
  vi.useFakeTimers();
  source = new FakeSource();
});
afterEach(() => void vi.useRealTimers());

const watch = (refresh: () => Promise<unknown>) => new Prefetch({} as PrefetchClients, undefined).watch(source, refresh);
const revision = (composition_revision: number) => source.emit(transport({ composition_revision }));

test("what plays is fetched when the server is there and when it changes, not now and then", async () => {
  const refresh = vi.fn(async () => undefined);
  const end = watch(refresh);
  source.state.set({ status: "live" });
  expect(refresh).toHaveBeenCalledTimes(1);
  revision(3);
  expect(refresh).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  revision(3);
  expect(refresh).toHaveBeenCalledTimes(2);
  // A drag of two seconds: its begin, and where it ends.
  for (let step = 4; step < 64; step += 1) {
    revision(step);
    await vi.advanceTimersByTimeAsync(33);
  }
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(refresh).toHaveBeenCalledTimes(4);
  source.state.set({ status: "reconnecting" });
  source.state.set({ status: "live" });
  expect(refresh).toHaveBeenCalledTimes(5);
  end();
  revision(99);
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(refresh).toHaveBeenCalledTimes(5);
  expect(source.listeners.size).toBe(0);
});

test("what failed is fetched again, while the server is there", async () => {
  const refresh = vi.fn(() => Promise.reject(new Error("no")));
  const end = watch(refresh);
  source.state.set({ status: "live" });
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(refresh).toHaveBeenCalledTimes(5);
  refresh.mockImplementation(() => Promise.resolve() as never);
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(refresh).toHaveBeenCalledTimes(6);
  refresh.mockImplementation(() => Promise.reject(new Error("no")));
  revision(1);
  await vi.advanceTimersByTimeAsync(1);
  source.state.set({ status: "reconnecting" });
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(refresh).toHaveBeenCalledTimes(7);
  end();
});
