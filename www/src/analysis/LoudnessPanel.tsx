import type { FrameOf } from "antiphon";
import { useMeterWebsocket, useSource } from "antiphon/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useCanvasTheme } from "../canvas/theme";
import { useCanvas } from "../canvas/useCanvas";
import { notifyError } from "../app/notices";
import { formatDb, formatTime } from "../lib/format";
import { Panel } from "../ui/Panel";
import { Choice } from "./Choice";
import { drawLoudness, LoudnessHistory } from "./loudnessHistory";
import { setAnalysis, useAnalysis } from "./settings";

const FPS = 10;
/** Numbers are written so often. */
const EVERY_MS = 500;

/** Name, unit and text of each number. */
const ROWS: readonly (readonly [label: string, unit: string, text: (history: LoudnessHistory, frame: FrameOf<"meters">) => string])[] = [
  ["Momentary", "LUFS", (_, { master }) => formatDb(master.lufs_momentary)],
  ["Short-term", "LUFS", (_, { master }) => formatDb(master.lufs_short_term)],
  ["Integrated", "LUFS", (_, { master }) => formatDb(master.lufs_integrated)],
  ["Range", "LU", (_, { master }) => master.lra.toFixed(1)],
  ["Max. momentary", "LUFS", ({ max }) => formatDb(max.momentary)],
  ["Max. short-term", "LUFS", ({ max }) => formatDb(max.shortTerm)],
  ["Max. true peak", "dBTP", ({ max }) => formatDb(max.truePeak, 1, true)],
  ["Measured", "", ({ seconds }) => formatTime(seconds).replace(/\.\d+$/, "")],
];

export function LoudnessPanel() {
  const target = useAnalysis((state) => state.target);
  const actions = (
    <Choice
      label="Target of loudness"
      testId="target"
      value={target}
      options={[[-23, "−23 LUFS (EBU R 128)"], [-16, "−16 LUFS (podcasts)"], [-14, "−14 LUFS (streaming)"]]}
      onChange={(target) => setAnalysis({ target })}
    />
  );
  return (
    <Panel title="Loudness" className="panel-loudness" actions={actions}>
      {(isShown) => <Body target={target} isShown={isShown} />}
    </Panel>
  );
}

function Body({ target, isShown }: { target: number; isShown: boolean }) {
  const source = useSource();
  const theme = useCanvasTheme();
  // Another source is another sound: its history is its own.
  const history = useMemo(() => {
    void source;
    return new LoudnessHistory();
  }, [source]);
  const [frame, setFrame] = useState<FrameOf<"meters"> | null>(null);
  const { subscribe } = useMeterWebsocket({ fps: FPS, enabled: isShown });
  const { canvas, surface } = useCanvas((on) => drawLoudness(on, history, target, theme));
  const paint = useRef(() => undefined as void);
  useEffect(() => {
    paint.current = () => {
      if (surface.current) drawLoudness(surface.current, history, target, theme);
    };
  });
  useEffect(() => {
    let writtenAt = -Infinity;
    return subscribe((next) => {
      history.push(next, source.hello?.sample_rate ?? 48_000);
      if (performance.now() - writtenAt < EVERY_MS) return;
      writtenAt = performance.now();
      setFrame({ ...next, master: { ...next.master } });
      paint.current();
    });
  }, [subscribe, history, source]);
  // The next frames say that it was done, to everybody.
  const reset = () => void source.resetLoudness("master").catch((error: unknown) => notifyError("Loudness was not reset", error));
  const difference = frame && frame.master.lufs_integrated > -70 ? frame.master.lufs_integrated - target : null;
  return (
    <div className="loudness-panel">
      <div className="loudness-side">
        <dl className="numbers" data-testid="loudness">
          {ROWS.map(([label, unit, text]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{frame ? text(history, frame) : "–"} <small>{unit}</small></dd>
            </div>
          ))}
          <div>
            <dt>To target</dt>
            <dd data-testid="to-target">{difference === null ? "–" : formatDb(difference, 1, true)} <small>LU</small></dd>
          </div>
        </dl>
        <button
          type="button"
          className="button small"
          data-testid="loudness-reset"
          title="Starts integrated loudness, range and the highest values anew, for everybody who watches this sound"
          onClick={reset}
        >
          Reset
        </button>
      </div>
      <div className="picture">
        <canvas ref={canvas} role="img" aria-label={`Short-term loudness of the last minutes against ${target} LUFS`} data-testid="canvas-loudness" />
      </div>
    </div>
  );
}
