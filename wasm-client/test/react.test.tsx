// @vitest-environment happy-dom
// Hooks in React's strictest mode: every effect runs twice.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, configure, render, renderHook, waitFor } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AntiphonError } from "../src/errors.ts";
import type { CompositionsClient, MixerClient, PlaybackClient, PlaybackState, RevisionsClient } from "../src/clients.ts";
import {
  CompositionsProvider, MixerProvider, PlaybackProvider, RevisionsProvider, SourceProvider, type StreamHookOptions, useCompositions, useMixer, usePlayback, useRevisions, useSource, useSpectrumWebsocket,
  useSpectrumWebSocket, useTransportWebsocket, useWebSocket, WebSocketSync,
} from "../src/react/index.ts";
import * as server from "../src/server.ts";
import { createAntiphonStore } from "../src/store.ts";
import type { MixerState } from "../src/types.gen.ts";
import { FakeSource, spectrum, transport } from "./fake-source.ts";

configure({ asyncUtilTimeout: 20_000 });

let source: FakeSource;
let queries: QueryClient;
beforeEach(() => {
  source = new FakeSource();
  queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const inSource = ({ children }: { children: ReactNode }) => (
  <StrictMode>
    <QueryClientProvider client={queries}>
      <SourceProvider source={source}>{children}</SourceProvider>
    </QueryClientProvider>
  </StrictMode>
);

describe("a stream hook", () => {
  test("renders for no frame, and hands every frame to its subscribers", () => {
    let n_renders = 0;
    const { result, unmount } = renderHook(() => {
      n_renders += 1;
      return useSpectrumWebsocket({ tap: "master", fft_size: 4096 });
    }, { wrapper: inSource });
    const before = n_renders;
    const got: number[] = [];
    const end = result.current.subscribe((frame) => got.push(frame.seq));
    act(() => {
      for (let seq = 1; seq <= 100; seq += 1) source.emit(spectrum(seq));
    });
    expect(n_renders).toBe(before);
    expect(got).toHaveLength(100);
    expect(result.current.latest()?.seq).toBe(100);
    expect(result.current.frame).toBeNull();
    end();
    act(() => source.emit(spectrum(101)));
    expect(got).toHaveLength(100);
    expect(source.listeners.size).toBe(1);
    unmount();
    expect(source.listeners.size).toBe(0);
  });

  test("keeps its stream while options only look new, and changes it when they are", () => {
    const { rerender } = renderHook(({ bands }) => useSpectrumWebsocket({ bands }), {
      wrapper: inSource, initialProps: { bands: 64 },
    });
    const before = source.n_subscriptions;
    rerender({ bands: 64 });
    expect(source.n_subscriptions).toBe(before);
    rerender({ bands: 128 });
    expect([...source.listeners].map(({ opts }) => opts)).toEqual([{ bands: 128 }]);
  });

  test("renders copies at the rate that it was asked for", () => {
    const now = vi.spyOn(performance, "now").mockReturnValue(0);
    let n_renders = 0;
    const { result } = renderHook(() => {
      n_renders += 1;
      return useSpectrumWebsocket({ reactive: { fps: 10 } });
    }, { wrapper: inSource });
    const before = n_renders;
    const reused = new Float32Array([-1, -2, -3, -4]);
    for (let tick = 0; tick < 60; tick += 1) {
      now.mockReturnValue(tick * (1000 / 60));
      act(() => source.emit(spectrum(tick, reused)));
    }
    const n_frames = (n_renders - before) / 2; // StrictMode renders twice.
    expect(n_frames).toBeGreaterThanOrEqual(9);
    expect(n_frames).toBeLessThanOrEqual(11);
    reused.fill(0);
    expect([...result.current.frame!.magnitudes]).toEqual([-1, -2, -3, -4]);
  });

  test("renders no frame at a rate that is none, and says so", () => {
    for (const fps of [-1, 0, Number.NaN]) {
      const { result } = renderHook(() => useSpectrumWebsocket({ reactive: { fps } }), { wrapper: inSource });
      act(() => source.emit(spectrum(1)));
      expect(result.current.frame).toBeNull();
      expect(result.current.error).toMatchObject({ code: "invalid-option", message: `reactive.fps: ${fps} is not more than 0` });
    }
  });

  test("is off when it is disabled, and renders when the status changes", () => {
    const { result, rerender } = renderHook(({ enabled }) => useTransportWebsocket({ enabled }), {
      wrapper: inSource, initialProps: { enabled: false },
    });
    expect(source.listeners.size).toBe(0);
    expect(result.current.status).toBe("connecting");
    act(() => source.state.set({ status: "live" }));
    expect(result.current.status).toBe("live");
    rerender({ enabled: true });
    expect(source.listeners.size).toBe(1);
  });

  test("tells what a live source refuses, which changes no status", () => {
    const { result } = renderHook(() => useSpectrumWebsocket({ fft_size: 1 }), { wrapper: inSource });
    act(() => source.state.set({ status: "live" }));
    expect(result.current.error).toBeNull();
    const error = new AntiphonError("invalid-option", "fft_size: 1 is too small");
    act(() => source.state.set({ error }));
    expect(result.current.error).toBe(error);
    act(() => source.state.set({ error: null }));
    expect(result.current.error).toBeNull();
  });

  test("says what to do where no source is named, and waits for one that is not there yet", () => {
    const { result, rerender } = renderHook((opts: StreamHookOptions) => useSpectrumWebsocket(opts), {
      wrapper: StrictMode, initialProps: {},
    });
    expect(result.current.error?.code).toBe("no-source");
    expect(result.current.error?.hint).toContain("<SourceProvider");
    rerender({ source: undefined });
    expect(result.current.error).toBeNull();
    const store = createAntiphonStore();
    render(<WebSocketSync store={store} />, { wrapper: StrictMode });
    expect(store.getState().error?.code).toBe("no-source");
  });

  test("has both spellings, and a source of its own or above it", () => {
    expect(useSpectrumWebSocket).toBe(useSpectrumWebsocket);
    const { result } = renderHook(() => useSource(), { wrapper: inSource });
    expect(result.current).toBe(source);
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect(() => renderHook(() => useSource())).toThrow("SourceProvider");
  });
});

describe("useWebSocket", () => {
  test("shares one source for a URL and closes it when the last user is gone", async () => {
    const made: FakeSource[] = [];
    const connect = vi.spyOn(server, "connect").mockImplementation(() => {
      made.push(new FakeSource());
      return made.at(-1)!;
    });
    const User = () => {
      const { status, error } = useWebSocket("http://shared");
      return <i>{error?.message ?? status}</i>;
    };
    const tree = (n: number) => <StrictMode>{Array.from({ length: n }, (_, key) => <User key={key} />)}</StrictMode>;
    const { rerender, container } = render(tree(3));
    expect(connect).toHaveBeenCalledTimes(1);
    expect(container.textContent).toBe("connecting".repeat(3));
    act(() => made[0]!.state.set({ error: new AntiphonError("refused", "no. ") }));
    expect(container.textContent).toBe("no. ".repeat(3));
    rerender(tree(1));
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(made[0]!.status).toBe("connecting");
    rerender(tree(0));
    rerender(tree(1));
    expect(connect).toHaveBeenCalledTimes(1);
    rerender(tree(0));
    await waitFor(() => expect(made[0]!.status).toBe("closed"));
  });
});

test("hooks and store reach a server that wants a token", () => {
  const opened: unknown[] = [];
  vi.spyOn(server, "connect").mockImplementation((url, opts) => {
    opened.push([url, opts?.token]);
    return source;
  });
  const url = "http://127.0.0.1:7302";
  const { unmount } = render(<WebSocketSync store={createAntiphonStore()} url={url} token="secret" />);
  renderHook(() => useSpectrumWebsocket({ url, token: "secret", bands: 32 }));
  renderHook(() => useWebSocket(url, { token: "secret" }));
  expect(opened).toEqual([[url, "secret"]]);
  expect([...source.listeners].map(({ opts }) => opts)).toContainEqual({ bands: 32 });
  unmount();
});

describe("WebSocketSync", () => {
  test("sets slow state and mutates slots", () => {
    // However long the frames take here, no time goes by between them.
    vi.spyOn(performance, "now").mockReturnValue(1000);
    const store = createAntiphonStore();
    const { frames } = store.getState();
    const changed = vi.fn();
    const { unmount } = render(<WebSocketSync store={store} source={source} />, { wrapper: StrictMode });
    store.subscribe(changed);
    act(() => source.emit(spectrum(1)));
    expect(changed).not.toHaveBeenCalled();
    expect(store.getState().frames).toBe(frames);
    expect(frames.spectrum?.seq).toBe(1);
    act(() => source.emit(transport()));
    for (let beat = 0; beat < 50; beat += 1) act(() => source.emit(transport({ position_beats: beat })));
    expect(changed).toHaveBeenCalledTimes(1);
    act(() => source.emit(transport({ is_playing: false })));
    expect(store.getState().transport?.is_playing).toBe(false);
    act(() => source.state.set({ status: "live" }));
    expect(store.getState().status).toBe("live");
    unmount();
    expect(source.listeners.size).toBe(0);
    expect(store.getState().status, "nobody knows any more").toBe("loading");
  });
});

describe("usePlayback", () => {
  const state = transport({ is_playing: false });
  const client = (change: Partial<PlaybackClient> = {}): PlaybackClient => {
    const answer = async () => state;
    return {
      get: answer, play: answer, stop: answer, pause: answer, resume: answer, seek: answer, setTempo: answer,
      setLoop: answer, setMetronome: answer, ...change,
    };
  };
  const hook = (it: PlaybackClient) =>
    renderHook(() => usePlayback(), {
      wrapper: ({ children }) => inSource({ children: <PlaybackProvider client={it}>{children}</PlaybackProvider> }),
    });

  test("has the state, commands, and what others do", async () => {
    const { result } = hook(client({ play: async () => transport({ is_playing: true }) }));
    await waitFor(() => expect(result.current.state?.is_playing).toBe(false));
    await act(() => result.current.play());
    await waitFor(() => expect(result.current.state?.is_playing).toBe(true));
    act(() => source.emit(transport({ is_playing: true, tempo: 77 })));
    await waitFor(() => expect(result.current.state?.tempo).toBe(77));
  });

  test("tells what fails, without an unhandled rejection", async () => {
    const { result } = hook(client({ stop: () => Promise.reject(new Error("no")) }));
    act(() => void result.current.stop());
    await waitFor(() => expect(result.current.error?.message).toBe("no"));
    await expect(act(() => result.current.stop())).rejects.toThrow("no");
  });

  test("an answer from before a frame does not take back what the frame says", async () => {
    let answer: ((state: PlaybackState) => void) | null = null;
    const { result } = hook(client({ get: () => new Promise((resolve) => (answer = resolve)) }));
    await waitFor(() => expect(answer).not.toBeNull());
    act(() => source.emit(transport({ is_playing: true, tempo: 77 })));
    await waitFor(() => expect(result.current.state?.tempo).toBe(77));
    await act(async () => answer?.(state));
    await waitFor(() => expect(queries.isFetching()).toBe(0));
    expect(result.current.state?.tempo).toBe(77);
  });

  test("keeps its commands' identity", async () => {
    const { result, rerender } = hook(client());
    const { play } = result.current;
    rerender();
    expect(result.current.play).toBe(play);
  });
});

describe("useMixer", () => {
  const channel = { id: "a", name: "A", color: "#123456", gain_db: 0, pan: 0, mute: false, solo: false, solo_safe: false };

  test("shows changes at once, sends the newest only, and goes back when refused", async () => {
    const stored: MixerState = { channels: [channel], master: { gain_db: 0 } };
    const sent: number[] = [];
    let answer: (() => void) | null = null;
    const client: MixerClient = {
      get: async () => structuredClone(stored),
      patchChannel: async (_, patch) => {
        sent.push(patch.gain_db!);
        await new Promise<void>((resolve) => (answer = resolve));
        if (patch.gain_db! > 12) throw new Error("too loud");
        Object.assign(stored.channels[0]!, patch);
        return stored.channels[0]!;
      },
      patchMaster: async () => stored.master,
    };
    const { result } = renderHook(() => useMixer(), {
      wrapper: ({ children }) => inSource({ children: <MixerProvider client={client}>{children}</MixerProvider> }),
    });
    const gain = () => result.current.state?.channels[0]?.gain_db;
    await waitFor(() => expect(gain()).toBe(0));
    act(() => {
      for (const gain_db of [-1, -2, -3, -4]) void result.current.patchChannel("a", { gain_db });
    });
    await waitFor(() => expect(gain()).toBe(-4));
    await waitFor(() => expect(sent).toEqual([-1]));
    await act(async () => answer?.());
    await waitFor(() => expect(sent).toEqual([-1, -4]));
    await act(async () => answer?.());
    await waitFor(() => expect(stored.channels[0]!.gain_db).toBe(-4));
    act(() => void result.current.patchChannel("a", { gain_db: 40 }));
    await waitFor(() => expect(gain()).toBe(40));
    await act(async () => answer?.());
    await waitFor(() => expect(gain()).toBe(-4));
    expect(result.current.error?.message).toBe("too loud");
  });

  test("shows what others changed, and meanwhile does not take its own changes back", async () => {
    const stored: MixerState = { channels: [channel], master: { gain_db: 0 } };
    let nAsked = 0;
    let answer: (() => void) | null = null;
    const client: MixerClient = {
      get: async () => {
        nAsked += 1;
        return structuredClone(stored);
      },
      patchChannel: () => Promise.reject(new Error("nobody asks for this")),
      patchMaster: async (patch) => {
        await new Promise<void>((resolve) => (answer = resolve));
        return Object.assign(stored.master, patch);
      },
    };
    const { result } = renderHook(() => useMixer(), {
      wrapper: ({ children }) => inSource({ children: <MixerProvider client={client}>{children}</MixerProvider> }),
    });
    await waitFor(() => expect(result.current.state?.master.gain_db).toBe(0));
    const revision = (composition_revision: number) => act(() => source.emit(transport({ composition_revision })));
    const nBefore = nAsked;
    revision(4);
    await waitFor(() => expect(nAsked).toBe(nBefore + 1));
    await waitFor(() => expect(queries.isFetching()).toBe(0));
    revision(4);
    expect(nAsked).toBe(nBefore + 1);
    stored.channels = [{ ...channel, gain_db: -7 }];
    revision(5);
    await waitFor(() => expect(result.current.state?.channels[0]?.gain_db).toBe(-7));
    act(() => void result.current.patchMaster({ gain_db: -3 }));
    await waitFor(() => expect(answer).not.toBeNull());
    const nMeanwhile = nAsked;
    stored.channels = [{ ...channel, gain_db: -9 }];
    revision(6);
    expect(result.current.state?.master.gain_db).toBe(-3);
    expect(nAsked).toBe(nMeanwhile);
    await act(async () => answer?.());
    await waitFor(() => expect(result.current.state?.channels[0]?.gain_db).toBe(-9));
    expect(result.current.state?.master.gain_db).toBe(-3);
  });

  describe("with a slow server", () => {
    const revision = (composition_revision: number) => act(() => source.emit(transport({ composition_revision })));
    let stored: MixerState;
    let answers: (() => void)[];
    /** Answers what waits longest, with the state from when it was asked. */
    const answer = () => act(async () => answers.shift()!());
    const asked = (n: number) => waitFor(() => expect(answers).toHaveLength(n));
    const slow = async <R,>(value: R): Promise<R> => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return value;
    };
    const hook = async () => {
      stored = { channels: [{ ...channel, gain_db: 0 }], master: { gain_db: 0 } };
      answers = [];
      const get = vi.fn(() => slow(structuredClone(stored)));
      const client: MixerClient = {
        get, patchChannel: () => Promise.reject(new Error("nobody asks for this")), patchMaster: () => slow(stored.master),
      };
      const { result, unmount } = renderHook(() => useMixer(), {
        wrapper: ({ children }) => inSource({ children: <MixerProvider client={client}>{children}</MixerProvider> }),
      });
      await asked(1);
      return { result, unmount, get, gain: () => result.current.state?.channels[0]?.gain_db };
    };
    const others = (gain_db: number) => (stored.channels = [{ ...channel, gain_db }]);

    test("one answer is awaited while somebody drags a fader, and one more shows where it stands", async () => {
      const { get, gain, unmount } = await hook();
      await answer();
      await waitFor(() => expect(gain()).toBe(0));
      revision(1);
      await asked(1);
      await answer();
      await waitFor(() => expect(queries.isFetching()).toBe(0));
      get.mockClear();
      for (let step = 1; step <= 30; step += 1) {
        others(-step);
        revision(1 + step);
      }
      await asked(1);
      expect(get).toHaveBeenCalledTimes(1);
      await answer();
      await waitFor(() => expect(gain()).toBe(-1));
      await asked(1);
      await answer();
      await waitFor(() => expect(gain()).toBe(-30));
      expect(get).toHaveBeenCalledTimes(2);
      expect(answers).toEqual([]);
      unmount();
      revision(99);
      expect(get).toHaveBeenCalledTimes(2);
    });

    test("a change before the first frame is shown, though no other one follows", async () => {
      const { gain } = await hook();
      await answer();
      await waitFor(() => expect(gain()).toBe(0));
      others(-5);
      revision(2);
      await asked(1);
      await answer();
      await waitFor(() => expect(gain()).toBe(-5));
    });

    test("a first answer from before the change is not the last one", async () => {
      const { gain } = await hook();
      revision(1);
      others(-5);
      revision(2);
      await answer();
      await waitFor(() => expect(gain()).toBe(0));
      await asked(1);
      await answer();
      await waitFor(() => expect(gain()).toBe(-5));
    });

    test("an own change does not hide somebody else's", async () => {
      const { result, gain } = await hook();
      await answer();
      await waitFor(() => expect(gain()).toBe(0));
      revision(1);
      others(-7);
      revision(2);
      await asked(1);
      // Changes nothing, so that the server tells of nothing either.
      act(() => void result.current.patchMaster({ gain_db: 0 }));
      await asked(2);
      await answer();
      await answer();
      await asked(1);
      expect(gain()).toBe(0);
      await answer();
      await waitFor(() => expect(gain()).toBe(-7));
    });
  });
});

test("useRevisions without an id refuses what needs one, and says what to do", async () => {
  const { result } = renderHook(() => useRevisions(undefined), {
    wrapper: ({ children }) => inSource({ children: <RevisionsProvider client={{} as RevisionsClient}>{children}</RevisionsProvider> }),
  });
  let refused: unknown;
  await act(() => result.current.undo().catch((error: unknown) => (refused = error)));
  expect(refused).toBeInstanceOf(AntiphonError);
  expect(refused).toMatchObject({ code: "no-composition", hint: expect.stringContaining("id") });
  await waitFor(() => expect(result.current.error).toBe(refused));
});

test("useCompositions has what others change, when the page is seen", async () => {
  let name = "Before";
  const list = vi.fn(async () => ({ items: [{ id: "a", name }] }));
  const client = { list } as unknown as CompositionsClient;
  const { result } = renderHook(() => useCompositions(), {
    wrapper: ({ children }) => inSource({ children: <CompositionsProvider client={client}>{children}</CompositionsProvider> }),
  });
  const shown = () => result.current.compositions?.[0]?.name;
  await waitFor(() => expect(shown()).toBe("Before"));
  const nBefore = list.mock.calls.length;
  const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  name = "After";
  for (let revision = 1; revision <= 5; revision += 1) {
    act(() => source.emit(transport({ composition_revision: revision })));
  }
  expect(list).toHaveBeenCalledTimes(nBefore);
  hidden.mockReturnValue(false);
  act(() => void document.dispatchEvent(new Event("visibilitychange")));
  await waitFor(() => expect(shown()).toBe("After"));
  expect(list).toHaveBeenCalledTimes(nBefore + 1);
});
