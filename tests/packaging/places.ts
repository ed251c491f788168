/** Where things are. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export const ROOT = path("../..");
export const HERE = path(".").replace(/\/$/, "");
/** Everything that the tests make. */
export const WORK = path("../../target/packaging");
/** The package as it was installed from the tarball. */
export const INSTALLED = `${HERE}/node_modules/antiphon`;
const { version } = JSON.parse(readFileSync(path("../../wasm-client/package.json"), "utf8")) as { version: string };
export const TARBALL = `${WORK}/antiphon-${version}.tgz`;
