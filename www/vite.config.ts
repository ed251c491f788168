import react from "@vitejs/plugin-react";
import { VitePWA } from "vite-plugin-pwa";
import { defineConfig } from "vitest/config";

/** The server that `npm run dev` talks to. */
const server = "http://127.0.0.1:8080";

/** The page as an installed program: every file of it is kept, so that it starts without any server. */
const pwa = VitePWA({
  // Nobody's music stops for an update: the page asks.
  registerType: "prompt",
  injectRegister: false,
  manifest: {
    name: "Antiphon",
    short_name: "Antiphon",
    description: "Compose, play and measure: with an Antiphon server, or in this browser alone.",
    start_url: "./",
    scope: "./",
    display: "standalone",
    background_color: "#0c0f13",
    theme_color: "#0c0f13",
    categories: ["music", "productivity"],
    icons: [
      { src: "icon-192.png", sizes: "192x192", type: "image/png" },
      { src: "icon-512.png", sizes: "512x512", type: "image/png" },
      { src: "icon-maskable.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
      { src: "icon.svg", sizes: "any", type: "image/svg+xml" },
    ],
  },
  workbox: {
    globPatterns: ["**/*.{html,js,css,wasm,mid,svg,png,webmanifest}"],
    // The decoder and renderer are the largest.
    maximumFileSizeToCacheInBytes: 8 << 20,
    navigateFallbackDenylist: [/\/api\//, /\/metrics$/],
    inlineWorkboxRuntime: true,
    // The first visit too: what a page loads late (decoder, renderer) is there when the server is gone.
    clientsClaim: true,
  },
});

export default defineConfig({
  // The same files are served from the binary's root and from any folder of a static host.
  base: "./",
  plugins: [react(), pwa],
  // The package finds its wasm and worklet by `new URL(…, import.meta.url)`, which pre-bundling would break.
  optimizeDeps: { exclude: ["antiphon"] },
  build: {
    target: "es2022",
    // The page's content policy allows no data: URLs for wasm and worklets.
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/api": { target: server, ws: true, changeOrigin: true } } },
  test: {
    environment: "happy-dom",
    include: ["test/**/*.test.{ts,tsx}"],
    // The first import compiles half of the page, and machines are busy.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
