import { drawWaveform } from "antiphon/draw";
import type { FrameOf } from "antiphon";
import { useWaveformWebsocket } from "antiphon/react";
import { usePictureFps, useSession } from "../app/hooks";
import { type CanvasTheme, useCanvasTheme } from "../canvas/theme";
import type { Surface } from "../canvas/useCanvas";
import { useFrameCanvas } from "../canvas/useFrameCanvas";
import { Panel } from "../ui/Panel";

export function WaveformPanel() {
  return (
    <Panel title="Waveform" className="panel-waveform" actions={<Legend />}>
      {(isShown) => <WaveformCanvas isShown={isShown} />}
    </Panel>
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

function WaveformCanvas({ isShown }: { isShown: boolean }) {
  const tap = useSession((state) => state.tap);
  const fps = usePictureFps();
  const theme = useCanvasTheme();
  const { subscribe } = useWaveformWebsocket({ mode: "scope", samples: 1024, tap, fps, enabled: isShown });
  const { canvas } = useFrameCanvas<FrameOf<"waveform">>(subscribe, (on, frame) => {
    drawGraticule(on, theme);
    if (frame) drawWaveform(on.ctx, frame, on, { left: theme.left, right: theme.right });
  });

  return (
    <div className="picture">
      <canvas ref={canvas} data-testid="canvas-waveform" role="img" aria-label="Waveform, left and right channel" />
    </div>
  );
}

/** Lines at full scale, half of it and silence. */
function drawGraticule({ ctx, width, height }: Surface, theme: CanvasTheme): void {
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
}
