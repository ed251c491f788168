// A stream server in Node that can be killed, restarted, and made to hang.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { composition, TRACK_ID } from "./engine.ts";

/** As in a browser, an error is followed by a close event, and nobody has to listen to it. */
export class BrowserSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    this.on("error", () => undefined);
  }
}

export interface Said {
  type: string;
  topic?: string;
  tap?: string;
  fps?: number;
  kind?: string;
  options?: object;
}

export interface Client {
  path: string;
  query: string;
  protocol: string;
  said: Said[];
  socket: WebSocket;
}

export class StreamServer {
  clients: Client[] = [];
  epoch = 1;
  /** Answers nothing after hello, not even at the socket's level: a half-open connection. */
  isDeaf = false;
  saysHello = true;
  /** Options that it refuses, and what it says of them. */
  refused: Record<string, string> = {};
  /** The id of its track. */
  trackId = TRACK_ID;
  /** Keeps pings, until `answer` is called. */
  isSlow = false;
  #pings: (() => void)[] = [];
  /** Closes every socket with this code, instead of saying hello. */
  closesWith: number | null = null;
  /** Sockets that were opened since it was made. */
  n_opened = 0;
  #http: Server | null = null;
  port = 0;

  async start(): Promise<this> {
    const http = createServer();
    const sockets = new WebSocketServer({
      server: http,
      handleProtocols: (offered) => [...offered].find((name) => /^antiphon\.v1\./.test(name)) ?? false,
    });
    sockets.on("connection", (socket, request) => {
      const [path = "", query = ""] = (request.url ?? "").split("?");
      const client: Client = { path, query, protocol: socket.protocol, said: [], socket };
      this.clients.push(client);
      this.n_opened += 1;
      socket.on("message", (data) => {
        if (this.isDeaf) return;
        const said = JSON.parse(String(data)) as Said & { t0?: number };
        if (said.type === "ping") {
          const now = Date.now();
          this.#pings.push(() => socket.send(JSON.stringify({ type: "pong", t0: said.t0, t1: now, t2: now })));
          return this.isSlow ? undefined : this.answer();
        }
        client.said.push(said);
        const refuse = (message: string) => {
          const [topic, tap] = [said.topic, said.tap ?? (said.type === "subscribe" ? "master" : undefined)];
          socket.send(JSON.stringify({ type: "error", code: "invalid_option", message, topic, tap }));
        };
        // Neither can be begun nor ended.
        if (said.tap === "nonsense") refuse('tap: "nonsense" is not a track that plays');
        const field = Object.keys(said.options ?? {}).find((name) => name in this.refused);
        if (said.type === "subscribe" && field) refuse(`${field}: must be ${this.refused[field]}`);
      });
      socket.on("close", () => {
        this.clients = this.clients.filter((other) => other !== client);
      });
      if (this.closesWith !== null) return socket.close(this.closesWith, "as the test wants it");
      if (this.saysHello) socket.send(JSON.stringify(this.hello()));
    });
    await new Promise<void>((resolve) => http.listen(this.port, "127.0.0.1", resolve));
    this.port = (http.address() as AddressInfo).port;
    this.#http = http;
    return this;
  }

  /** Answers the pings that wait. */
  answer(): void {
    for (const answer of this.#pings.splice(0)) answer();
  }

  hello(): object {
    const tracks = composition().tracks.map(({ name }, idx) => ({ id: idx + 1, name, track_id: this.trackId }));
    return {
      type: "hello", version: 1, epoch: this.epoch, sample_rate: 48_000, channels: 2,
      taps: [{ id: 0, name: "master", track_id: null }, ...tracks, { id: 65_535, name: "input", track_id: null }],
      topics: ["transport", "meters", "spectrum", "waveform", "analytics"].map((name, idx) => ({ id: idx + 1, name })),
      limits: { max_fps: 120, max_message_bytes: 4096, max_subscriptions: 32 }, server_time: Date.now(),
    };
  }

  /** Cuts all connections without a word and stops listening. */
  async kill(): Promise<void> {
    for (const { socket } of this.clients) socket.terminate();
    this.clients = [];
    const http = this.#http;
    this.#http = null;
    http?.closeAllConnections();
    await new Promise<void>((resolve) => (http ? http.close(() => resolve()) : resolve()));
  }

  /** To clients of a path, and those that have all topics. */
  send(path: RegExp, message: string | Uint8Array): void {
    for (const client of this.clients) if (path.test(client.path) || /stream/.test(client.path)) client.socket.send(message);
  }

  /** All that clients of a path said, or of a topic. */
  said(path: RegExp): Said[] {
    return this.clients.flatMap((client) => client.said.filter(({ topic }) => path.test(client.path) || path.test(topic ?? "")));
  }
}

/** Those of the machine, whatever a test puts in their place. */
const { setTimeout: realSetTimeout } = globalThis;
const realNow = Date.now;

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, what = String(condition), ms = 20_000): Promise<void> {
  const end = realNow() + ms;
  while (!condition()) {
    if (realNow() > end) throw new Error(`still not true after ${ms} ms: ${what}`);
    await new Promise((resolve) => realSetTimeout(resolve, 5));
  }
}
