// npm packs what lies beside package.json; the licences lie at the root. `prepack` brings them, `postpack` takes them away.
import { copyFileSync, rmSync } from "node:fs";

process.chdir(import.meta.dirname);
for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  if (process.argv[2] === "away") rmSync(name, { force: true });
  else copyFileSync(`../${name}`, name);
}
