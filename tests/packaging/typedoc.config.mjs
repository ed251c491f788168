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
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: ["Class", "Interface", "Function", "TypeAlias", "Variable", "Method", "Accessor"],
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
};
