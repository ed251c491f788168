// node run.mjs MODULE.wasm SCENARIO.json OUT.bin: plays the scenario and writes the recording.
import { readFile, writeFile } from "node:fs/promises";
import { play } from "./player.mjs";

const [module, scenario, out] = process.argv.slice(2);
await writeFile(out, await play(await readFile(module), JSON.parse(await readFile(scenario, "utf8"))));
