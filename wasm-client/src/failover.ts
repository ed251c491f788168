// One source of two: a server, and this browser in its place while the server is gone.
import { AntiphonError, messageOf } from "./errors.ts";
import type { LocalSource } from "./local.ts";
import type { SampleFiles } from "./offline.ts";
import { Prefetch, type PrefetchClients } from "./prefetch.ts";
import { createRestClient } from "./rest.ts";
import { continuedPlayhead, serverOf } from "./server.ts";
import type { FrameOf, Playhead, Source, SourceStatus, SubscribeOptions, TopicName } from "./source.ts";
import { guarded } from "./ticker.ts";
import type { CompositionSpec, LiveNote, Hello } from "./types.gen.ts";
import type { WasmLocation } from "./wasm.ts";

/** What a fallback can be made for. */
export interface Handover {
  /** The server's, for the AudioContext; `undefined` until it said hello. */
  sampleRate: number | undefined;
  /** What the server plays, as it was last fetched. It is loaded without the fallback's doing. */
  composition: CompositionSpec | null;
  /** Files of its samples, fetched in time. */
  samples: SampleFiles;
}

/** When one source takes the other's place, and from where it learns what to play. */
export interface FailoverOptions {
  /** Takes over and fails back by itself (the default), or only when it is told to. */
  auto?: boolean | undefined;
  /** How long the primary may be away before it is replaced; 2000 ms when absent. */
  patienceMs?: number | undefined;
  /** Where compositions and samples come from; when absent, from the server that `connect` was given. */
  rest?: PrefetchClients | undefined;
  wasm?: WasmLocation | undefined;
}

/** A source whose frames come from one of two. */
export interface Failover extends Source {
  /** Whose frames come now. `onStatus` tells when it changes. */
  readonly active: "primary" | "fallback";
  /** The source that is active. */
  readonly current: Source;
  readonly primary: Source;
  /** Once it is made. */
  readonly fallback: Source | null;
  /** The fallback is being made or loaded, to take over. */
  readonly isSwitching: boolean;
  /** What the primary plays, as it was last fetched. `onStatus` tells when it changes. */
  readonly composition: CompositionSpec | null;
  /** Files of the primary's samples, fetched once. */
  samples(id: string): Promise<ArrayBuffer>;
  /** Makes and loads the fallback now. It happens by itself when the primary is live for the first time. */
  prepare(): Promise<Source>;
  /**
   * Makes the fallback the active one. With `goOn` (the default) it plays on where the primary is, or would be.
   * In a click, the sound may start at once; otherwise the status may be `needs-gesture`.
   */
  takeOver(opts?: { goOn?: boolean | undefined }): Promise<void>;
  /** Makes the primary the active one; the fallback falls silent. */
  failBack(): void;
  /** Lets the fallback sound; call it in a click when the status is `needs-gesture`. */
  resume(): Promise<void>;
  /** Fetches the primary's composition again, after changes of it. */
  refresh(): Promise<CompositionSpec | null>;
}

/**
 * Frames of `primary`, and of what `fallback` makes while the primary is gone. A local source is loaded with the
 * server's composition and plays on at the server's position, with its loop, tempo and metronome.
 */
export function failover(
  primary: Source, fallback: (handover: Handover) => Promise<Source>, opts: FailoverOptions = {},
): Failover {
  return new FailoverSource(primary, fallback, opts);
}

type Transport = FrameOf<"transport">;

interface Subscription {
  start(source: Source): () => void;
  end: () => void;
}

const isLocal = (source: Source | null): source is LocalSource => source !== null && "context" in source && "load" in source;

/** Lets it sound if it may; if not, its status says so, and `resume` why. */
const start = (source: LocalSource) => void source.resume().catch(() => undefined);

const PATIENCE_MS = 2000;

class FailoverSource implements Failover {
  readonly primary: Source;
  #fallback: Source | null = null;
  #active: "primary" | "fallback" = "primary";
  #isSwitching = false;
  #isClosed = false;
  #error: AntiphonError | null = null;
  readonly #make: (handover: Handover) => Promise<Source>;
  #making: Promise<Source> | null = null;
  readonly #prefetch: Prefetch | null;
  readonly #isAuto: boolean;
  readonly #patienceMs: number;
  #patience: ReturnType<typeof setTimeout> | undefined;
  readonly #subscriptions = new Set<Subscription>();
  readonly #listeners = new Set<() => void>();
  readonly #unwatch: (() => void)[] = [];
  /** As the primary was last heard of. */
  #transport: Transport | null = null;
  /** Id of the composition that the fallback has without anybody's choosing it: ours, or the one it was made with. */
  #givenId: string | undefined;
  /** What was handed over. What is changed of it here stays until the primary has another one. */
  #given: CompositionSpec | null = null;
  #giving: Promise<unknown> = Promise.resolve();
  #wasLive = false;
  /** What is to be done when the sound may start. */
  #whenAllowed: (() => Promise<void>) | null = null;
  /** The last switch: a slow one must not overtake a later one. */
  #turn = 0;

  constructor(primary: Source, fallback: (handover: Handover) => Promise<Source>, opts: FailoverOptions) {
    this.primary = primary;
    this.#make = fallback;
    this.#isAuto = opts.auto ?? true;
    this.#patienceMs = opts.patienceMs ?? PATIENCE_MS;
    const server = serverOf(primary);
    const rest = opts.rest ?? (server && createRestClient(server.url, { token: server.token }));
    this.#prefetch = rest && new Prefetch(rest, opts.wasm);
    this.#unwatch.push(
      primary.onStatus(() => this.#primaryChanged()),
      primary.subscribe("transport", (frame) => (this.#transport = { ...frame })),
    );
    if (this.#prefetch) this.#unwatch.push(this.#prefetch.watch(primary, () => this.refresh()));
    this.#primaryChanged();
  }

  get kind(): Source["kind"] {
    return this.current.kind;
  }

  get active(): "primary" | "fallback" {
    return this.#active;
  }

  get current(): Source {
    return this.#active === "fallback" && this.#fallback ? this.#fallback : this.primary;
  }

  get fallback(): Source | null {
    return this.#fallback;
  }

  get isSwitching(): boolean {
    return this.#isSwitching;
  }

  get composition(): CompositionSpec | null {
    return this.#prefetch?.composition ?? null;
  }

  get status(): SourceStatus {
    return this.#isClosed ? "closed" : this.current.status;
  }

  /** Why the fallback could not be made comes first: that of the primary is known by its status. */
  get error(): AntiphonError | null {
    return this.#error ?? this.current.error;
  }

  get hello(): Hello | null {
    return this.current.hello;
  }

  onStatus(cb: () => void): () => void {
    const listener = () => cb();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  subscribe<T extends TopicName>(topic: T, cb: (frame: FrameOf<T>) => void, opts?: SubscribeOptions): () => void {
    const start = (source: Source) => source.subscribe(topic, cb, opts);
    const subscription: Subscription = { start, end: this.#isClosed ? () => undefined : start(this.current) };
    this.#subscriptions.add(subscription);
    return () => {
      this.#subscriptions.delete(subscription);
      subscription.end();
    };
  }

  latest<T extends TopicName>(topic: T, opts?: SubscribeOptions): FrameOf<T> | null {
    return this.current.latest(topic, opts);
  }

  note(note: LiveNote): void {
    this.current.note(note);
  }

  resetLoudness(tap?: string): Promise<void> {
    return this.current.resetLoudness(tap);
  }

  playhead(): Playhead | null {
    return this.current.playhead();
  }

  readonly samples = (id: string): Promise<ArrayBuffer> => {
    if (this.#prefetch) return this.#prefetch.samples(id);
    return Promise.reject(new AntiphonError("missing-sample", `sample ${id}: no server is known`, "pass { rest }"));
  };

  async refresh(): Promise<CompositionSpec | null> {
    const before = this.composition;
    const composition = (await this.#prefetch?.refresh()) ?? null;
    if (composition !== before) this.#tell();
    // In advance, so that a take-over need not wait for samples to be decoded.
    if (this.#active === "primary" && !this.#isSwitching && this.#fallback) await this.#give(this.#fallback);
    return composition;
  }

  async prepare(): Promise<Source> {
    const source = await this.#prepared();
    await preload(source);
    return source;
  }

  #prepared(): Promise<Source> {
    const made = this.#fallback;
    if (made && made.status !== "failed" && made.status !== "closed") return Promise.resolve(made);
    this.#making ??= this.#prepare().finally(() => (this.#making = null));
    return this.#making;
  }

  async takeOver({ goOn = true }: { goOn?: boolean | undefined } = {}): Promise<void> {
    if (this.#isClosed || this.#active === "fallback") return;
    clearTimeout(this.#patience);
    const turn = ++this.#turn;
    // Here, since a click counts only now.
    if (isLocal(this.#fallback)) start(this.#fallback);
    this.#set({ isSwitching: true, error: null });
    try {
      const source = await this.#prepared();
      const isOurs = await this.#give(source);
      if (turn !== this.#turn) return;
      // What was handed over plays where the primary is; loading takes its time, so that is asked now.
      if (isLocal(source)) {
        start(source);
        const goOnNow = () => continueFrom(source, this.#transport, isOurs, continuedPlayhead(this.primary));
        if (goOn) await goOnNow();
        // Until a click it stands still, while the primary's time goes on.
        this.#whenAllowed = goOn && source.status === "needs-gesture" ? goOnNow : null;
      }
      if (turn === this.#turn) this.#switch("fallback");
    } catch (thrown) {
      const error = thrown instanceof AntiphonError ? thrown : new AntiphonError("failed", messageOf(thrown), "", thrown);
      if (turn === this.#turn) this.#set({ isSwitching: false, error });
      throw error;
    }
  }

  failBack(): void {
    this.#turn += 1;
    const { current } = this;
    if (current !== this.primary) {
      this.#switch("primary");
      if (isLocal(current)) silence(current);
    } else if (this.#isSwitching) {
      this.#set({ isSwitching: false, error: null });
      if (isLocal(this.#fallback)) silence(this.#fallback);
    }
  }

  async resume(): Promise<void> {
    if (!isLocal(this.#fallback)) return;
    await this.#fallback.resume();
    const goOn = this.#whenAllowed;
    this.#whenAllowed = null;
    if (this.#active === "fallback") await goOn?.();
  }

  /** Closes both. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#turn += 1;
    clearTimeout(this.#patience);
    for (const end of this.#unwatch.splice(0)) end();
    for (const { end } of this.#subscriptions) end();
    this.#subscriptions.clear();
    this.primary.close();
    this.#fallback?.close();
    this.#tell();
  }

  async #prepare(): Promise<Source> {
    const source = await this.#make({
      sampleRate: this.primary.hello?.sample_rate,
      composition: this.composition,
      samples: this.samples,
    });
    // Whoever writes JavaScript may return anything.
    if (typeof (source as Source | undefined)?.onStatus !== "function") {
      throw new AntiphonError("invalid-source", "the fallback made no source", "return what createLocalSource resolves to");
    }
    if (this.#isClosed) {
      source.close();
      throw new AntiphonError("closed", "this source was closed");
    }
    this.#fallback = source;
    void preload(source);
    this.#givenId = isLocal(source) ? source.composition?.id : undefined;
    this.#unwatch.push(source.onStatus(() => this.#tell()));
    if (this.#active === "primary" && !this.#isSwitching) {
      if (isLocal(source)) silence(source);
      await this.#give(source);
    }
    return source;
  }

  /** Loads the primary's composition, unless somebody chose another one. Whether it is the one that is loaded. */
  #give(source: Source): Promise<boolean> {
    // One after the other: of two loads at once the source would refuse the first.
    const given = this.#giving.catch(() => undefined).then(() => this.#giveNow(source));
    this.#giving = given;
    return given;
  }

  async #giveNow(source: Source): Promise<boolean> {
    const { composition } = this;
    if (!isLocal(source) || !composition) return false;
    const loaded = source.composition?.id;
    if (loaded !== undefined && loaded !== this.#givenId && loaded !== composition.id) return false;
    if (composition === this.#given) return true;
    try {
      await source.load(composition, composition.name, { samples: this.samples });
    } catch (error) {
      // Somebody chose another one meanwhile.
      if (error instanceof AntiphonError && error.code === "superseded") return false;
      throw error;
    }
    this.#givenId = composition.id;
    this.#given = composition;
    return true;
  }

  #primaryChanged(): void {
    const { status } = this.primary;
    if (status === "live") {
      clearTimeout(this.#patience);
      this.#patience = undefined;
      if (this.#isAuto && !this.#wasLive) {
        this.failBack();
        // While the server is there to send what is needed. What fails is told when it is wanted.
        void (this.#fallback ? preload(this.#fallback) : this.prepare().catch(() => undefined));
      }
    } else if (this.#isAuto && status !== "closed" && this.#active === "primary") {
      this.#patience ??= setTimeout(() => void this.takeOver().catch(() => undefined), this.#patienceMs);
    }
    this.#wasLive = status === "live";
    this.#tell();
  }

  #switch(active: "primary" | "fallback"): void {
    this.#active = active;
    for (const subscription of [...this.#subscriptions]) {
      subscription.end();
      subscription.end = subscription.start(this.current);
    }
    this.#set({ isSwitching: false, error: null });
  }

  #set({ isSwitching, error }: { isSwitching: boolean; error: AntiphonError | null }): void {
    this.#isSwitching = isSwitching;
    this.#error = error;
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) guarded(listener);
  }
}

/** Takes the transport over: where it is, and its settings, only in the composition in which they mean something. */
async function continueFrom(
  local: LocalSource, from: Transport | null, isSame: boolean, at: Playhead | null,
): Promise<void> {
  if (!from) return;
  const { playback } = local;
  if (isSame) {
    const { loop_enabled: enabled, loop_start: start_beats, loop_end: end_beats } = from;
    if (end_beats > start_beats) await playback.setLoop({ enabled, start_beats, end_beats });
    await playback.seek({ position_beats: (at ?? from).position_beats });
    await playback.setTempo({ bpm: from.tempo });
    await playback.setMetronome({ enabled: from.metronome_enabled });
  }
  if (from.is_playing) await playback.play();
}

/** Loads what streams may need, while the server is there, which may be what serves the files. What fails is tried again. */
async function preload(source: Source): Promise<void> {
  if (isLocal(source)) await source.preload().catch(() => undefined);
}

/** Pauses, and lets the context rest. */
function silence(local: LocalSource): void {
  local.playback.pause().catch(() => undefined).then(() => local.context.suspend()).catch(() => undefined);
}
