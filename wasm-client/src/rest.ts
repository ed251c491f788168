// The REST interface of an Antiphon server, typed.
import type { CompositionsClient, LoudnessClient, MixerClient, PlaybackClient, RecordingClient, SamplesClient, TracksClient } from "./clients.ts";
import type { RecordedRange } from "./recorder.ts";
import { caller, type RestOptions } from "./rest-call.ts";

export { RestError, type RestOptions } from "./rest-call.ts";
export type {
  CompositionsClient, FileBody, LoudnessClient, MixerClient, PlaybackClient, PlaybackState, RecordingClient, RevisionsClient, SamplesClient, TracksClient,
} from "./clients.ts";
export type {
  ChannelPatch, CompositionPage, CompositionSpec, CompositionSummary, FieldError, HistoryPage, HistoryStep, LoopRequest, MasterPatch,
  MasterStrip, MetronomeRequest, MixerChannel, MixerState, Problem, RecordRequest, RecordSource, SampleInfo,
  SamplePage, SeekRequest, TakeReport, TempoRequest,
} from "./types.gen.ts";

/** A server's REST interface. */
export interface RestClient {
  readonly playback: PlaybackClient;
  readonly recording: RecordingClient;
  readonly mixer: MixerClient;
  readonly compositions: CompositionsClient;
  readonly tracks: TracksClient;
  readonly samples: SamplesClient;
  readonly recorder: RecorderClient;
  readonly loudness: LoudnessClient;
}

/** The server's flight recorder. */
export interface RecorderClient {
  /** A file of the last ten minutes, for `openRecording`. */
  save(range?: RecordedRange): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Clients for a server at `baseUrl`, such as `http://127.0.0.1:8080`; `""` is this page's origin. Failures
 * reject with {@link RestError}.
 */
export function createRestClient(baseUrl: string, opts: RestOptions = {}): RestClient {
  const call = caller(baseUrl, opts);
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
    loudness: { reset: (tap) => post("/api/loudness/reset", { tap }) },
    recorder: {
      save: ({ from, to, tap } = {}) => {
        const path = `/api/recorder${query({ from, to, tap, format: "file" })}`;
        return call("GET", path, undefined, "", async (response) => new Uint8Array(await response.arrayBuffer()));
      },
    },
  };
}

function query(values: Record<string, string | number | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return text && `?${text}`;
}
