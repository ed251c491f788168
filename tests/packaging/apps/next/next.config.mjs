/** `?isolated=1` asks for cross-origin isolation. */
export default {
  distDir: "dist",
  // Said, for there is more than one lock file above.
  turbopack: { root: new URL("../../../..", import.meta.url).pathname },
  async headers() {
    const headers = [
      { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
      { key: "Cross-Origin-Embedder-Policy", value: "require-corp" },
    ];
    return [{ source: "/(.*)", has: [{ type: "query", key: "isolated" }], headers }];
  },
};
