// node run.mjs FOLDER SCENARIO.json OUT.bin: plays the scenario on the modules in the folder and writes the recording.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PARTS, play } from "./player.mjs";

const [folder, scenario, out] = process.argv.slice(2);
const modules = await Promise.all(PARTS.map((part) => readFile(join(folder, `antiphon_${part}.wasm`))));
await writeFile(out, await play(modules, JSON.parse(await readFile(scenario, "utf8"))));
