// A source whose frames a test hands out, and that counts who listens.
import type { FrameOf, Playhead, Source, SourceStatus, SubscribeOptions, TopicName } from "../src/source.ts";
import { Status } from "../src/status.ts";

export class FakeSource implements Source {
  readonly kind = "server";
  readonly state = new Status("connecting");
  readonly listeners = new Set<{ topic: TopicName; cb: (frame: never) => void; opts: SubscribeOptions }>();
  n_subscriptions = 0;

  get status(): SourceStatus {
    return this.state.status;
  }

  get error() {
    return this.state.error;
  }

  get hello() {
    return this.state.hello;
  }

  onStatus(cb: () => void): () => void {
    return this.state.onChange(cb);
  }

  subscribe<T extends TopicName>(topic: T, cb: (frame: FrameOf<T>) => void, opts: SubscribeOptions = {}): () => void {
    const entry = { topic, cb: cb as (frame: never) => void, opts };
    this.n_subscriptions += 1;
    this.listeners.add(entry);
    return () => void this.listeners.delete(entry);
  }

  latest(): null {
    return null;
  }

  heard: Playhead | null = null;

  playhead(): Playhead | null {
    return this.heard;
  }

  note(): void {}

  readonly resets: (string | undefined)[] = [];

  resetLoudness(tap?: string): Promise<void> {
    this.resets.push(tap);
    return Promise.resolve();
  }

  close(): void {
    this.state.set({ status: "closed" });
  }

  emit<T extends TopicName>(frame: FrameOf<T>): void {
    for (const { topic, cb } of [...this.listeners]) if (topic === frame.type) cb(frame as never);
  }
}

export function transport(change: Partial<FrameOf<"transport">> = {}): FrameOf<"transport"> {
  return {
    type: "transport", seq: 1, epoch: 1, dropped: 0, is_playing: true, is_paused: false, is_recording: false,
    position_beats: 0, position_seconds: 0, sample_position: 0, tempo: 120, time_signature_num: 4,
    time_signature_den: 4, loop_enabled: false, loop_start: 0, loop_end: 0, metronome_enabled: false, armed_track_id: null, count_in_beats: 0,
    active_notes: [], server_time: 0, composition_revision: 0, discontinuity: false, ...change,
  };
}

export function spectrum(seq: number, magnitudes = new Float32Array(4)): FrameOf<"spectrum"> {
  return {
    type: "spectrum", seq, epoch: 1, dropped: 0, tap: "master", sample_position: 0, sample_rate: 48_000,
    fft_size: 4096, scale: "log", channels: 1, frequencies: new Float32Array([20, 200, 2000, 20_000]), magnitudes,
  };
}
