// As its documentation shows it: a message is state.
import { Profiler, useEffect, useRef } from "react";
import { createRoot } from "react-dom/client";
import module from "react-use-websocket";
import { onCommit, paintMeter, paintSpectrum, serverUrl } from "./picture.js";

const useWebSocket = module.default;

function Meter({ levels }) {
  const canvas = useRef(null);
  useEffect(() => paintMeter(canvas.current, levels), [levels]);
  return <canvas ref={canvas} />;
}

function Spectrum({ frequencies, magnitudes }) {
  const canvas = useRef(null);
  useEffect(() => {
    paintSpectrum(canvas.current, { channels: 1, frequencies, magnitudes: Float32Array.from(magnitudes) });
  }, [frequencies, magnitudes]);
  return <canvas ref={canvas} />;
}

function Page() {
  const { lastJsonMessage: message } = useWebSocket(serverUrl.replace("http", "ws"));
  const frequencies = useRef(null);
  if (message?.frequencies) frequencies.current = Float32Array.from(message.frequencies);
  if (!message?.tracks || !frequencies.current) return null;
  return (
    <>
      {message.tracks.map((levels) => <Meter key={levels.track_id} levels={levels} />)}
      <Spectrum frequencies={frequencies.current} magnitudes={message.magnitudes} />
    </>
  );
}

createRoot(document.getElementById("root")).render(
  <Profiler id="page" onRender={onCommit}>
    <Page />
  </Profiler>,
);
