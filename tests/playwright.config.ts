import { defineConfig } from "@playwright/test";

/** Where Debian puts Chromium. */
const chromium = process.env.ANTIPHON_CHROMIUM ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: "e2e",
  outputDir: "../target/tests/playwright",
  // Every test starts a server and a page that draw and measure in real time; two at once would starve both.
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  // Servers start, browsers measure and canvases draw, on machines that have other things to do.
  timeout: 180_000,
  expect: { timeout: 15_000 },
  use: {
    viewport: { width: 1280, height: 800 },
    permissions: ["microphone"],
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: chromium,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--autoplay-policy=no-user-gesture-required",
        // A microphone that beeps, and consent without a dialogue.
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
      ],
    },
  },
});
