import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { inTurn } from "../src/in-turn.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("one runs at a time, and one more after all that were asked for meanwhile", async () => {
  const answers: (() => void)[] = [];
  const run = vi.fn(() => new Promise<void>((resolve) => answers.push(resolve)));
  const turns = inTurn(run);
  for (let n = 0; n < 10; n += 1) turns.again();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(run).toHaveBeenCalledTimes(1);
  answers.shift()!();
  await vi.advanceTimersByTimeAsync(1);
  expect(run).toHaveBeenCalledTimes(2);
  answers.shift()!();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(run).toHaveBeenCalledTimes(2);
});

test("between the beginnings of two is a pause, and nothing comes after the end", async () => {
  const begun: number[] = [];
  const turns = inTurn(async () => begun.push(Date.now() - start), { pauseMs: 1000 });
  const start = Date.now();
  for (let ms = 0; ms < 2500; ms += 50) {
    turns.again();
    await vi.advanceTimersByTimeAsync(50);
  }
  expect(begun).toEqual([0, 1000, 2000]);
  turns.end();
  turns.again();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(begun).toHaveLength(3);
});
