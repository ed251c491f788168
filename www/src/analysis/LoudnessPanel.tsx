import type { FrameOf, Source } from "antiphon";
import { useMeterWebsocket, useSource } from "antiphon/react";
import { useEffect, useRef } from "react";
import { prepareElsewhere } from "../canvas/elsewhere";
import { useCanvasTheme } from "../canvas/theme";
import { useCanvas } from "../canvas/useCanvas";
import { notifyError } from "../app/notices";
import { formatDb, formatTime } from "../lib/format";
import { type NumberRow, useNumbers } from "../ui/Numbers";
import { Panel } from "../ui/Panel";
import { Choice } from "./Choice";
import { drawLoudness, LoudnessHistory } from "./loudnessHistory";
import { setAnalysis, useAnalysis } from "./settings";

const FPS = 10;
/** Numbers are written so often. */
const EVERY_MS = 500;

interface Readings {
  history: LoudnessHistory;
  master: FrameOf<"meters">["master"];
  target: number;
}

const LUFS = "LUFS";
/** The engine integrates all the time; of the highest values it tells none, so that they are of what was seen here. */
const ALL = "Of all that was played since the start or the reset";
const WATCHED = "While this panel was in view, since the reset";
const ROWS: readonly NumberRow<Readings>[] = [
  { label: "Momentary", unit: LUFS, text: ({ master }) => formatDb(master.lufs_momentary) },
  { label: "Short-term", unit: LUFS, text: ({ master }) => formatDb(master.lufs_short_term) },
  { label: "Integrated", unit: LUFS, title: ALL, text: ({ master }) => formatDb(master.lufs_integrated) },
  { label: "Range", unit: "LU", title: ALL, text: ({ master }) => master.lra.toFixed(1) },
  { label: "To target", unit: "LU", title: ALL, testId: "to-target", text: differenceText },
  { label: "Watched", unit: "", title: WATCHED, text: ({ history }) => formatTime(history.seconds).replace(/\.\d+$/, "") },
  { label: "Max. momentary", unit: LUFS, title: WATCHED, text: ({ history }) => formatDb(history.max.momentary) },
  { label: "Max. short-term", unit: LUFS, title: WATCHED, text: ({ history }) => formatDb(history.max.shortTerm) },
  { label: "Max. true peak", unit: "dBTP", title: WATCHED, text: ({ history }) => formatDb(history.max.truePeak, 1, true) },
];

function differenceText({ master: { lufs_integrated }, target }: Readings): string {
  return lufs_integrated > -70 ? formatDb(lufs_integrated - target, 1, true) : "–";
}

const histories = new WeakMap<Source, LoudnessHistory>();

/** Another source is another sound: its history is its own, and outlives a look at another view. */
function historyOf(source: Source): LoudnessHistory {
  const history = histories.get(source) ?? new LoudnessHistory();
  histories.set(source, history);
  return history;
}

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
  const history = historyOf(source);
  const { subscribe } = useMeterWebsocket({ fps: FPS, enabled: isShown });
  const { canvas, surface } = useCanvas((on) => drawLoudness(on, history, target, theme), prepareElsewhere);
  const [numbers, write] = useNumbers(ROWS);
  const last = useRef<Readings["master"] | null>(null);
  const writeLast = () => write(last.current && { history, master: last.current, target });
  const show = () => {
    writeLast();
    if (surface.current) drawLoudness(surface.current, history, target, theme);
  };
  const showRef = useRef(show);
  useEffect(() => {
    showRef.current = show;
  });
  useEffect(() => {
    // Another source is another sound.
    last.current = null;
    let shownAt = -Infinity;
    return subscribe((next) => {
      history.push(next, source.hello?.sample_rate ?? 48_000);
      last.current = next.master;
      if (performance.now() - shownAt < EVERY_MS) return;
      shownAt = performance.now();
      showRef.current();
    });
  }, [subscribe, history, source]);
  // What was chosen counts at once, whether or not frames come; the picture is painted after each render anyway.
  useEffect(writeLast);
  // The next frames say that it was done, to everybody.
  const reset = () => void source.resetLoudness("master").catch((error: unknown) => notifyError("Loudness was not reset", error));
  return (
    <div className="loudness-panel">
      <div className="loudness-side">
        <dl className="numbers" data-testid="loudness">{numbers}</dl>
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
