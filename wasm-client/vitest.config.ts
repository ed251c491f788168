import { defineConfig } from "vitest/config";

/** What `inlineFiles` of build.mjs does, but for what is in the files. */
const inline = {
  name: "inline",
  resolveId: (id: string) => (id.startsWith("inline:") ? `\0${id}.js` : null),
  load: (id: string) => (id.startsWith("\0inline:") ? `export default ${JSON.stringify(btoa(id))};` : null),
};

export default defineConfig({
  plugins: [inline],
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    // Some tests wait for real time-outs, and machines are busy.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
