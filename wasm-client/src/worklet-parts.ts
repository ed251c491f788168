// Loads the parts of the worklet that streams need, and starts each stream once its parts are there.
import { AntiphonError, messageOf } from "./errors.ts";
import { compilePart, type Part, type WasmLocation } from "./wasm.ts";
import type { WorkletNode } from "./worklet-node.ts";

/** The parts of one worklet besides those that it was made with. */
export class WorkletParts {
  readonly #addPart: WorkletNode["addPart"];
  readonly #location: WasmLocation | undefined;
  readonly #there = new Set<Part>();
  readonly #adding = new Map<Part, Promise<void>>();
  /** What starts the streams that wait, by name. */
  readonly #waiting = new Map<string, () => void>();
  #isClosed = false;

  constructor(addPart: WorkletNode["addPart"], location: WasmLocation | undefined) {
    this.#addPart = addPart;
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
    const missing = parts.filter((part) => !this.#there.has(part));
    // All at once, but started in order.
    for (const part of missing) compilePart(part, this.#location).catch(() => undefined);
    for (const part of missing) {
      const adding = this.#adding.get(part) ?? this.#addNow(part).finally(() => this.#adding.delete(part));
      this.#adding.set(part, adding);
      await adding;
    }
  }

  async #addNow(part: Part): Promise<void> {
    const compiled = await compilePart(part, this.#location);
    if (this.#isClosed) throw new AntiphonError("closed", "this source was closed", "make another one");
    try {
      await this.#addPart({ part, ...compiled });
    } catch (error) {
      const hint = "serve the files of one version of the package next to each other";
      throw new AntiphonError("wasm", `antiphon_${part}.wasm did not start: ${messageOf(error)}`, hint, error);
    }
    this.#there.add(part);
  }

  /** Nothing waits any more. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
  }
}
