/** The package as others use it: built from its tarball by each bundler, opened in Chromium. */
import { defineConfig } from "@playwright/test";
import shared from "../playwright.config.ts";

export default defineConfig({
  ...shared,
  testDir: ".",
  globalSetup: "./install.ts",
  outputDir: "../../target/tests/packaging",
  timeout: 120_000,
});
