// Loads the parts of the worklet that streams need, and starts each stream once its parts are there.
import { AntiphonError } from "./errors.ts";
import { compilePart, type Part, type WasmLocation } from "./wasm.ts";
import type { ToWorklet } from "./worklet-messages.ts";
import type { Send } from "./worklet-node.ts";

interface Answer {
  resolve(): void;
  reject(error: AntiphonError): void;
}

/** The parts of one worklet besides those that it was made with. */
export class WorkletParts {
  readonly #send: Send;
  readonly #post: (message: ToWorklet) => void;
  readonly #location: WasmLocation | undefined;
  readonly #there = new Set<Part>();
  readonly #adding = new Map<Part, Promise<void>>();
  readonly #answers = new Map<Part, Answer>();
  /** What starts the streams that wait, by name. */
  readonly #waiting = new Map<string, () => void>();
  #isClosed = false;

  constructor(send: Send, post: (message: ToWorklet) => void, location: WasmLocation | undefined) {
    this.#send = send;
    this.#post = post;
    this.#location = location;
  }

  /**
   * Starts a stream when its parts are there: at once, or once they came, unless something else was wanted of the stream
   * meanwhile.
   */
  start(stream: string, parts: Part[], start: () => void, onError: (error: AntiphonError) => void): void {
    this.forget(stream);
    if (parts.every((part) => this.#there.has(part))) return start();
    this.#waiting.set(stream, start);
    const isWanted = () => this.#waiting.get(stream) === start && this.#waiting.delete(stream);
    this.add(parts).then(
      () => isWanted() && start(),
      (error: AntiphonError) => isWanted() && onError(error),
    );
  }

  /** The stream is not to be started any more. */
  forget(stream: string): void {
    this.#waiting.delete(stream);
  }

  /** Whether anything waits, and whether the stream does. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  awaits(stream: string): boolean {
    return this.#waiting.has(stream);
  }

  /** Loads parts, those below before those above. Rejects with an AntiphonError; the next call tries again. */
  async add(parts: readonly Part[]): Promise<void> {
    // All at once, but started in order.
    const compiled = parts.map((part) => (this.#there.has(part) ? null : compilePart(part, this.#location)));
    compiled.forEach((one) => one?.catch(() => undefined));
    for (const [idx, part] of parts.entries()) {
      const one = compiled[idx];
      if (!one || this.#there.has(part)) continue;
      const { module, bytes } = await one;
      if (this.#isClosed) throw closed();
      const adding = this.#adding.get(part) ?? new Promise<void>((resolve, reject) => {
        this.#answers.set(part, { resolve, reject });
        this.#post({ type: "add", ...this.#send({ part, module, bytes }) });
      });
      this.#adding.set(part, adding);
      await adding;
    }
  }

  /** The worklet's answer. */
  added(part: Part, error: string | null): void {
    const answer = this.#answers.get(part);
    this.#answers.delete(part);
    this.#adding.delete(part);
    if (error === null) {
      this.#there.add(part);
      answer?.resolve();
    } else {
      const hint = "serve the files of one version of the package next to each other";
      answer?.reject(new AntiphonError("wasm", `antiphon_${part}.wasm did not start: ${error}`, hint));
    }
  }

  /** Nothing waits any more. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
    for (const { reject } of this.#answers.values()) reject(closed());
  }
}

const closed = () => new AntiphonError("closed", "this source was closed", "make another one");
