/** The package's web components on a page of their own, from another origin than the real server that feeds them. */
import type { Locator, Page, WebSocket } from "@playwright/test";
import { expect } from "./fixtures.ts";
import { test } from "./package.ts";
import type { Server } from "./server.ts";

const HEAD = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="dark light">
  <title>Elements</title><script type="module" src="elements.js"></script>
  <style>body { display: grid; gap: 8px; max-width: 40rem } antiphon-meter { width: 6rem; height: 12rem }</style>`;

test.use({ head: HEAD });

const ALL = ["spectrum", "meter", "waveform", "goniometer", "spectrogram"];
const all = ({ url }: Server) => ALL.map((name) => `<antiphon-${name} url="${url}"></antiphon-${name}>`).join("");

async function show(page: Page, host: string, body: string): Promise<void> {
  await page.goto(host);
  await page.evaluate((body) => void (document.body.innerHTML = body), body);
}

/** Polls how many streams of a topic the server was asked for, or how many sockets are open. */
function countStreams(page: Page) {
  const sockets = new Map<WebSocket, Set<string>>();
  page.on("websocket", (socket) => {
    const streams = new Set<string>();
    sockets.set(socket, streams);
    socket.on("framesent", ({ payload }) => {
      const { type, topic, tap } = JSON.parse(String(payload)) as Record<string, string>;
      if (type === "subscribe") streams.add(`${topic} ${tap}`);
      else if (type === "unsubscribe") streams.delete(`${topic} ${tap}`);
    });
    socket.on("close", () => sockets.delete(socket));
  });
  const count = (topic: string) => [...sockets.values()].flatMap((streams) => [...streams]).filter((name) => name.startsWith(`${topic} `)).length;
  return (topic: string) => expect.poll(() => (topic === "sockets" ? sockets.size : count(topic)), topic);
}

const meterOf = (page: Page, name: string) => page.locator(`antiphon-${name}`).getByRole("meter");
const valueOf = async (meter: Locator) => Number((await meter.getAttribute("aria-valuenow")) ?? Number.NaN);

test("all five show a tone, in numbers as well", async ({ page, host, tone }) => {
  await show(page, host, all(tone));
  await expect(meterOf(page, "spectrum")).toHaveAttribute("aria-valuetext", /loudest (99\d Hz|1\.0\d kHz), −\d/);
  await expect.poll(() => valueOf(meterOf(page, "spectrum"))).toBeGreaterThan(-7.5);
  expect(await valueOf(meterOf(page, "spectrum"))).toBeLessThan(-5.5);
  await expect(meterOf(page, "meter")).toHaveAttribute("aria-valuetext", /L −6\.0 R −6\.0 dBFS · −[\d.]+ LUFS/);
  await expect.poll(() => valueOf(meterOf(page, "meter"))).toBeCloseTo(-6.02, 1);
  await expect.poll(() => valueOf(meterOf(page, "waveform"))).toBeCloseTo(0.5, 1);
  await expect(meterOf(page, "goniometer")).toHaveAttribute("aria-valuetext", /correlation 1\.00, balance 0\.00, width 0\.00/);
  await expect.poll(() => valueOf(meterOf(page, "goniometer"))).toBe(1);
  await expect(meterOf(page, "spectrogram")).toHaveAttribute("aria-label", "Spectrogram, master");
  await expect(page.getByRole("alert").filter({ hasText: /./ })).toHaveCount(0);
  // The words that are seen are the words that are heard.
  const seen = page.locator("antiphon-goniometer [part=readout]");
  await expect(seen).toHaveText(/correlation\s1\.00/);
  for (const name of ALL) {
    const nColours = () => page.locator(`antiphon-${name} canvas:last-of-type`).evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const pixels = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height).data;
      return new Set(new Uint32Array(pixels.buffer)).size;
    });
    await expect.poll(nColours, name).toBeGreaterThan(2);
  }
});

test("values follow the sound: silence when it stops", async ({ page, host, tone }) => {
  await show(page, host, all(tone));
  await expect.poll(() => valueOf(meterOf(page, "meter"))).toBeCloseTo(-6.02, 1);
  await tone.send("POST", "/api/playback/stop");
  await expect(meterOf(page, "meter")).toHaveAttribute("aria-valuetext", /L −∞ R −∞/);
  await expect(meterOf(page, "meter")).toHaveAttribute("aria-valuenow", "-60");
  await expect(meterOf(page, "spectrum")).toHaveAttribute("aria-valuetext", "silence");
});

test("canvases are as sharp as the screen and as large as their boxes", async ({ browser, host, server }) => {
  const page = await browser.newPage({ deviceScaleFactor: 2 });
  await show(page, host, all(server));
  const canvas = page.locator("antiphon-waveform canvas:last-of-type");
  const sizes = () => canvas.evaluate((it) => {
    const { width, height } = it as HTMLCanvasElement;
    const box = it.getBoundingClientRect();
    return { width: width - Math.round(2 * box.width), height: height - Math.round(2 * box.height), css: box.width };
  });
  await expect.poll(sizes).toMatchObject({ width: 0, height: 0 });
  await page.locator("antiphon-waveform").evaluate((it) => void ((it as HTMLElement).style.width = "123px"));
  await expect.poll(sizes).toEqual({ width: 0, height: 0, css: 123 });
  await page.close();
});

test("pictures have a height whatever display a page gives them", async ({ page, host, server }) => {
  await show(page, host, `<antiphon-spectrum url="${server.url}"></antiphon-spectrum>`);
  const element = page.locator("antiphon-spectrum");
  const style = (css: string) => element.evaluate((it, css) => void ((it as HTMLElement).style.cssText = css), css);
  const heights = () => element.evaluate((it) => {
    const of = (selector: string) => it.shadowRoot!.querySelector(selector)!.getBoundingClientRect();
    const end = Math.max(of("[part=readout]").bottom, of("[part=error]").bottom);
    return { picture: of("[part=picture]").height, rest: Math.round(it.getBoundingClientRect().bottom - end) };
  });
  for (const display of ["flex", "block", "inline-block", "grid", "inline-grid"]) {
    await style(`display: ${display}; width: 300px; height: 200px`);
    await expect.poll(async () => (await heights()).picture, display).toBeGreaterThan(150);
    expect((await heights()).rest, display).toBe(0);
  }
  for (const css of ["display: inline", "display: block; height: auto", "height: auto; min-height: 200px"]) {
    await style(css);
    await expect.poll(async () => (await heights()).picture, css).toBeGreaterThan(100);
  }
  await style("display: block; height: 60px");
  await expect.poll(async () => (await heights()).picture).toBeLessThan(60);
});

test("streams end when an element is hidden or removed, and come back", async ({ page, host, tone }) => {
  const nOpen = countStreams(page);
  await show(page, host, all(tone));
  await nOpen("stereo").toBe(1);
  // The spectrogram's spectrum is another one than the spectrum's: it needs a second.
  await nOpen("sockets").toBe(2);
  const goniometer = page.locator("antiphon-goniometer");
  await goniometer.evaluate((it) => void ((it as HTMLElement).hidden = true));
  await nOpen("stereo").toBe(0);
  await goniometer.evaluate((it) => void ((it as HTMLElement).hidden = false));
  await nOpen("stereo").toBe(1);
  await page.evaluate(() => document.querySelectorAll("antiphon-meter, antiphon-goniometer").forEach((it) => it.remove()));
  await nOpen("stereo").toBe(0);
  await nOpen("meters").toBe(0);
  await nOpen("waveform").toBe(1);
  // The last one takes the whole source with it.
  await page.evaluate(() => void (document.body.textContent = ""));
  await nOpen("sockets").toBe(0);
});

test("less motion means fewer frames; fps and options are what is asked for", async ({ page, host, server }) => {
  const asked: Record<string, unknown>[] = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => {
    const message = JSON.parse(String(payload)) as Record<string, unknown>;
    if (message.type === "subscribe" && message.topic !== "transport") asked.push(message);
  }));
  await show(page, host, `<antiphon-spectrum url="${server.url}" fps="25" options='{"scale":"octave","fraction":3}'></antiphon-spectrum>`);
  await expect.poll(() => asked.at(-1)).toMatchObject({ topic: "spectrum", fps: 25, options: { scale: "octave", fraction: 3 } });
  await page.emulateMedia({ reducedMotion: "reduce" });
  await expect.poll(() => asked.at(-1)).toMatchObject({ topic: "spectrum", fps: 3 });
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await expect.poll(() => asked.at(-1)).toMatchObject({ topic: "spectrum", fps: 25 });
});

test("errors are shown, and go when their cause goes", async ({ page, host, server }) => {
  const nOpen = countStreams(page);
  await show(page, host, "<antiphon-meter></antiphon-meter>");
  const element = page.locator("antiphon-meter");
  const alert = element.locator("[role=alert]");
  const set = (name: string, value: string) => element.evaluate((it, [name, value]) => it.setAttribute(name!, value!), [name, value]);
  await expect(alert).toContainText("nothing to show – set url=");
  await set("url", server.url);
  await expect(alert).toBeEmpty();
  await set("fps", "many");
  await expect(alert).toContainText('fps="many" is not a number');
  // No frame comes that would take the message away.
  await nOpen("meters").toBe(0);
  await expect(alert).toContainText('fps="many" is not a number');
  await set("fps", "20");
  await expect(alert).toBeEmpty();
  await set("options", "{bands:");
  await expect(alert).toContainText("is not an object in JSON");
  await set("options", '{"ballistics":"sundial"}');
  await expect(alert).toContainText("sundial");
  await set("options", '{"ballistics":"k20"}');
  await expect(alert).toBeEmpty();
  await set("tap", "nowhere");
  await expect(alert).toContainText("nowhere");
  await set("tap", "master");
  await expect(alert).toBeEmpty();
  await expect(element.getByRole("meter")).toHaveAttribute("aria-valuetext", /dB/);
  await server.kill();
  await expect(alert).not.toBeEmpty();
  await expect(element).toHaveAttribute("data-status", "reconnecting");
});

test("attributes that make no sense are told, and their defaults drawn", async ({ page, host, tone }) => {
  await show(page, host, all(tone));
  const check = async (name: string, attributes: Record<string, string>, told: string) => {
    const element = page.locator(`antiphon-${name}`);
    await element.evaluate((it, attributes) => {
      for (const [name, value] of Object.entries(attributes)) it.setAttribute(name, value);
    }, attributes);
    const alert = element.locator("[role=alert]");
    await expect(alert).toContainText(told);
    // Frames come all the same, and take nothing away.
    const seq = () => element.evaluate((it) => (it as unknown as { frame: { seq: number } | null }).frame?.seq ?? 0);
    const before = await seq();
    await expect.poll(seq).toBeGreaterThan(before + 20);
    await expect(alert).toContainText(told);
    await element.evaluate((it, names) => names.forEach((name) => it.removeAttribute(name)), Object.keys(attributes));
    await expect(alert).toBeEmpty();
  };
  await check("spectrum", { "min-db": "-1e9" }, 'min-db="-1e9" is not a number from -1000 to 1000 – leave it out for -100');
  await check("spectrum", { "min-db": "6" }, "min-db, 6, is not below max-db, 0");
  await check("meter", { "max-db": "-90" }, "min-db, -60, is not below max-db, -90");
  await check("waveform", { range: "0" }, 'range="0" is not a number from 0.00001 to 1000 – leave it out for 1');
  await check("waveform", { layout: "sideways" }, 'layout="sideways" is not known – use one of overlay, stacked');
  await check("goniometer", { range: "-1" }, 'range="-1" is not');
  for (const seconds of ["0", "-5", "1e9"]) await check("spectrogram", { seconds }, `seconds="${seconds}" is not a number from 0.1 to 3600`);
  // As long as it may be: no canvas is that wide.
  await page.locator("antiphon-spectrogram").evaluate((it) => it.setAttribute("seconds", "3600"));
  await expect(page.getByRole("alert").filter({ hasText: /./ })).toHaveCount(0);
});

test("what comes no more is not shown as if it were now", async ({ page, host, tone }) => {
  await show(page, host, `<antiphon-meter url="${tone.url}"></antiphon-meter>`);
  const element = page.locator("antiphon-meter");
  const [words, picture] = [element.locator("[part=words]"), element.locator("[part=picture]")];
  await expect(words).toHaveText(/L\s−6/);
  // Another source, which is closed.
  await element.evaluate(async (it, url) => {
    const { connect } = await import(String(new URL("index.js", location.href)));
    const source = connect(url);
    Object.assign(it, { source });
    Object.assign(globalThis, { source });
  }, tone.url);
  await expect(words).toHaveText(/L\s−6/);
  await page.evaluate(() => (globalThis as unknown as { source: { close(): void } }).source.close());
  await expect(element.getByRole("alert")).toContainText("the source was closed");
  const isBlank = async () => {
    await expect(words).toHaveText("–");
    await expect(picture).toHaveRole("img");
    for (const name of ["now", "min", "max", "text"]) await expect(picture).not.toHaveAttribute(`aria-value${name}`);
  };
  await isBlank();
  await element.evaluate((it) => Object.assign(it, { source: null }));
  await expect(words).toHaveText(/L\s−6/);
  await expect(element.getByRole("meter")).toHaveAttribute("aria-valuenow", /\d/);
  await tone.kill();
  await expect(element).toHaveAttribute("data-status", "reconnecting");
  await isBlank();
});

test("a painting that fails is told without an error of the window", async ({ page, host, server }) => {
  await show(page, host, "");
  const messages: string[] = [];
  await page.exposeFunction("tell", (message: string) => void messages.push(message));
  await page.evaluate(async (url) => {
    const told = globalThis as unknown as { tell(message: string): void };
    addEventListener("error", ({ message }) => told.tell(message));
    const { AntiphonMeter } = await import(String(new URL("elements.js", location.href)));
    const broken: unknown = class extends AntiphonMeter {
      paintBack() {
        throw new Error("no ink");
      }
    };
    customElements.define("broken-meter", broken as CustomElementConstructor);
    document.body.innerHTML = `<broken-meter url="${url}"></broken-meter>`;
  }, server.url);
  await expect(page.getByRole("alert").filter({ hasText: "no ink" })).toBeVisible();
  // What browsers tell of the loop comes in the frame after it.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  expect(messages).toEqual([]);
});

test("dark and light follow the system, and custom properties win", async ({ page, host, server }) => {
  await show(page, host, all(server));
  const picture = page.locator("antiphon-waveform [part=picture]");
  await page.emulateMedia({ colorScheme: "dark" });
  await expect(picture).toHaveCSS("background-color", "rgb(9, 11, 14)");
  await page.emulateMedia({ colorScheme: "light" });
  await expect(picture).toHaveCSS("background-color", "rgb(255, 255, 255)");
  await page.evaluate(() => document.body.style.setProperty("--antiphon-background", "#123456"));
  await expect(picture).toHaveCSS("background-color", "rgb(18, 52, 86)");
});

test("a contrast theme's colours are what is drawn with, while there is one", async ({ page, host, tone }) => {
  await show(page, host, all(tone));
  /** How many pixels of a canvas have a system's colour, be it translucent or drawn over itself. */
  const nPixels = (canvas: string, color: string) => page.locator(canvas).evaluate((element, color) => {
    const box = document.body.appendChild(document.createElement("div"));
    box.style.cssText = `forced-color-adjust: none; background: ${color}`;
    const wanted = getComputedStyle(box).backgroundColor.match(/\d+/g)!.slice(0, 3).map(Number);
    box.remove();
    const { width, height } = element as HTMLCanvasElement;
    const { data } = (element as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height);
    const isWanted = (_: unknown, at: number) =>
      data[4 * at + 3]! > 99 && wanted.every((value, idx) => Math.abs(data[4 * at + idx]! - value) <= 2);
    return Array.from({ length: width * height }).filter(isWanted).length;
  }, color);
  const count = (canvas: string, color: string) => expect.poll(() => nPixels(canvas, color), `${canvas} ${color}`);
  const [level, grid] = ["antiphon-meter canvas:last-of-type", "antiphon-spectrum canvas:first-of-type"];
  await expect.poll(() => valueOf(meterOf(page, "meter"))).toBeCloseTo(-6.02, 1);
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ forcedColors: "none", colorScheme });
    await count(level, "Highlight").toBe(0);
    await count(grid, "GrayText").toBe(0);
    await page.emulateMedia({ forcedColors: "active", colorScheme });
    await count(level, "Highlight").toBeGreaterThan(100);
    await count(grid, "GrayText").toBeGreaterThan(100);
  }
});

for (const colorScheme of ["dark", "light"] as const) {
  test(`a picture of all five, ${colorScheme}`, async ({ page, host, server }, info) => {
    await page.emulateMedia({ colorScheme });
    await server.send("POST", "/api/playback/play");
    await page.setViewportSize({ width: 700, height: 900 });
    const octaves = `<antiphon-spectrum url="${server.url}" label="Thirds of octaves" options='{"scale":"octave","fraction":3}'></antiphon-spectrum>`;
    await show(page, host, octaves + all(server));
    await expect.poll(() => valueOf(meterOf(page, "meter"))).toBeGreaterThan(-50);
    await expect.poll(() => valueOf(page.getByRole("meter", { name: "Thirds of octaves" }))).toBeGreaterThan(-50);
    await info.attach(`elements-${colorScheme}`, { body: await page.screenshot({ fullPage: true, path: info.outputPath("elements.png") }), contentType: "image/png" });
  });
}
