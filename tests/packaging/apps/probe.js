// Uses all that the package loads: the connection's module, the worklet and its modules, the worker and its module.
import { analyzeBuffer, connect, createAnalysisSource, createLocalSource, listen } from "antiphon";

/** Leaves what it saw, or the error, in the page. */
export async function probe(wasm) {
  const seen = await Promise.all([
    fromServer(wasm), fromWorklet(createLocalSource, wasm), fromWorklet(createAnalysisSource, wasm), fromFile(wasm), fromFarAway(wasm),
  ]).then(
    ([bands, loudest, measured, peak, hearing]) => ({ bands, loudest, measured, peak, hearing, isIsolated: crossOriginIsolated }),
    (error) => ({ error: `${error.message} (${error.hint})` }),
  );
  document.body.dataset.probe = JSON.stringify(seen);
}

/** Bands of a server's spectrum. */
function fromServer(wasm) {
  const source = connect(new URLSearchParams(location.search).get("server"), { wasm });
  return new Promise((resolve, reject) => {
    source.onStatus(() => source.status === "failed" && reject(source.error));
    source.subscribe("spectrum", ({ frequencies, magnitudes }) => {
      resolve([frequencies.length, magnitudes.length]);
      source.close();
    });
  });
}

/** What becomes of listening to a server. */
async function fromFarAway(wasm) {
  const context = new AudioContext();
  const source = connect(new URLSearchParams(location.search).get("server"), { wasm });
  const listening = await listen(source, context, { wasm });
  await listening.resume();
  return new Promise((resolve, reject) => {
    const look = () => {
      if (listening.status === "failed") reject(listening.error);
      if (listening.status !== "live") return;
      resolve(listening.status);
      listening.close();
      source.close();
      void context.close();
    };
    listening.onStatus(look);
    look();
  });
}

/** Where the worklet hears a tone of half of full scale: its frequency over the tone's, and its level. */
async function fromWorklet(create, wasm) {
  const context = new AudioContext();
  const source = await create(context, { wasm });
  await source.preload();
  await source.resume();
  const tone = new OscillatorNode(context, { frequency: context.sampleRate / 64 });
  const level = new GainNode(context, { gain: 0.5 });
  tone.connect(level);
  tone.start();
  source.setInput(level);
  return new Promise((resolve, reject) => {
    source.onStatus(() => source.status === "failed" && reject(source.error));
    source.subscribe("spectrum", ({ frequencies, magnitudes }) => {
      const db = Math.max(...magnitudes);
      if (db < -6.25) return; // it begins in the middle of a window
      resolve({ tones: frequencies[magnitudes.indexOf(db)] / tone.frequency.value, db });
      source.close();
      void context.close();
    }, { tap: "input", fft_size: 8192 });
  });
}

/** The peak of a WAV file of one sample at half of full scale, in dBFS. */
async function fromFile(wasm) {
  const wav = new Uint8Array(44 + 2 * 4800);
  const view = new DataView(wav.buffer);
  wav.set(new TextEncoder().encode("RIFF....WAVEfmt "));
  wav.set(new TextEncoder().encode("data"), 36);
  view.setUint32(4, wav.length - 8, true);
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, 48_000, true);
  view.setUint32(28, 96_000, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  view.setUint32(40, wav.length - 44, true);
  view.setInt16(44 + 2 * 2400, 16_384, true);
  const report = await analyzeBuffer(wav, { wasm });
  return report.channels[0].peak;
}
