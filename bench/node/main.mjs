// Antiphon's WebAssembly against its peers. Prints what bench/src/main.rs prints: a JSON object a line.
// A section is a file with `run(table)` and a line in `sections`.

import { Table } from "./compare.mjs";

/** Sections by name: () => import("./NAME.mjs"). */
const sections = {
  engine: () => import("./engine.mjs"),
  spectrum: () => import("./spectrum.mjs"),
  loudness: () => import("./loudness.mjs"),
  web: () => import("./web.mjs"),
  page: () => import("./page.mjs"),
};

const wanted = process.argv.slice(2);
for (const [name, load] of Object.entries(sections)) {
  if (wanted.length === 0 || wanted.includes(name)) {
    const { run } = await load();
    await run(new Table(name));
  }
}
