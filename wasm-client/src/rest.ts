// The REST interface of an Antiphon server, typed.
import type { CompositionsClient, MixerClient, PlaybackClient, RecordingClient, SamplesClient, TracksClient } from "./clients.ts";
import type { RecordedRange } from "./recorder.ts";
import { AntiphonError, messageOf } from "./errors.ts";
import type { Problem } from "./types.gen.ts";

export type {
  CompositionsClient, FileBody, MixerClient, PlaybackClient, PlaybackState, RecordingClient, RevisionsClient, SamplesClient, TracksClient,
} from "./clients.ts";
export type {
  ChannelPatch, CompositionPage, CompositionSpec, CompositionSummary, FieldError, HistoryPage, HistoryStep, LoopRequest, MasterPatch,
  MasterStrip, MetronomeRequest, MixerChannel, MixerState, Problem, RecordRequest, RecordSource, SampleInfo,
  SamplePage, SeekRequest, TakeReport, TempoRequest,
} from "./types.gen.ts";

/** How a server is asked. */
export interface RestOptions {
  /** For servers that listen beyond this machine. */
  token?: string | undefined;
  /** Instead of the global one. */
  fetch?: typeof fetch | undefined;
}

/** A server's REST interface. */
export interface RestClient {
  readonly playback: PlaybackClient;
  readonly recording: RecordingClient;
  readonly mixer: MixerClient;
  readonly compositions: CompositionsClient;
  readonly tracks: TracksClient;
  readonly samples: SamplesClient;
  readonly recorder: RecorderClient;
}

/** The server's flight recorder. */
export interface RecorderClient {
  /** A file of the last ten minutes, for `openRecording`. */
  save(range?: RecordedRange): Promise<Uint8Array<ArrayBuffer>>;
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

  constructor(status: number, problem: Problem | null, message: string, hint = "", cause?: unknown) {
    super(status === 0 ? "unreachable" : (problem?.type.replace(/^\/problems\//, "") ?? `http-${status}`), message, hint, cause);
    this.status = status;
    this.problem = problem;
  }
}

/**
 * Clients for a server at `baseUrl`, such as `http://127.0.0.1:8080`; `""` is this page's origin. Failures
 * reject with {@link RestError}.
 */
export function createRestClient(baseUrl: string, opts: RestOptions = {}): RestClient {
  const call = caller(baseUrl.replace(/\/+$/, ""), opts);
  const get = <R>(path: string) => call<R>("GET", path);
  const post = <R>(path: string, body?: unknown) => call<R>("POST", path, body);
  const put = <R>(path: string, body: unknown) => call<R>("PUT", path, body);
  const patch = <R>(path: string, body: unknown) => call<R>("PATCH", path, body);
  const composition = (id: string) => `/api/compositions/${encodeURIComponent(id)}`;
  const track = (id: string, track: string) => `${composition(id)}/tracks/${encodeURIComponent(track)}`;
  const clip = (id: string, of: string, clip: string) => `${track(id, of)}/clips/${encodeURIComponent(clip)}`;
  const sample = (id: string) => `/api/samples/${encodeURIComponent(id)}`;
  return {
    playback: {
      get: () => get("/api/playback"),
      play: () => post("/api/playback/play"),
      stop: () => post("/api/playback/stop"),
      pause: () => post("/api/playback/pause"),
      resume: () => post("/api/playback/resume"),
      seek: (to) => post("/api/playback/seek", to),
      setTempo: (tempo) => put("/api/playback/tempo", tempo),
      setLoop: (region) => put("/api/playback/loop", region),
      setMetronome: (metronome) => put("/api/playback/metronome", metronome),
    },
    recording: {
      arm: (trackId) => put("/api/playback/armed", { track_id: trackId }),
      record: (opts = {}) => post("/api/playback/record", opts),
      take: () => get("/api/playback/take"),
    },
    mixer: {
      get: () => get("/api/mixer"),
      patchChannel: (id, change) => patch(`/api/mixer/channels/${encodeURIComponent(id)}`, change),
      patchMaster: (change) => patch("/api/mixer/master", change),
    },
    compositions: {
      list: ({ limit, cursor } = {}) => get(`/api/compositions${query({ limit, cursor })}`),
      get: (id) => get(composition(id)),
      create: (body) => post("/api/compositions", body),
      patch: (id, change) => patch(composition(id), change),
      importMidi: (bytes, name) => call("POST", `/api/compositions/import${query({ name })}`, bytes, "audio/midi"),
      importAudio: (file, { name, bpm } = {}) =>
        call("POST", `/api/compositions/import${query({ name, bpm })}`, file, "application/octet-stream"),
      load: (id) => post(`${composition(id)}/load`),
      remove: (id) => call("DELETE", composition(id)),
      undo: (id) => post(`${composition(id)}/undo`),
      redo: (id) => post(`${composition(id)}/redo`),
      history: (id, { limit, cursor } = {}) => get(`${composition(id)}/history${query({ limit, cursor })}`),
    },
    tracks: {
      add: (id, body) => post(`${composition(id)}/tracks`, body),
      patch: (id, of, change) => patch(track(id, of), change),
      remove: (id, of) => call("DELETE", track(id, of)),
      addClip: (id, of, body) => post(`${track(id, of)}/clips`, body),
      replaceClip: (id, of, body) => put(clip(id, of, body.id), body),
      removeClip: (id, of, which) => call("DELETE", clip(id, of, which)),
    },
    samples: {
      list: ({ limit, cursor } = {}) => get(`/api/samples${query({ limit, cursor })}`),
      get: (id) => get(sample(id)),
      file: (id) => call("GET", `${sample(id)}/audio`, undefined, "", (response) => response.arrayBuffer()),
      add: (file, name) => call("POST", `/api/samples${query({ name })}`, file, "application/octet-stream"),
      remove: (id) => call("DELETE", sample(id)),
    },
    recorder: {
      save: ({ from, to, tap } = {}) => {
        const path = `/api/recorder${query({ from, to, tap, format: "file" })}`;
        return call("GET", path, undefined, "", async (response) => new Uint8Array(await response.arrayBuffer()));
      },
    },
  };
}

type Call = <R>(
  method: string, path: string, body?: unknown, contentType?: string, read?: (response: Response) => Promise<R>,
) => Promise<R>;

function caller(base: string, opts: RestOptions): Call {
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
        "start it with `cargo xtask serve`, or check its address", cause);
    });
    if (!response.ok) throw await refusal(response, `${method} ${path}`);
    return (response.status === 204 ? undefined : await read(response)) as R;
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

function query(values: Record<string, string | number | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return text && `?${text}`;
}
