// Loads the parts of the worklet that streams need, and starts each stream once its parts are there.
import { AntiphonError, messageOf } from "./errors.ts";
import { compilePart, type Part, type WasmLocation } from "./wasm.ts";
import type { WorkletNode } from "./worklet-node.ts";

/** Called when a part is there, with what tells errors of it from others: those are no more. */
type OnThere = (isItsError: (error: AntiphonError) => boolean) => void;

/** The parts of one worklet besides those that it was made with. */
export class WorkletParts {
  readonly #addPart: WorkletNode["addPart"];
  readonly #location: WasmLocation | undefined;
  readonly #onThere: OnThere;
  readonly #there = new Set<Part>();
  readonly #adding = new Map<Part, Promise<void>>();
  /** What starts the streams that wait, by name. */
  readonly #waiting = new Map<string, () => void>();
  /** Which part an error is of. */
  readonly #errors = new WeakMap<AntiphonError, Part>();
  #isClosed = false;

  constructor(addPart: WorkletNode["addPart"], location: WasmLocation | undefined, onThere: OnThere) {
    this.#addPart = addPart;
    this.#location = location;
    this.#onThere = onThere;
  }

  /**
   * Starts a stream when its parts are there: at once, or once they came, unless something else was wanted of the stream
   * meanwhile, or all is over.
   */
  start(stream: string, parts: Part[], start: () => void, onError: (error: AntiphonError) => void): void {
    if (this.#isClosed) return;
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
    const isMissing = (part: Part) => !this.#there.has(part);
    // All at once, but started in order.
    for (const part of parts.filter(isMissing)) compilePart(part, this.#location).catch(() => undefined);
    for (const part of parts) {
      // Somebody else may have brought it while this waited for the one before.
      if (!isMissing(part)) continue;
      const adding = this.#adding.get(part) ?? this.#load(part).finally(() => this.#adding.delete(part));
      this.#adding.set(part, adding);
      await adding;
    }
  }

  async #load(part: Part): Promise<void> {
    try {
      await this.#start(part);
    } catch (error) {
      this.#errors.set(error as AntiphonError, part);
      throw error;
    }
    this.#there.add(part);
    this.#onThere((error) => this.#errors.get(error) === part);
  }

  async #start(part: Part): Promise<void> {
    const compiled = await compilePart(part, this.#location);
    if (this.#isClosed) throw new AntiphonError("closed", "this source was closed", "make another one");
    try {
      await this.#addPart({ part, ...compiled });
    } catch (error) {
      const hint = "serve the files of one version of the package next to each other";
      throw new AntiphonError("wasm", `antiphon_${part}.wasm did not start: ${messageOf(error)}`, hint, error);
    }
  }

  /** Nothing waits any more. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
  }
}
