// node run.mjs FOLDER SCENARIO.json OUT.bin [PART…]: plays the scenario on the modules in the folder, all of them or those
// of these parts, and writes the recording.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PARTS, play } from "./player.mjs";

const [folder, scenario, out, ...some] = process.argv.slice(2);
const parts = some.length > 0 ? some : PARTS;
const modules = await Promise.all(parts.map((part) => readFile(join(folder, `antiphon_${part}.wasm`))));
await writeFile(out, await play(modules, JSON.parse(await readFile(scenario, "utf8")), parts));
