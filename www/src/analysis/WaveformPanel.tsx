import { drawWaveform } from "antiphon/draw";
import type { FrameOf } from "antiphon";
import { useWaveformWebsocket } from "antiphon/react";
import { useRef, useState } from "react";
import { usePictureFps, useSession } from "../app/hooks";
import { type CanvasTheme, useCanvasTheme } from "../canvas/theme";
import type { Surface } from "../canvas/useCanvas";
import { useFrameCanvas } from "../canvas/useFrameCanvas";
import { usePaintedCanvas } from "../canvas/usePaintedCanvas";
import { WaveformRange } from "../canvas/waveformRange";
import { Panel } from "../ui/Panel";
import { Choice } from "./Choice";
import { setAnalysis, useAnalysis } from "./settings";

/** A scope; with `isFull` the person may choose the last seconds instead. */
export function WaveformPanel({ isFull = false }: { isFull?: boolean }) {
  const mode = useAnalysis((state) => (isFull ? state.waveform : "scope"));
  const actions = isFull ? <Mode /> : <Legend />;
  return (
    <Panel title="Waveform" className="panel-waveform" actions={actions}>
      {(isShown) => <WaveformCanvas key={mode} isShown={isShown} mode={mode} />}
    </Panel>
  );
}

function Mode() {
  const mode = useAnalysis((state) => state.waveform);
  return (
    <span className="panel-actions">
      <Legend />
      <Choice
        label="What the waveform shows"
        testId="waveform-mode"
        value={mode}
        options={[["scope", "Scope"], ["overview", "Last 10 s"]]}
        onChange={(waveform) => setAnalysis({ waveform })}
      />
    </span>
  );
}

function Legend() {
  return (
    <span className="legend" aria-hidden="true">
      <span className="legend-left">L</span>
      <span className="legend-right">R</span>
    </span>
  );
}

const OPTIONS = {
  scope: { mode: "scope", samples: 1024 },
  overview: { mode: "buckets", samples: 600, window_ms: 10_000 },
} as const;

function WaveformCanvas({ isShown, mode }: { isShown: boolean; mode: keyof typeof OPTIONS }) {
  const tap = useSession((state) => state.tap);
  const fps = usePictureFps();
  const theme = useCanvasTheme();
  const [range] = useState(() => new WaveformRange());
  const { subscribe } = useWaveformWebsocket({ ...OPTIONS[mode], tap, fps, enabled: isShown });
  const graticuleOf = useRef(range.value);
  const { canvas: graticule, repaint } = usePaintedCanvas((on) => drawGraticule(on, range.value, theme));
  const { canvas } = useFrameCanvas<FrameOf<"waveform">>(
    subscribe,
    (on, frame) => {
      on.ctx.clearRect(0, 0, on.width, on.height);
      const layout = mode === "scope" ? "overlay" : "stacked";
      if (frame) drawWaveform(on.ctx, frame, on, { left: theme.left, right: theme.right, range: range.value, layout });
    },
    (frame) => {
      range.update(frame, performance.now());
      if (range.value === graticuleOf.current) return;
      graticuleOf.current = range.value;
      repaint();
    },
  );

  return (
    <div className="picture">
      <canvas ref={graticule} aria-hidden="true" />
      <canvas ref={canvas} data-testid="canvas-waveform" role="img" aria-label="Waveform, left and right channel" />
    </div>
  );
}

/** Lines at the range's edges, half of it and silence; the edge is named, full scale being 1. */
function drawGraticule({ ctx, width, height }: Surface, range: number, theme: CanvasTheme): void {
  ctx.clearRect(0, 0, width, height);
  ctx.lineWidth = 1;
  for (const level of [-1, -0.5, 0, 0.5, 1]) {
    const y = Math.min(height - 0.5, Math.round(((1 - level) / 2) * height) + 0.5);
    ctx.strokeStyle = level === 0 ? theme.gridStrong : theme.grid;
    ctx.beginPath();
    ctx.moveTo(0, y);
    ctx.lineTo(width, y);
    ctx.stroke();
  }
  ctx.font = theme.font;
  ctx.fillStyle = theme.text;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  ctx.fillText(`±${range}`, 0.4 * theme.em, 0.4 * theme.em);
}
