import { colorMap, SpectrogramRing } from "antiphon/draw";
import { useMemo, useRef } from "react";
import { useStore } from "zustand";
import { useSession } from "../app/hooks";
import { axisOf, drawGrid, plotOf } from "../canvas/spectrumGrid";
import { useCanvasTheme } from "../canvas/theme";
import { type Surface, useCanvas } from "../canvas/useCanvas";
import { formatDb, formatTime } from "../lib/format";
import { Panel } from "../ui/Panel";
import {
  closeRecording, loadLast, momentAt, type OpenedRecording, openRecordingFile, recorder, saveRecording,
} from "./recording";
import { LocalRecorder } from "./LocalRecorder";
import { useAnalysis } from "./settings";
import { drawCurve } from "./spectrumCurve";

/** The last ten minutes, looked at again. */
export function RecorderPanel() {
  const { opened, isLoading } = useStore(recorder);
  const isLocal = useSession((state) => state.mode === "browser");
  const picker = useRef<HTMLInputElement>(null);
  const actions = (
    <span className="panel-actions">
      {isLocal && <LocalRecorder />}
      <button type="button" className="button small" data-testid="recorder-load" disabled={isLoading} onClick={() => void loadLast()}>
        Last ten minutes
      </button>
      <button type="button" className="button small" onClick={() => picker.current?.click()}>
        Open file
      </button>
      <input
        ref={picker}
        type="file"
        hidden
        data-testid="recorder-file"
        onChange={({ target }) => {
          const file = target.files?.[0];
          if (file) void openRecordingFile(file);
          target.value = "";
        }}
      />
      {opened && (
        <>
          <button type="button" className="button small" data-testid="recorder-save" onClick={() => saveRecording(opened)}>
            Save file
          </button>
          <button type="button" className="button small" onClick={closeRecording}>
            Close
          </button>
        </>
      )}
    </span>
  );
  return (
    <Panel title="Flight recorder" className="panel-recorder" actions={actions}>
      {() => (opened ? <Scrubber opened={opened} /> : (
        <p className="recorder-none">
          {isLocal ? "Press Record, and the engine in this browser keeps what it measures." : "The server keeps what it measures."}{" "}
          Meters, loudness and spectra of the last ten minutes can be looked at here, and saved.
        </p>
      ))}
    </Panel>
  );
}

const COLUMNS_PER_SECOND = 10;

function Scrubber({ opened }: { opened: OpenedRecording }) {
  const position = useStore(recorder, (state) => state.position);
  const colors = useAnalysis((state) => state.colors);
  const theme = useCanvasTheme();
  const { recording, meters, spectra, name } = opened;
  const { sampleRate } = recording;
  const { from, to } = recording.range ?? { from: 0, to: 1 };
  const ring = useMemo(() => {
    const made = new SpectrogramRing((to - from) / sampleRate + 1 / COLUMNS_PER_SECOND, COLUMNS_PER_SECOND);
    for (const frame of spectra) made.push(frame, { colors: colorMap(colors), minDb: -96 });
    return made;
  }, [spectra, colors, from, to, sampleRate]);
  const step = Math.round(sampleRate / COLUMNS_PER_SECOND);
  const moment = momentAt(opened, position);

  const timeline = useCanvas(({ ctx, width, height }: Surface) => {
    ctx.clearRect(0, 0, width, height);
    ring.draw(ctx, { width, height });
    const x = Math.round(((position - from) / Math.max(1, to - from)) * (width - 1)) + 0.5;
    // Two lines: one of them is seen on any colour.
    for (const [color, lineWidth] of [["#000", 3], ["#fff", 1]] as const) {
      ctx.strokeStyle = color;
      ctx.lineWidth = lineWidth;
      ctx.beginPath();
      ctx.moveTo(x, 0);
      ctx.lineTo(x, height);
      ctx.stroke();
    }
  });
  const spectrum = useCanvas((on) => {
    const plot = plotOf(on, theme.em);
    const axis = axisOf(moment.spectrum, plot);
    drawGrid(on, plot, axis, theme);
    if (moment.spectrum) drawCurve(on.ctx, moment.spectrum, plot, axis, 0, theme);
  });
  const ago = (to - position) / sampleRate;
  const master = moment.meters?.master;
  return (
    <div className="recorder" data-testid="recorder">
      <div className="picture recorder-timeline">
        <canvas ref={timeline.canvas} role="img" aria-label={`Spectrogram of the recording: ${meters.length} measurements`} />
      </div>
      <input
        type="range"
        className="recorder-slider"
        aria-label="Moment of the recording"
        aria-valuetext={`${formatTime(ago)} before the end`}
        data-testid="recorder-slider"
        min={0}
        max={Math.ceil((to - from) / step)}
        value={Math.ceil((position - from) / step)}
        onChange={({ target }) => recorder.setState({ position: Math.min(to, from + Number(target.value) * step) })}
      />
      <div className="recorder-moment">
        <div className="picture">
          <canvas ref={spectrum.canvas} role="img" aria-label="Spectrum at that moment" />
        </div>
        <dl className="numbers" data-testid="recorder-moment">
          <div><dt>{name}</dt><dd data-testid="recorder-ago">{"\u2212"}{formatTime(ago)}</dd></div>
          <div><dt>Momentary</dt><dd>{master ? formatDb(master.lufs_momentary) : "–"} <small>LUFS</small></dd></div>
          <div><dt>Short-term</dt><dd>{master ? formatDb(master.lufs_short_term) : "–"} <small>LUFS</small></dd></div>
          <div><dt>Peak L</dt><dd>{master ? formatDb(master.peak_left) : "–"} <small>dBFS</small></dd></div>
          <div><dt>Peak R</dt><dd>{master ? formatDb(master.peak_right) : "–"} <small>dBFS</small></dd></div>
          <div><dt>Clips</dt><dd>{master?.clips ?? "–"}</dd></div>
        </dl>
      </div>
    </div>
  );
}
