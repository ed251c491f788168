// A server that sends 64 meters and a spectrum 60 times a second: to whom asks for it as Antiphon's binary frames, to
// others as JSON. The values are the same; they are made and encoded beforehand.
import { WebSocketServer } from "ws";

const N_TRACKS = 64;
const N_BANDS = 512;
const FPS = 60;
/** Frames until the values repeat. */
const N_FRAMES = 120;
const SAMPLE_RATE = 48_000;
const [METERS, SPECTRUM, AXIS] = [2, 3, 15];

const trackId = (idx) => `00000000-0000-4000-8000-${String(idx).padStart(12, "0")}`;
const frequencies = Float32Array.from({ length: N_BANDS }, (_, band) => 20 * 1000 ** (band / (N_BANDS - 1)));
/** A level that moves, in hundredths of a decibel. */
const level = (frame, idx) => Math.round(100 * (-24 + 18 * Math.sin(2 * Math.PI * (frame / N_FRAMES + idx / 16))));
const frames = Array.from({ length: N_FRAMES }, (_, frame) => ({
  tracks: Array.from({ length: N_TRACKS }, (_, idx) => [0, -3, -9, -12, 1, -2].map((db) => level(frame, idx) + 100 * db)),
  bands: Uint8Array.from(frequencies, (_, band) => 120 + 60 * Math.sin(2 * Math.PI * (frame / N_FRAMES + band / 97))),
}));

/** Answers `server`'s sockets. */
export function feed(server) {
  const sockets = new WebSocketServer({ server, handleProtocols: ([first]) => first ?? false });
  sockets.on("connection", (socket) => {
    const send = socket.protocol === "antiphon.v1.binary" ? binary(socket) : json(socket);
    let frame = 0;
    const timer = setInterval(() => send(frame++), 1000 / FPS);
    socket.on("close", () => clearInterval(timer));
  });
}

function binary(socket) {
  const tracks = Array.from({ length: N_TRACKS }, (_, idx) => ({ id: idx + 1, name: `Track ${idx + 1}`, track_id: trackId(idx) }));
  socket.send(JSON.stringify({
    type: "hello", version: 1, epoch: 1, sample_rate: SAMPLE_RATE, channels: 2,
    taps: [{ id: 0, name: "master", track_id: null }, ...tracks],
    topics: [{ id: METERS, name: "meters" }, { id: SPECTRUM, name: "spectrum" }],
    limits: { max_fps: 120, max_message_bytes: 4096, max_subscriptions: 32 }, server_time: Date.now(),
  }));
  socket.send(packet(AXIS, 0, axis()));
  const encoded = frames.map(({ tracks, bands }) => [packet(METERS, 0, meters(tracks)), packet(SPECTRUM, 0, spectrum(bands))]);
  return (frame) => {
    const message = Buffer.concat(encoded[frame % N_FRAMES]);
    // Both count; the spectrum stands behind the meters.
    for (const at of [0, encoded[0][0].length]) message.writeUInt32LE(frame + 1, at + 4);
    socket.send(message);
  };
}

function packet(topic, tap, payload) {
  const header = Buffer.alloc(24);
  header.writeUInt8(topic, 0);
  header.writeUInt16LE(tap, 2);
  header.writeUInt32LE(payload.length, 16);
  header.writeUInt16LE(1, 20);
  return Buffer.concat([header, payload]);
}

function axis() {
  const head = Buffer.alloc(20);
  [1, 4096, SAMPLE_RATE, 1, N_BANDS].forEach((value, idx) => head.writeUInt32LE(value, 4 * idx));
  return Buffer.concat([head, Buffer.from(frequencies.buffer)]);
}

function spectrum(bands) {
  return Buffer.concat([Buffer.from([1, 0, 0, 0, N_BANDS & 0xff, N_BANDS >> 8, 1, 0]), bands]);
}

function meters(tracks) {
  const levels = [[0, tracks[0]], ...tracks.map((levels, idx) => [idx + 1, levels])];
  const i16 = [levels.length, 0, ...levels.flatMap(([tap, levels]) => [tap, 0, ...levels]), -2300, -2300, -2300, 500, 32_767, 0];
  return Buffer.from(Int16Array.from(i16).buffer);
}

function json(socket) {
  socket.send(JSON.stringify({ frequencies: [...frequencies] }));
  const names = ["peak_left", "peak_right", "rms_left", "rms_right", "true_peak_left", "true_peak_right"];
  const encoded = frames.map(({ tracks, bands }) => ({
    tracks: tracks.map((levels, idx) => ({
      track_id: trackId(idx), name: `Track ${idx + 1}`, clips: 0,
      ...Object.fromEntries(names.map((name, at) => [name, levels[at] / 100])),
    })),
    magnitudes: [...bands].map((code) => -120 + code / 2),
  }));
  return (frame) => socket.send(JSON.stringify({ seq: frame + 1, ...encoded[frame % N_FRAMES] }));
}
