// The files inside of the script.
import { expect, test } from "vitest";
import { inline } from "../src/inline.ts";
import { inlineOffline } from "../src/inline-offline.ts";

test("are decoded once: what is compiled is known by its bytes", () => {
  for (const files of [inline, inlineOffline]) {
    const [first, second] = [files(), files()];
    for (const [option, value] of Object.entries(first)) expect(second[option as keyof typeof second]).toBe(value);
  }
  expect(new TextDecoder().decode(inline().scopeWasmModule as Uint8Array)).toContain("antiphon_scope.wasm");
});
