/** The page as a person uses it and looks at it. */
import { expect, type Locator, type Page } from "@playwright/test";

export class Player {
  readonly page: Page;
  /** What the browser may say of answers that a test provokes. */
  refusals = /$^/;

  constructor(page: Page) {
    this.page = page;
  }

  get(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** What this browser needs to play by itself is kept: the server may go. */
  async expectPrepared(): Promise<void> {
    await this.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  }

  /** From the start, with sound, whatever it did before. */
  async playFromStart(): Promise<void> {
    await this.stop();
    await this.get("play").click();
    await expect(this.get("play")).toHaveAttribute("data-playing", "true");
  }

  async stop(): Promise<void> {
    await this.get("stop").click();
    await expect(this.get("play")).toHaveAttribute("data-playing", "false");
  }

  /** Clicks into the seek bar, at a share of its length. */
  async seek(share: number): Promise<void> {
    const bar = this.get("seek");
    const box = await bar.boundingBox();
    if (!box) throw new Error("the seek bar is not shown");
    await bar.click({ position: { x: share * box.width, y: box.height / 2 } });
  }

  async positionText(): Promise<string> {
    return (await this.get("position").textContent()) ?? "";
  }

  /** The playhead moves by itself: its words, and what is drawn of it. */
  async expectMoving(): Promise<void> {
    const seen = new Set<string>();
    await expect
      .poll(async () => seen.add(await this.positionText()).size, { message: "positions seen" })
      .toBeGreaterThan(4);
    await this.expectLively("position-drawn");
  }

  /** A canvas shows something, and something else each time one looks. */
  async expectLively(testId: string): Promise<void> {
    const seen = new Set<string>();
    await expect
      .poll(
        async () => {
          const picture = await look(this.get(testId));
          if (picture.nColours > 1) seen.add(picture.hash);
          return seen.size;
        },
        { message: `different pictures on ${testId}`, intervals: [60] },
      )
      .toBeGreaterThan(4);
  }

  /** A canvas comes to rest. */
  async expectStill(testId: string): Promise<void> {
    let before = "";
    let nSame = 0;
    await expect
      .poll(
        async () => {
          const { hash } = await look(this.get(testId));
          nSame = hash === before ? nSame + 1 : 0;
          before = hash;
          return nSame;
        },
        { message: `equal pictures in a row on ${testId}`, intervals: [100] },
      )
      .toBeGreaterThan(4);
  }

  /** What the spectrum reads loudest, found by moving the cursor over all of it. */
  async loudestBand(): Promise<{ hz: number; db: number }> {
    return this.get("canvas-spectrum").evaluate((canvas) => {
      const readout = document.querySelector("[data-testid=cursor]");
      const box = canvas.getBoundingClientRect();
      const loudest = { hz: 0, db: -Infinity };
      for (let x = 2; x < box.width; x += 2) {
        const at = { clientX: box.left + x, clientY: box.top + box.height / 2, bubbles: true };
        canvas.dispatchEvent(new PointerEvent("pointermove", at));
        // "1.25 kHz  −12.3 dB  D♯6 +8"
        const text = readout?.textContent ?? "";
        const [, hz, kilo, db] = /([\d.]+) (k?)Hz +([\u2212\d.]+) dB/.exec(text) ?? [];
        if (!hz || !db) continue;
        const level = Number(db.replace("\u2212", "-"));
        if (level > loudest.db) Object.assign(loudest, { hz: Number(hz) * (kilo ? 1000 : 1), db: level });
      }
      return loudest;
    });
  }

  /** Drops a file onto the page, or at a point of it. */
  async drop(name: string, type: string, bytes: Uint8Array, at = { x: 0, y: 0 }): Promise<void> {
    await this.dropAll([{ name, type, bytes }], at);
  }

  /** Drops files onto the page, together. */
  async dropAll(files: readonly { name: string; type: string; bytes: Uint8Array }[], at = { x: 0, y: 0 }): Promise<void> {
    const data = await this.page.evaluateHandle(
      (files) => {
        const transfer = new DataTransfer();
        for (const { name, type, base64 } of files) {
          const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
          transfer.items.add(new File([bytes], name, { type }));
        }
        return transfer;
      },
      files.map(({ name, type, bytes }) => ({ name, type, base64: Buffer.from(bytes).toString("base64") })),
    );
    for (const event of ["dragenter", "dragover", "drop"]) {
      await this.page.dispatchEvent("body", event, { dataTransfer: data, clientX: at.x, clientY: at.y });
    }
  }
}

/** A fingerprint of what a canvas shows, and how many colours it has. */
async function look(canvas: Locator): Promise<{ hash: string; nColours: number }> {
  return canvas.evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0 || height === 0) return { hash: "", nColours: 0 };
    // A copy of what is shown: the canvas itself may be a worker's.
    const copy = new OffscreenCanvas(width, height).getContext("2d")!;
    copy.drawImage(canvas, 0, 0, width, height);
    const pixels = copy.getImageData(0, 0, width, height).data;
    const colours = new Set<number>();
    // FNV-1a over whole pixels.
    let hash = 0x811c9dc5;
    for (const pixel of new Uint32Array(pixels.buffer)) {
      hash = Math.imul(hash ^ pixel, 0x01000193);
      if (colours.size < 64) colours.add(pixel);
    }
    return { hash: String(hash), nColours: colours.size };
  });
}
