// What all elements share: where frames come from, when they flow, the canvas, the words beside it, errors.
import { FORCED_COLORS } from "../draw/forced-colors.ts";
import { prepareCanvas, type Size } from "../draw/scale.ts";
import { AntiphonError, messageOf } from "../errors.ts";
import { acquire } from "../shared-source.ts";
import type { FrameOf, Source, SourceStatus, SubscribeOptions, TopicName } from "../source.ts";
import type { StreamOptions } from "../types.gen.ts";
import type { WasmLocation } from "../wasm.ts";
import { numberSetting, type Setting } from "./settings.ts";
import { unbroken } from "./text.ts";
import { sameTheme, STYLE, type Theme, themeOf } from "./theme.ts";

/** Where a page is rendered on a server there are no elements; the import must work all the same. */
const ElementBase = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/** What a person or a screen reader reads: `now` lies between `min` and `max`. */
export interface Reading {
  now: number;
  min: number;
  max: number;
  text: string;
}

/** What an element is made of. */
interface Parts {
  /** Below the other one: what lies there is drawn again only when it changes. */
  back: HTMLCanvasElement;
  canvas: HTMLCanvasElement;
  picture: HTMLElement;
  /** Of the readout: changed in place, which makes less of layout than a new text. */
  words: Text;
  error: HTMLElement;
}

/** Numbers that change more often cannot be read. */
const READ_MS = 500;
const TURNS = 2;
/** WCAG 2.3.1 draws the line at three flashes a second. */
const REDUCED_FPS = 3;
const FPS = numberSetting("fps", 30, 1, 120);
/** Of a source from which no values come. */
const AWAY = new Set<SourceStatus | undefined>(["reconnecting", "closed", "failed"]);
/** What changes the default colours. */
const THEMES = ["(prefers-color-scheme: light)", FORCED_COLORS];
const ATTRIBUTES = ["url", "token", "tap", "fps", "options", "label"];

/**
 * A picture of one topic. Attributes: `url` (or the property `source`), `token`, `tap`, `fps`, `options` (JSON of the
 * stream's options), `label`. It streams while it is in the page and on the screen.
 */
export abstract class AntiphonElement<T extends TopicName> extends ElementBase {
  static observedAttributes: readonly string[] = ATTRIBUTES;
  /** Where the package's files are, for the connections of `url`; only where a bundler does not find them. */
  static wasm: WasmLocation | undefined;
  /**
   * Sizes a canvas that changes with each frame, and gives its context, cleared and scaled to CSS pixels. A page can set
   * another one, of all elements (but the spectrogram) or of a class of them: one that records what is drawn, and has a
   * worker draw it.
   */
  static prepare: typeof prepareCanvas = prepareCanvas;

  protected abstract readonly topic: T;
  /** What the element is called without a `label`. */
  protected abstract readonly name: string;
  /** Of the picture; one that makes no sense is told. */
  protected readonly settings: readonly Setting<unknown>[] = [];
  protected frame: FrameOf<T> | null = null;

  #source: Source | null = null;
  #held: { key: string; source: Source; release: () => void } | null = null;
  #end: (() => void) | null = null;
  /** Frames of the stream that runs have come. */
  #isFed = false;
  /** Of the stream that runs or ran last: its source, and its options as JSON. */
  #listened: Source | null = null;
  #streamed = "";
  #isSeen = false;
  #size: Size = { width: 0, height: 0 };
  #theme: Theme | null = null;
  /** What the pictures that stand there show; null when they must be painted again. */
  #backLook: string | null = null;
  #look: string | null = null;
  /** Numbers the half seconds, shifted by the element's turn; of the last reading. */
  #readIn = Number.NaN;
  #turn = 0;
  #parts: Parts | null = null;
  #undo: (() => void)[] = [];
  #isQueued = false;

  /** The options that the stream is asked for where the attribute does not say otherwise. */
  protected abstract defaults(): StreamOptions;
  /** Draws what lies below the frames: grid and scale. */
  protected paintBack(_ctx: CanvasRenderingContext2D, _size: Size, _theme: Theme): void {}
  /** What that depends on besides size, colours and attributes, as a text. */
  protected backLook(): string {
    return "";
  }
  /** What `paint` would show of the newest frame, as a text, or null: every frame is another picture. */
  protected look(_size: Size, _density: number): string | null {
    return null;
  }
  /** Draws the newest frame. */
  protected abstract paint(ctx: CanvasRenderingContext2D, size: Size, theme: Theme): void;
  /** Of the stream: where one has all taps, all elements share it. */
  protected streamTap(): string {
    return this.tap;
  }
  /** Null where the frame has nothing of the tap. */
  protected abstract read(frame: FrameOf<T>): Reading | null;
  /** Sees every frame once, before it is painted. */
  protected take(_frame: FrameOf<T>): void {}
  /** Forgets what was kept of frames: another stream begins. */
  protected forget(): void {}

  /** Instead of `url`: any source, of a server or of this browser. */
  get source(): Source | null {
    return this.#source;
  }

  set source(source: Source | null) {
    this.#source = source;
    this.#update();
  }

  /** `"master"`, `"input"`, or a track's id. */
  get tap(): string {
    return this.getAttribute("tap") ?? "master";
  }

  set tap(tap: string) {
    this.setAttribute("tap", tap);
  }

  /** Frames per second that are asked for; fewer where people want less motion. */
  get fps(): number {
    const fps = FPS.read(this);
    return wantsLessMotion()?.matches ? Math.min(fps, REDUCED_FPS) : fps;
  }

  set fps(fps: number) {
    this.setAttribute("fps", String(fps));
  }

  /** Of the stream; what is absent keeps the element's default. */
  get options(): StreamOptions {
    const text = this.getAttribute("options");
    if (text === null) return {};
    try {
      const options: unknown = JSON.parse(text);
      if (typeof options === "object" && options !== null && !Array.isArray(options)) return options as StreamOptions;
    } catch { /* told below */ }
    throw new AntiphonError("invalid-attribute", `options=${JSON.stringify(text)} is not an object in JSON`, 'write options=\'{"bands": 64}\'');
  }

  set options(options: StreamOptions) {
    this.setAttribute("options", JSON.stringify(options));
  }

  /** Called by the browser. */
  connectedCallback(): void {
    const { picture } = this.#build();
    this.#undo = [observeSize(picture, (size) => this.#resize(size)), observeSeen(this, (isSeen) => this.#setSeen(isSeen))];
    const themed = () => this.#restyle();
    for (const list of [wantsLessMotion(), ...THEMES.map((query) => globalThis.matchMedia?.(query))]) {
      list?.addEventListener("change", themed);
      this.#undo.push(() => list?.removeEventListener("change", themed));
    }
    this.#update();
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    this.#undo.forEach((undo) => undo());
    this.#undo = [];
    this.#isSeen = false;
    this.#update();
  }

  /** Called by the browser. */
  attributeChangedCallback(): void {
    // Several attributes that are set together make one change.
    if (this.#isQueued) return;
    this.#isQueued = true;
    queueMicrotask(() => {
      this.#isQueued = false;
      this.#restyle();
    });
  }

  /** What an attribute says; where it makes no sense, which is told below the picture, what it is without one. */
  protected setting<V>(setting: Setting<V>): V {
    try {
      return setting.read(this);
    } catch {
      return setting.fallback;
    }
  }

  /** Paints the newest frame again. */
  protected repaint(): void {
    this.#look = this.#backLook = null;
    this.#paint();
  }

  /** Paints what is not there yet. */
  #paint(): void {
    const { width, height } = this.#size;
    if (!this.#parts || width === 0 || height === 0) return;
    const density = globalThis.devicePixelRatio || 1;
    const theme = (this.#theme ??= themeOf(this));
    const backLook = `${density} ${this.backLook()}`;
    if (backLook !== this.#backLook) {
      const ctx = prepareCanvas(this.#parts.back, this.#size, density);
      if (ctx) this.paintBack(ctx, this.#size, theme);
      this.#backLook = backLook;
    }
    const own = this.look(this.#size, density);
    const look = own === null ? null : `${density} ${own}`;
    if (look !== null && look === this.#look) return;
    const ctx = (this.constructor as typeof AntiphonElement).prepare(this.#parts.canvas, this.#size, density);
    if (ctx) this.paint(ctx, this.#size, theme);
    this.#look = look;
  }

  /** What stands below the picture besides the words. */
  protected controls(): HTMLElement[] {
    return [];
  }

  #build(): Parts {
    if (this.#parts) return this.#parts;
    const root = this.attachShadow({ mode: "open" });
    const part = (tag: string, name: string) => {
      const element = document.createElement(tag);
      element.setAttribute("part", name);
      return element;
    };
    const words = document.createTextNode("");
    const [picture, readout, error, lines] = [part("div", "picture"), part("div", "readout"), part("p", "error"), part("div", "words")];
    const [back, canvas] = [document.createElement("canvas"), document.createElement("canvas")];
    picture.append(back, canvas);
    // A meter once it has a value.
    picture.setAttribute("role", "img");
    // In a block, where a page can give them a known size (`contain: strict`): in a flex box that changes nothing.
    lines.append(words);
    readout.append(lines);
    // The same words are the meter's value text: heard once, when somebody asks.
    readout.setAttribute("aria-hidden", "true");
    error.setAttribute("role", "alert");
    // Not a <style>, which content policies forbid.
    root.adoptedStyleSheets = [(sheet ??= styleSheet())];
    const box = document.createElement("div");
    box.className = "box";
    box.append(picture, readout, ...this.controls(), error);
    root.append(box);
    this.#parts = { back, canvas, picture, words, error };
    return this.#parts;
  }

  #resize(size: Size): void {
    this.#size = size;
    try {
      this.repaint();
    } catch (error) {
      // While sizes are being observed, a line more would change what is observed: browsers call that an error.
      requestAnimationFrame(() => this.#say(error));
    }
  }

  #setSeen(isSeen: boolean): void {
    this.#isSeen = isSeen;
    this.#update();
  }

  #restyle(): void {
    this.#theme = null;
    this.#update();
    this.#try(() => this.repaint());
  }

  /** Runs the stream that the attributes ask for now, or none. */
  #update(): void {
    if (!this.#parts) return;
    this.#parts.picture.setAttribute("aria-label", this.getAttribute("label") ?? `${this.name}, ${this.tap}`);
    try {
      const source = this.#currentSource();
      const isWanted = source !== null && this.isConnected && this.#isSeen;
      const wanted: SubscribeOptions = isWanted
        ? { ...this.defaults(), ...this.options, tap: this.streamTap(), fps: this.fps }
        : {};
      const key = isWanted ? JSON.stringify(wanted) : "";
      const isSame = key === this.#streamed && source === this.#listened;
      if (isWanted && isSame && this.#end) return this.#tell(source);
      this.#stop();
      if (!isWanted) return;
      if (!isSame) {
        this.frame = null;
        this.#withdraw();
        this.forget();
      }
      this.#streamed = key;
      this.#listened = source;
      this.#subscribe(source, wanted);
    } catch (error) {
      // Frames of the stream before would take the message away.
      this.#stop();
      this.#withdraw();
      this.#say(error);
    }
  }

  #subscribe(source: Source, wanted: SubscribeOptions): void {
    // First what may throw, so that nothing is left of a stream that does not begin.
    const ended = source.subscribe(this.topic, (frame) => this.#received(frame), wanted);
    const told = source.onStatus(() => this.#tell(source));
    // One frame would bear the words of all; and each frame with words costs its own layout.
    this.#turn = (nBegun++ % TURNS) / TURNS;
    this.#end = () => {
      told();
      ended();
    };
    this.#tell(source);
  }

  /** The picture stays as it is: who scrolls past it and back sees no gap. */
  #stop(): void {
    this.#end?.();
    this.#end = null;
    this.#isFed = false;
    this.#readIn = Number.NaN;
  }

  /** The property's, else the shared one of `url`; null while the element is out of the page. */
  #currentSource(): Source | null {
    const url = this.#source === null && this.isConnected ? this.getAttribute("url") : null;
    const key = JSON.stringify([url, this.getAttribute("token")]);
    if (this.#held && this.#held.key !== key) {
      this.#stop();
      this.#held.release();
      this.#held = null;
    }
    if (this.#source) return this.#source;
    if (url === null) {
      if (this.isConnected) {
        throw new AntiphonError("no-source", "nothing to show", 'set url="http://host:port", or the property source');
      }
      return null;
    }
    const opts = { token: this.getAttribute("token") ?? undefined, wasm: AntiphonElement.wasm };
    this.#held ??= { key, ...acquire(url, opts) };
    return this.#held.source;
  }

  #received(frame: FrameOf<T>): void {
    this.frame = frame;
    this.#isFed = true;
    const now = performance.now();
    this.#try(() => {
      this.take(frame);
      const readIn = Math.floor(now / READ_MS + this.#turn);
      if (readIn !== this.#readIn) {
        this.#readIn = readIn;
        this.#freshen();
        this.#show(this.read(frame));
      }
      this.#paint();
    });
  }

  /** Pages change custom properties without telling. */
  #freshen(): void {
    const theme = themeOf(this);
    if (this.#theme && sameTheme(theme, this.#theme)) return;
    this.#theme = theme;
    this.#look = this.#backLook = null;
  }

  #show(reading: Reading | null): void {
    if (!this.#parts) return;
    const { picture, words } = this.#parts;
    if (!reading) {
      this.#withdraw();
      return this.#say(`there are no ${this.topic} of ${JSON.stringify(this.tap)} – name a tap that the source has`);
    }
    if (this.#listened) this.#tell(this.#listened);
    // The last frame of a connection may come after its end.
    if (AWAY.has(this.#listened?.status)) return;
    const { now, min, max, text } = reading;
    const attributes = {
      "aria-valuemin": min, "aria-valuemax": max, "aria-valuenow": Math.min(max, Math.max(min, Number(now.toFixed(2)))),
      "aria-valuetext": text, role: "meter",
    };
    for (const [name, value] of Object.entries(attributes)) {
      if (picture.getAttribute(name) !== String(value)) picture.setAttribute(name, String(value));
    }
    words.data = unbroken(text);
  }

  /** The last numbers would pass for those of now. */
  #withdraw(): void {
    if (!this.#parts?.words.data) return;
    const { picture, words } = this.#parts;
    words.data = "–";
    picture.setAttribute("role", "img");
    for (const name of ["valuemin", "valuemax", "valuenow", "valuetext"]) picture.removeAttribute(`aria-${name}`);
  }

  #tell(source: Source): void {
    const { status, error } = source;
    this.dataset.status = status;
    if (AWAY.has(status)) this.#withdraw();
    // Of a live source it may be another stream's, which was refused; where frames come, ours was not.
    if (error && (status !== "live" || !this.#isFed)) this.#say(error);
    else if (status === "needs-gesture") this.#say("the browser starts sound only after a click");
    else if (status === "closed") this.#say("the source was closed – set url, or another source");
    else this.#try(() => {
      for (const setting of this.settings) setting.read(this);
      this.#say("");
    });
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#say(error);
    }
  }

  /** Shows an error in the element, or takes it away. */
  #say(error: unknown): void {
    if (!this.#parts) return;
    const hint = error instanceof AntiphonError && error.hint ? ` – ${error.hint}` : "";
    const text = typeof error === "string" ? error : messageOf(error) + hint;
    if (this.#parts.error.textContent !== text) this.#parts.error.textContent = text;
  }
}

let sheet: CSSStyleSheet | undefined;
/** Streams that began. */
let nBegun = 0;

function styleSheet(): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(STYLE);
  return made;
}

function wantsLessMotion(): MediaQueryList | undefined {
  return globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");
}

function observeSize(element: Element, cb: (size: Size) => void): () => void {
  const observer = new ResizeObserver(([entry]) => {
    if (entry) cb({ width: entry.contentRect.width, height: entry.contentRect.height });
  });
  observer.observe(element);
  return () => observer.disconnect();
}

function observeSeen(element: Element, cb: (isSeen: boolean) => void): () => void {
  const observer = new IntersectionObserver(([entry]) => cb(entry?.isIntersecting ?? false), { rootMargin: "64px" });
  observer.observe(element);
  return () => observer.disconnect();
}
