// One request to a server, and what becomes of a refusal.
import { AntiphonError, hintOf, messageOf } from "./errors.ts";
import type { Problem } from "./types.gen.ts";

/** How a server is asked. */
export interface RestOptions {
  /** For servers that listen beyond this machine. */
  token?: string | undefined;
  /** Instead of the global one. */
  fetch?: typeof fetch | undefined;
}

/**
 * A call that the server refused, or that never reached it (`status` 0). `code` is the problem's kind, and the same as
 * a local source's: `invalid-value`, `not-found`, `conflict`; `unreachable` without an answer.
 */
export class RestError extends AntiphonError {
  override readonly name = "RestError";
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The server's own words, when it said any (RFC 9457). */
  readonly problem: Problem | null;

  constructor(status: number, problem: Problem | null, message: string, hint?: string, cause?: unknown) {
    const code = status === 0 ? "unreachable" : (problem?.type.replace(/^\/problems\//, "") ?? `http-${status}`);
    super(code, message, hint ?? (hintOf(code) || otherHint(status, problem)), cause);
    this.status = status;
    this.problem = problem;
  }
}

function otherHint(status: number, problem: Problem | null): string {
  if (status >= 500) return "look at the server's log";
  return problem ? "change what was asked for" : "check that an Antiphon server of this version answers there";
}

/** One request, and what it answers with. */
export type Call = <R>(
  method: string, path: string, body?: unknown, contentType?: string, read?: (response: Response) => Promise<R>,
) => Promise<R>;

/** Requests to a server. */
export function caller(baseUrl: string, opts: RestOptions): Call {
  const base = baseUrl.replace(/\/+$/, "");
  return async <R>(
    method: string, path: string, body?: unknown, contentType = "application/json",
    read: (response: Response) => Promise<R> = (response) => response.json() as Promise<R>,
  ) => {
    const headers = new Headers({ accept: "application/json, */*;q=0.5" });
    if (opts.token !== undefined) headers.set("authorization", `Bearer ${opts.token}`);
    const init: RequestInit = { method, headers };
    if (body !== undefined) {
      headers.set("content-type", method === "PATCH" ? "application/merge-patch+json" : contentType);
      init.body = contentType === "application/json" ? JSON.stringify(body) : (body as BodyInit);
    }
    const response = await (opts.fetch ?? fetch)(base + path, init).catch((cause: unknown) => {
      throw new RestError(
        0, null, `cannot reach the server at ${base || "this page's origin"} — ${messageOf(cause)}`,
        "start it with `antiphon serve`, or check its address", cause);
    });
    if (!response.ok) throw await refusal(response, `${method} ${path}`);
    if (response.status === 204) return undefined as R;
    return read(response).catch((thrown: unknown) => {
      // A static host that answers every path with its page.
      if (thrown instanceof SyntaxError) throw new RestError(response.status, null, `${method} ${path}: what answered is no JSON`, undefined, thrown);
      throw thrown;
    });
  };
}

async function refusal(response: Response, what: string): Promise<RestError> {
  const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "");
  const body: unknown = isJson ? await response.json().catch(() => null) : null;
  if (isProblem(body)) return new RestError(response.status, body, body.detail || body.title);
  return new RestError(response.status, null, `${what}: ${response.status} ${response.statusText}`.trim());
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "title" in body && "detail" in body;
}
