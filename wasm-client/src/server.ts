// A server as a source: stream sockets that keep themselves alive.
import { AntiphonError, errorFromWasm, hintOf } from "./errors.ts";
import { caller } from "./rest-call.ts";
import { Status } from "./status.ts";
import type { FrameOf, Playhead, Source, SourceStatus, SubscribeOptions, TopicName } from "./source.ts";
import { type AnyFrame, type Link, type Refusal, Streams } from "./streams.ts";
import { streamBase } from "./stream-base.ts";
import type { Hello, LiveNote, ServerMessage, StreamOptions, TriggerKind } from "./types.gen.ts";
import { loadWasm, type Wasm, type WasmLocation } from "./wasm.ts";

/** How a server is reached. */
export interface ConnectOptions {
  /** `true`, when absent: one socket for all topics (`/api/ws/stream`) instead of one for each. */
  multiplex?: boolean | undefined;
  /** What frames travel as; `binary` is a twentieth of the size. */
  encoding?: "binary" | "json" | undefined;
  /** For servers that listen beyond this machine. */
  token?: string | undefined;
  wasm?: WasmLocation | undefined;
}

/**
 * Frames from an Antiphon server at `url`: `http://host:port`, `ws://host:port`, a path of this page's origin (`/antiphon`),
 * or `""` for the origin itself.
 * The source connects, and reconnects, by itself until it is closed.
 */
export function connect(url: string, opts: ConnectOptions = {}): Source {
  return new ServerSource(url, opts);
}

/** Where the playhead of a server that is gone would be now, if it had gone on; of other sources, where it is. */
export function continuedPlayhead(source: Source): Playhead | null {
  return source instanceof ServerSource ? source.playhead(true) : source.playhead();
}

/** The server of a source that `connect` made, as its REST interface is reached; `null` for other sources. */
export function serverOf(source: Source): { url: string; token: string | undefined } | null {
  return source instanceof ServerSource ? source.server : null;
}

class ServerSource implements Source {
  readonly kind = "server";
  readonly #opts: ConnectOptions;
  readonly #state = new Status("loading");
  readonly #streams: Streams;
  /** For REST: http instead of ws. */
  readonly server: { url: string; token: string | undefined };
  #sockets: SocketLink[] = [];
  /** Why a stream is not there, and what else the server refused. */
  #streamError: AntiphonError | null = null;
  #refusal: AntiphonError | null = null;
  #base = "";

  constructor(url: string, opts: ConnectOptions) {
    this.#opts = opts;
    this.server = { url: String(url).replace(/^ws(s?):/i, "http$1:"), token: opts.token };
    let wasm: Wasm | null = null;
    const open = (topic: TopicName): Link => {
      if (!wasm) throw new AntiphonError("loading", "WebAssembly is not there yet");
      return this.#open(wasm, topic);
    };
    const onError = (error: AntiphonError | null) => {
      this.#streamError = error;
      this.#update();
    };
    const perTopic = opts.multiplex === false;
    const sampleRate = () => this.#state.hello?.sample_rate ?? 0;
    const maxStreams = () => this.#state.hello?.limits.max_subscriptions ?? 32;
    this.#streams = new Streams({ open, onError, sampleRate, maxStreams, perTopic });
    if (typeof window === "undefined" && typeof WebSocket === "undefined") return; // rendered on a server
    const begin = async () => {
      this.#base = streamBase(url);
      check(opts);
      wasm = await loadWasm(opts.wasm);
      if (this.#state.status === "closed") return;
      // Always there, so that status, taps and transport are known before anybody draws.
      const permanent = open("transport");
      this.#sockets[0]?.connection.keep_time();
      this.#streams.start(permanent, perTopic ? "transport" : null);
      globalThis.addEventListener?.("online", this.#nudge);
    };
    begin().catch((error: unknown) => this.#state.fail(error));
  }

  get status(): SourceStatus {
    return this.#state.status;
  }

  get error(): AntiphonError | null {
    return this.#state.error;
  }

  get hello(): Hello | null {
    return this.#state.hello;
  }

  onStatus(cb: () => void): () => void {
    return this.#state.onChange(cb);
  }

  subscribe<T extends TopicName>(topic: T, cb: (frame: FrameOf<T>) => void, opts?: SubscribeOptions): () => void {
    return this.#streams.subscribe(topic, cb, opts);
  }

  latest<T extends TopicName>(topic: T, opts?: SubscribeOptions): FrameOf<T> | null {
    return this.#streams.latest(topic, opts);
  }

  playhead(isGone = false): Playhead | null {
    // Known when somebody watches.
    const latencyMs = this.latest("analytics")?.latency_ms ?? 0;
    return (this.#sockets[0]?.connection.playhead(latencyMs, isGone) ?? null) as Playhead | null;
  }

  note(note: LiveNote): void {
    try {
      // The first socket is there as long as the source.
      this.#sockets[0]?.connection.note(note);
    } catch (error) {
      throw errorFromWasm(error);
    }
  }

  resetLoudness(tap?: string): Promise<void> {
    return caller(this.server.url, this.server)("POST", "/api/loudness/reset", { tap });
  }

  close(): void {
    if (this.#state.status === "closed") return;
    globalThis.removeEventListener?.("online", this.#nudge);
    this.#streams.close();
    this.#state.set({ status: "closed", error: null, refusal: null });
  }

  readonly #nudge = () => this.#sockets.forEach((socket) => socket.connection.nudge());

  #open(wasm: Wasm, topic: TopicName): Link {
    const { multiplex = true, encoding = "binary", token } = this.#opts;
    // A browser hides the status of a refused socket from us; the server can say it by a close code instead.
    const url = `${this.#base}/api/ws/${multiplex ? "stream" : topic}?refusal=close`;
    const protocols = [`antiphon.v1.${encoding}`, ...(token === undefined ? [] : [`antiphon.token.${token}`])];
    // The first call may come before the socket is there.
    let socket: SocketLink | null = null;
    const onChange = () => socket && this.#changed(socket);
    const onQueued = () => socket && this.#streams.flush(socket);
    const opened = new SocketLink(new wasm.Connection(url, protocols, onChange, onQueued), () => {
      this.#sockets = this.#sockets.filter((other) => other !== opened);
      this.#update();
    });
    socket = opened;
    this.#sockets.push(opened);
    this.#update();
    return opened;
  }

  /** Either a socket's status or hello is another one, or the server refused something. */
  #changed(socket: SocketLink): void {
    const change = socket.change();
    if (change === "hello") {
      this.#refusal = null;
      this.#streams.asked(socket);
    } else if (change !== null && !this.#streams.refused(socket, change)) {
      this.#refusal = change.error;
    }
    this.#update();
  }

  /** The first socket speaks for the source; the others only when they are in trouble. */
  #update(): void {
    if (this.#state.status === "closed") return;
    const connections = this.#sockets.map(({ connection }) => connection);
    const [first] = connections;
    if (!first) return;
    const inTrouble = ["failed", "reconnecting"]
      .map((status) => connections.find((connection) => connection.status === status)).find((found) => found);
    const lost = connections.filter(({ status }) => status !== "live");
    const error: unknown = lost.map((connection): unknown => connection.error).find((found) => found);
    this.#state.set({
      status: (inTrouble ?? first).status as SourceStatus,
      error: error ? lossOf(error) : null,
      refusal: this.#streamError ?? this.#refusal,
      hello: (first.hello as Hello | null) ?? this.#state.hello,
    });
  }
}

class SocketLink implements Link {
  readonly connection: InstanceType<Wasm["Connection"]>;
  readonly #onClose: () => void;
  /** What was there at the last change. */
  #status = "";
  #hello: unknown = null;

  constructor(connection: InstanceType<Wasm["Connection"]>, onClose: () => void) {
    this.connection = connection;
    this.#onClose = onClose;
  }

  /** What the last change was: another hello, what the server refused, or something else. */
  change(): "hello" | Refusal | null {
    const { status, hello } = this.connection;
    const isOther = { status: status !== this.#status, hello: hello !== this.#hello };
    this.#status = status;
    this.#hello = hello;
    if (isOther.hello) return "hello";
    return isOther.status || status !== "live" ? null : refusalOf(this.connection.refusal);
  }

  subscribe(topic: TopicName, tap: string, fps: number | undefined, options: StreamOptions): void {
    try {
      this.connection.subscribe(topic, tap, fps, options);
    } catch (error) {
      throw errorFromWasm(error);
    }
  }

  unsubscribe(topic: TopicName, tap: string, kind: TriggerKind | undefined): void {
    this.connection.unsubscribe(topic, tap, kind);
  }

  drain(): AnyFrame[] {
    return this.connection.drain() as AnyFrame[];
  }

  drainQueue(): AnyFrame[] {
    return this.connection.drain_queue() as AnyFrame[];
  }

  close(): void {
    this.connection.close();
    this.#onClose();
    // Its callbacks hold this source and it holds them, which no collector sees. Not before whoever called is done: it may
    // be the connection.
    queueMicrotask(() => this.connection.free());
  }
}

/** A browser says nothing of what is wrong with a socket's protocols, in which both are sent. */
function check({ encoding = "binary", token }: ConnectOptions): void {
  if (encoding !== "binary" && encoding !== "json") {
    throw new AntiphonError("invalid-option", `encoding: ${JSON.stringify(encoding)} is not binary or json`, "leave it out for binary");
  }
  if (token !== undefined && !/^[\w!#$%&'*+.^`|~-]*$/.test(token)) {
    throw new AntiphonError(
      "invalid-option", "token: has characters that no token has, such as spaces or commas", "pass the token as the server has it");
  }
}

/** Of a socket that a content policy forbids a browser says nothing, not even that it closed. */
function lossOf(lost: unknown): AntiphonError {
  const error = errorFromWasm(lost);
  if (error.code !== "timeout") return error;
  return new AntiphonError(error.code, error.message, `${error.hint}, and that this page's content policy allows it (connect-src)`, lost);
}

/** A server's `error`. */
function refusalOf(refused: unknown): Refusal | null {
  if (!refused) return null;
  const { code: its, message, topic, tap } = refused as Extract<ServerMessage, { type: "error" }>;
  const code = its === "invalid_option" ? "invalid-option" : "refused";
  return { error: new AntiphonError(code, String(message), hintOf(code), refused), topic, tap };
}
