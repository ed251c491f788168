// @vitest-environment happy-dom
// Colours of the elements, as a system with and without a contrast theme has them.
import { afterEach, expect, test, vi } from "vitest";
import { FORCED_COLORS } from "../src/draw/index.ts";
import { sameTheme, STYLE, themeOf } from "../src/elements/theme.ts";

// This DOM knows no system's colours: here their names stand for them.
vi.mock("../src/draw/forced-colors.ts", async (original) => ({
  ...(await original<object>()), computedColors: (colors: object) => colors,
}));

afterEach(() => {
  vi.restoreAllMocks();
});

test("a contrast theme's colours take the place of the page's", () => {
  let isForced = false;
  vi.spyOn(globalThis, "matchMedia").mockImplementation((query) => ({ matches: isForced && query === FORCED_COLORS }) as MediaQueryList);
  const host = document.body.appendChild(document.createElement("div"));
  host.style.setProperty("--_spectrum", "#123456");
  const own = themeOf(host);
  expect(own.spectrum).toBe("#123456");
  isForced = true;
  const forced = themeOf(host);
  expect(forced).toMatchObject({
    background: "Canvas", text: "CanvasText", "grid-strong": "GrayText", spectrum: "Highlight",
    left: "Highlight", right: "CanvasText", low: "Highlight", warm: "Highlight", high: "LinkText", hold: "CanvasText",
  });
  expect(sameTheme(own, forced)).toBe(false);
});

test("what is styled by the sheet has them too, after dark and light", () => {
  const [, light = "", forced = ""] = STYLE.split("@media");
  expect(light).toContain("prefers-color-scheme: light");
  expect(forced).toContain(FORCED_COLORS);
  expect(forced).toContain("--_background: Canvas;");
  expect(forced).toContain("--_error: CanvasText;");
});
