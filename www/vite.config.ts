import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The server that `npm run dev` talks to. */
const server = "http://127.0.0.1:8080";

export default defineConfig({
  // The same files are served from the binary's root and from any folder of a static host.
  base: "./",
  plugins: [react()],
  // The package finds its wasm and worklet by `new URL(…, import.meta.url)`, which pre-bundling would break.
  optimizeDeps: { exclude: ["antiphon"] },
  build: {
    target: "es2022",
    // The page's content policy allows no data: URLs for wasm and worklets.
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/api": { target: server, ws: true, changeOrigin: true } } },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"] },
});
