/** The real server, started on a free port with the null device, and ended with the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Cargo's target directory may be absolute, or relative to the root. */
const BINARY =
  process.env.ANTIPHON_SERVER ?? resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target", "debug/antiphon");

/** How long a start may take on a busy machine. */
const START_MS = 20_000;

export class Server {
  readonly port: number;
  readonly url: string;
  #process: ChildProcess | null = null;
  #output = "";

  readonly #args: readonly string[];

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** `args` are added to those that every test's server has. */
  static async start(args: readonly string[] = []): Promise<Server> {
    const server = new Server(await freePort(), args);
    await server.start();
    return server;
  }

  /** Starts it (again), on the same port. */
  async start(): Promise<void> {
    const args = ["serve", "--null-device", "--db", "memory", "--bind", `127.0.0.1:${this.port}`, ...this.#args];
    const process = spawn(BINARY, args, {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = process;
    const keep = (chunk: Buffer) => (this.#output += chunk.toString());
    process.stdout.on("data", keep);
    process.stderr.on("data", keep);
    process.on("error", (error) => (this.#output += error.message));
    const deadline = Date.now() + START_MS;
    while (!(await this.#isHealthy())) {
      if (process.exitCode !== null || Date.now() > deadline || !process.pid) {
        await this.kill();
        throw new Error(`the server did not start:\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = null;
    if (!process?.pid || process.exitCode !== null || process.signalCode !== null) return;
    const exit = once(process, "exit");
    process.kill("SIGKILL");
    await exit;
  }

  /** The JSON that a path answers with. */
  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path);
    if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
    return (await response.json()) as T;
  }

  /** Makes or changes something, as another client would. */
  async send<T>(method: "POST" | "PUT" | "PATCH", path: string, body?: object): Promise<T> {
    const init: RequestInit = { method, headers: { "content-type": "application/json" } };
    if (body) init.body = JSON.stringify(body);
    const response = await fetch(this.url + path, init);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
    return (await response.json()) as T;
  }

  async #isHealthy(): Promise<boolean> {
    return fetch(`${this.url}/api/health`).then(
      (response) => response.ok,
      () => false,
    );
  }
}

/** A port that nobody listens on, and below those that systems give to connections: it is free until it is wanted. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    probe.close();
    await once(probe, "close");
    return port;
  }
}
