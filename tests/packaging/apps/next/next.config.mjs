/** Without a page's cross-origin isolation, unless it is asked for. */
export default {
  distDir: "dist",
  // Lock files of the repository above must not be taken for the app's own.
  turbopack: { root: new URL("../..", import.meta.url).pathname },
  async headers() {
    const headers = [
      { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
      { key: "Cross-Origin-Embedder-Policy", value: "require-corp" },
    ];
    return [{ source: "/(.*)", has: [{ type: "query", key: "isolated" }], headers }];
  },
};
