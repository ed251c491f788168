import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    // Some tests wait for real time-outs, and machines are busy.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
