import { expect, it, vi } from "vitest";
import { forcedColours } from "../src/canvas/theme";

// This DOM knows no system's colours.
const system = vi.hoisted(() => ({ Canvas: "rgb(0, 0, 0)" }) as Record<string, string>);
vi.mock("antiphon/draw", async (original) => ({
  ...(await original<object>()),
  computedColors: (colors: Record<string, string>) =>
    Object.fromEntries(Object.entries(colors).map(([name, color]) => [name, system[color] ?? color])),
}));

it("draws with the colours of a contrast theme, and knows whether that is a light one", () => {
  expect(forcedColours()).toMatchObject({
    back: "rgb(0, 0, 0)", text: "CanvasText", gridStrong: "GrayText", spectrum: "Highlight", meterLow: "Highlight", meterHigh: "LinkText",
    isLight: false,
  });
  system.Canvas = "rgb(255, 255, 255)";
  expect(forcedColours().isLight).toBe(true);
});
