// What both pages draw, and what they count.
import { drawMeter, drawSpectrum, prepareCanvas } from "antiphon/draw";

export const N_TRACKS = 64;
export const serverUrl = new URLSearchParams(location.search).get("server");
/** Frames that were drawn, those of them that the screen could show, and commits of React. */
export const counts = (globalThis.counts = { n_frames: 0, n_shown: 0, n_commits: 0, levels: 0, bands: 0 });
export const onCommit = () => (counts.n_commits += 1);

const METER = { width: 16, height: 120 };
const SPECTRUM = { width: 640, height: 200 };

let shownAt = null;

export function paintMeter(canvas, levels) {
  drawMeter(prepareCanvas(canvas, METER, devicePixelRatio), levels, METER);
  counts.levels += 1;
}

export function paintSpectrum(canvas, frame) {
  drawSpectrum(prepareCanvas(canvas, SPECTRUM, devicePixelRatio), frame, SPECTRUM);
  counts.bands = frame.magnitudes.length;
  counts.n_frames += 1;
  // It stands still between two frames of the screen: what is drawn twice in between is seen once.
  const now = document.timeline.currentTime;
  if (now !== shownAt) counts.n_shown += 1;
  shownAt = now;
}
