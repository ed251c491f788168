// Status, error and hello of a source, and who is told when they change.
import { AntiphonError, messageOf } from "./errors.ts";
import type { SourceStatus } from "./source.ts";
import { guarded } from "./ticker.ts";
import type { Hello } from "./types.gen.ts";

/** What a source shows besides frames. */
interface State {
  status: SourceStatus;
  /** Of the source as a whole. */
  error: AntiphonError | null;
  /** Of one of its streams; shown where the source has none. */
  refusal: AntiphonError | null;
  hello: Hello | null;
}

/** Holds a source's state; values that say the same keep their identity. */
export class Status {
  #state: State;
  readonly #listeners = new Set<() => void>();

  constructor(status: SourceStatus) {
    this.#state = { status, error: null, refusal: null, hello: null };
  }

  get status(): SourceStatus {
    return this.#state.status;
  }

  get error(): AntiphonError | null {
    return this.#state.error ?? this.#state.refusal;
  }

  /** Without those of its streams. */
  get ownError(): AntiphonError | null {
    return this.#state.error;
  }

  get hello(): Hello | null {
    return this.#state.hello;
  }

  onChange(cb: () => void): () => void {
    // Wrapped: the same function may be given twice.
    const listener = () => cb();
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  set(change: Partial<State>): void {
    const before = this.#state;
    const next = { ...before, ...change };
    if (sameError(before.error, next.error)) next.error = before.error;
    if (sameError(before.refusal, next.refusal)) next.refusal = before.refusal;
    if (sameHello(before.hello, next.hello)) next.hello = before.hello;
    const names = ["status", "error", "refusal", "hello"] as const;
    if (names.every((name) => next[name] === before[name])) return;
    this.#state = next;
    for (const listener of [...this.#listeners]) guarded(listener);
  }

  /** Nothing more will come. */
  fail(thrown: unknown): void {
    if (this.#state.status === "closed") return;
    const error = thrown instanceof AntiphonError ? thrown : new AntiphonError("failed", messageOf(thrown), "", thrown);
    this.set({ status: "failed", error });
  }
}

function sameError(a: AntiphonError | null, b: AntiphonError | null): boolean {
  return a === b || (a !== null && b !== null && a.code === b.code && a.message === b.message);
}

/** Sockets of one server each get a hello; only its time differs. */
function sameHello(a: Hello | null, b: Hello | null): boolean {
  if (a === null || b === null) return a === b;
  return JSON.stringify({ ...a, server_time: 0 }) === JSON.stringify({ ...b, server_time: 0 });
}
