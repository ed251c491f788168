// Frames go to callbacks: React renders when something mounts.
import { Profiler, useEffect, useRef } from "react";
import { createRoot } from "react-dom/client";
import { connect } from "antiphon";
import { SourceProvider, useMeterWebsocket, useSpectrumWebsocket } from "antiphon/react";
import { N_TRACKS, onCommit, paintMeter, paintSpectrum, serverUrl } from "./picture.js";

const fps = 60;

function Meter({ track }) {
  const canvas = useRef(null);
  const { subscribe } = useMeterWebsocket({ fps });
  useEffect(() => subscribe(({ tracks }) => paintMeter(canvas.current, tracks[track])), [subscribe, track]);
  return <canvas ref={canvas} />;
}

function Spectrum() {
  const canvas = useRef(null);
  const { subscribe } = useSpectrumWebsocket({ fps });
  useEffect(() => subscribe((frame) => paintSpectrum(canvas.current, frame)), [subscribe]);
  return <canvas ref={canvas} />;
}

const source = connect(serverUrl, { multiplex: true });
createRoot(document.getElementById("root")).render(
  <Profiler id="page" onRender={onCommit}>
    <SourceProvider source={source}>
      {Array.from({ length: N_TRACKS }, (_, track) => <Meter key={track} track={track} />)}
      <Spectrum />
    </SourceProvider>
  </Profiler>,
);
