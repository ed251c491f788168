/** Packs the package as it would be published, and installs it here as anyone would. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { HERE, ROOT, TARBALL, WORK } from "./places.ts";

export default function install(): void {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  npm(ROOT, "pack", "--workspace", "antiphon", "--pack-destination", WORK);
  // The version is the same each time: npm would keep what it installed before.
  rmSync(`${HERE}/node_modules/antiphon`, { recursive: true, force: true });
  npm(HERE, "install", "--no-save", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", TARBALL);
}

function npm(cwd: string, ...args: string[]): void {
  execFileSync("npm", [...args, "--loglevel=error"], { cwd, stdio: ["ignore", "ignore", "inherit"] });
}
