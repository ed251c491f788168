/** What is drawn on a canvas, as numbers and words: recorded here, drawn where there is time for it. */

/** One whole picture. */
export interface Recording {
  /** Pixels of the screen. */
  width: number;
  height: number;
  /** Of them in a CSS pixel. */
  density: number;
  /** A step's place in `STEPS` and its numbers, again and again; a word is its place in `words`. */
  codes: Float32Array<ArrayBuffer>;
  words: string[];
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** What painters may do, how many numbers it has, and how it is done. */
const STEPS = {
  beginPath: [0, (ctx) => ctx.beginPath()],
  closePath: [0, (ctx) => ctx.closePath()],
  moveTo: [2, (ctx, a, b) => ctx.moveTo(a, b)],
  lineTo: [2, (ctx, a, b) => ctx.lineTo(a, b)],
  rect: [4, (ctx, a, b, c, d) => ctx.rect(a, b, c, d)],
  arc: [5, (ctx, a, b, c, d, e) => ctx.arc(a, b, c, d, e)],
  clip: [0, (ctx) => ctx.clip()],
  stroke: [0, (ctx) => ctx.stroke()],
  fill: [0, (ctx) => ctx.fill()],
  fillRect: [4, (ctx, a, b, c, d) => ctx.fillRect(a, b, c, d)],
  clearRect: [4, (ctx, a, b, c, d) => ctx.clearRect(a, b, c, d)],
  save: [0, (ctx) => ctx.save()],
  restore: [0, (ctx) => ctx.restore()],
  translate: [2, (ctx, a, b) => ctx.translate(a, b)],
} satisfies Record<string, [n: number, step: (ctx: Context, a: number, b: number, c: number, d: number, e: number) => void]>;

const NUMBERS = ["lineWidth", "globalAlpha"] as const;
const WORDS = ["fillStyle", "strokeStyle", "lineJoin", "font", "textAlign", "textBaseline", "letterSpacing"] as const;
const names = Object.keys(STEPS) as (keyof typeof STEPS)[];
const steps = Object.values(STEPS);
const [FIRST_NUMBER, FIRST_WORD] = [names.length, names.length + NUMBERS.length];
const TEXT = FIRST_WORD + WORDS.length;

type Numbers = (typeof NUMBERS)[number];
type Words = (typeof WORDS)[number];
type Overloaded = "arc" | "clip" | "stroke" | "fill";

/** A context for painters; clearing all of it begins another picture. What it does not record, it refuses. */
export interface RecordedContext extends Pick<CanvasRenderingContext2D, Exclude<keyof typeof STEPS, Overloaded> | Numbers | Words> {
  arc(x: number, y: number, radius: number, startAngle: number, endAngle: number): void;
  clip(): void;
  stroke(): void;
  fill(): void;
  fillText(text: string, x: number, y: number): void;
  getTransform(): { a: number };
}

/** Records pictures, and keeps the newest one. */
export class Recorder {
  readonly ctx: RecordedContext;
  width = 0;
  height = 0;
  density = 1;
  #codes = new Float32Array(256);
  #n = 0;
  #words: string[] = [];

  /** `drawn` is called whenever something is cleared: with that each picture begins. */
  constructor(drawn: () => void) {
    const members: PropertyDescriptorMap = {
      getTransform: { value: () => ({ a: this.density }) },
      fillText: {
        value: (text: string, x: number, y: number, more?: unknown) => {
          refuse("fillText", more);
          this.#put(TEXT, this.#word(text), x, y);
        },
      },
    };
    for (const [code, name] of names.entries()) {
      const [n] = STEPS[name];
      members[name] = {
        value: (a?: number, b?: number, c?: number, d?: number, e?: number, more?: unknown) => {
          // A path or a rule comes first, a direction last.
          refuse(name, n === 0 ? a : more);
          this.#put(code, a, b, c, d, e);
        },
      };
    }
    members.clearRect = {
      value: (x: number, y: number, width: number, height: number) => {
        if (x <= 0 && y <= 0 && width * this.density >= this.width - 1 && height * this.density >= this.height - 1) this.#begin();
        this.#put(names.indexOf("clearRect"), x, y, width, height);
        drawn();
      },
    };
    const property = (code: number, put: (value: never) => number) => {
      let now: unknown;
      return {
        get: () => now,
        set: (value: never) => {
          now = value;
          this.#put(code, put(value));
        },
      };
    };
    for (const [idx, name] of NUMBERS.entries()) members[name] = property(FIRST_NUMBER + idx, (value: number) => value);
    for (const [idx, name] of WORDS.entries()) members[name] = property(FIRST_WORD + idx, (value: string) => this.#word(value));
    // Of what is not recorded, methods are not there, and properties cannot be set.
    this.ctx = Object.preventExtensions(Object.create(null, members)) as RecordedContext;
  }

  /** The newest picture, as a copy. */
  take(): Recording {
    const { width, height, density } = this;
    return { width, height, density, codes: this.#codes.slice(0, this.#n), words: [...this.#words] };
  }

  #begin(): void {
    this.#n = 0;
    this.#words = [];
  }

  #word(word: string): number {
    const known = this.#words.indexOf(word);
    return known < 0 ? this.#words.push(word) - 1 : known;
  }

  #put(code: number, a = 0, b = 0, c = 0, d = 0, e = 0): void {
    if (this.#n + 6 > this.#codes.length) {
      const longer = new Float32Array(2 * this.#codes.length);
      longer.set(this.#codes);
      this.#codes = longer;
    }
    const codes = this.#codes;
    codes[this.#n] = code;
    codes[this.#n + 1] = a;
    codes[this.#n + 2] = b;
    codes[this.#n + 3] = c;
    codes[this.#n + 4] = d;
    codes[this.#n + 5] = e;
    this.#n += 1 + lengthOf(code);
  }
}

function refuse(step: string, argument: unknown): void {
  if (argument !== undefined) throw new TypeError(`${step} is not recorded with ${String(argument)}: draw without it, or on the main thread`);
}

function lengthOf(code: number): number {
  return code === TEXT ? 3 : code < FIRST_NUMBER ? steps[code]![0] : 1;
}

/** Draws a picture on a canvas that is made as large as it. */
export function replay(canvas: HTMLCanvasElement | OffscreenCanvas, { width, height, density, codes, words }: Recording): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const ctx = canvas.getContext("2d") as Context | null;
  if (!ctx) return;
  ctx.setTransform(density, 0, 0, density, 0, 0);
  for (let at = 0; at < codes.length; ) {
    const code = codes[at]!;
    const [a, b, c, d, e] = [codes[at + 1]!, codes[at + 2]!, codes[at + 3]!, codes[at + 4]!, codes[at + 5]!];
    if (code === TEXT) ctx.fillText(words[a]!, b, c);
    else if (code >= FIRST_WORD) Reflect.set(ctx, WORDS[code - FIRST_WORD]!, words[a]);
    else if (code >= FIRST_NUMBER) ctx[NUMBERS[code - FIRST_NUMBER]!] = a;
    else steps[code]![1](ctx, a, b, c, d, e);
    at += 1 + lengthOf(code);
  }
}
