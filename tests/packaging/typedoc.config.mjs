// The reference of the npm package, from the sources of whatever it exports.
import { readFileSync } from "node:fs";

const client = new URL("../../wasm-client/", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(`${client}package.json`, "utf8"));
/** Not for import: they are loaded by URL. */
const SCRIPTS = ["./worklet", "./offline-worker"];
const types = Object.entries(manifest.exports).filter(([name]) => !SCRIPTS.includes(name)).flatMap(([, to]) => to.types ?? []);

export default {
  name: manifest.name,
  readme: "none",
  entryPoints: types.map((path) => path.replace("./dist/", `${client}src/`).replace(".d.ts", ".ts")),
  tsconfig: `${client}tsconfig.build.json`,
  out: "../../target/docs/antiphon",
  // What a reader need not know of: how colours are kept, and what a canvas is here.
  intentionallyNotExported: ["COLORS", "Canvas"],
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  // Links to sources would be to wherever this repository came from, if it came from anywhere.
  disableSources: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: ["Class", "Interface", "Function", "TypeAlias", "Variable", "Method"],
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
};
