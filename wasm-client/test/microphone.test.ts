// The microphone as a local source's input, and each way in which a browser refuses it.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AntiphonError } from "../src/errors.ts";
import type { LocalSource } from "../src/local.ts";
import { openCapture, openMicrophone } from "../src/microphone.ts";

class Track extends EventTarget {
  readonly label = "Built-in";
  isStopped = false;

  stop(): void {
    this.isStopped = true;
  }
}

class Stream {
  readonly audio: Track[];

  constructor(...audio: Track[]) {
    this.audio = audio;
  }

  getAudioTracks = () => this.audio;
  getTracks = () => this.audio;
}

const media = (stream: Stream) => stream as unknown as MediaStream;

class FakeLocal {
  status = "live";
  readonly context = {};
  input: unknown = null;
  monitored: boolean | undefined;

  setInput(node: unknown, { monitor }: { monitor?: boolean } = {}): void {
    this.input = node;
    this.monitored = monitor;
  }
}

let fake: FakeLocal;
let source: LocalSource;
let asked: MediaStreamConstraints[];

/** What the browser answers with. */
function browser(answer: () => Promise<Stream>): void {
  const getUserMedia = (constraints: MediaStreamConstraints) => {
    asked.push(constraints);
    return answer();
  };
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
}

beforeEach(() => {
  fake = new FakeLocal();
  source = fake as unknown as LocalSource;
  asked = [];
  vi.stubGlobal("MediaStreamAudioSourceNode", class {});
});
afterEach(() => vi.unstubAllGlobals());

describe("a microphone", () => {
  test("is measured as it is, unheard, until it is closed", async () => {
    const track = new Track();
    browser(() => Promise.resolve(new Stream(track)));
    const microphone = await openMicrophone(source, { deviceId: "one" });
    expect(asked).toEqual([{
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false, deviceId: { exact: "one" } },
    }]);
    expect([microphone.label, fake.monitored, fake.input === null]).toEqual(["Built-in", false, false]);
    microphone.close();
    expect([track.isStopped, fake.input]).toEqual([true, null]);
  });

  test("that another input replaced leaves that one alone", async () => {
    browser(() => Promise.resolve(new Stream(new Track())));
    const microphone = await openMicrophone(source, { constraints: { echoCancellation: true } });
    expect(asked[0]!.audio).toMatchObject({ echoCancellation: true, noiseSuppression: false });
    const other = {};
    fake.setInput(other);
    microphone.close();
    expect(fake.input).toBe(other);
  });

  test("that another one replaced does not go on listening", async () => {
    const tracks = [new Track(), new Track()];
    const onEnd = vi.fn();
    for (const track of tracks) {
      browser(() => Promise.resolve(new Stream(track)));
      await openMicrophone(source, { onEnd });
    }
    expect(tracks.map(({ isStopped }) => isStopped)).toEqual([true, false]);
    expect(fake.input).not.toBeNull();
    expect(onEnd).not.toHaveBeenCalled();
  });

  test("that is unplugged says so", async () => {
    const track = new Track();
    browser(() => Promise.resolve(new Stream(track)));
    const ended: AntiphonError[] = [];
    await openMicrophone(source, { onEnd: (error) => ended.push(error) });
    track.dispatchEvent(new Event("ended"));
    expect(ended).toMatchObject([{ name: "AntiphonError", code: "microphone-gone", hint: expect.stringMatching(/./) }]);
    expect(fake.input).toBeNull();
  });

  test.each([
    ["NotAllowedError", "microphone-refused", "allow it"],
    ["SecurityError", "microphone-refused", "iframe"],
    ["NotFoundError", "microphone-missing", "plug one in"],
    ["OverconstrainedError", "microphone-missing", "deviceId"],
    ["NotReadableError", "microphone-busy", "close that program"],
    ["UnheardOfError", "microphone-failed", "another program"],
  ])("refused with %s is a typed error", async (name, code, hint) => {
    browser(() => Promise.reject(new DOMException("no", name)));
    await expect(openMicrophone(source)).rejects.toMatchObject({ name: "AntiphonError", code, hint: expect.stringContaining(hint) });
    expect(fake.input).toBeNull();
  });

  test("is not there on insecure pages", async () => {
    vi.stubGlobal("navigator", {});
    await expect(openMicrophone(source)).rejects.toMatchObject({ code: "insecure-page", hint: expect.stringContaining("https") });
  });

  test("is let go of when it cannot be connected", async () => {
    const track = new Track();
    browser(() => Promise.resolve(new Stream(track)));
    vi.stubGlobal("MediaStreamAudioSourceNode", class {
      constructor() {
        throw new DOMException("different sample rates", "NotSupportedError");
      }
    });
    await expect(openMicrophone(source)).rejects.toMatchObject({ code: "capture-failed", hint: expect.stringContaining("sample rate") });
    fake.status = "closed";
    await expect(openMicrophone(source)).rejects.toMatchObject({ code: "closed" });
    expect(track.isStopped).toBe(true);
  });
});

test("a shared tab without sound is refused", () => {
  expect(() => openCapture(source, media(new Stream()))).toThrow(expect.objectContaining({ code: "no-sound" }) as Error);
});
