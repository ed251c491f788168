import { drawSpectrum } from "antiphon/draw";
import type { FrameOf } from "antiphon";
import { useSpectrumWebsocket } from "antiphon/react";
import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { usePictureFps, useSession } from "../app/hooks";
import {
  drawGrid, hzFromX, MAX_DB, MAX_HZ, MIN_DB, MIN_HZ, nearestBand, type Plot, plotOf, xFromHz, yFromDb,
} from "../canvas/spectrumGrid";
import { type CanvasTheme, useCanvasTheme } from "../canvas/theme";
import { useFrameCanvas } from "../canvas/useFrameCanvas";
import { formatDb, formatHz } from "../lib/format";
import { formatNote } from "../lib/notes";
import { Panel } from "../ui/Panel";
import { TapSelect } from "./TapSelect";

type Spectrum = FrameOf<"spectrum">;

/** Enough bands that a wide screen shows no steps. */
const OPTIONS = { scale: "log", fft_size: 8192, bands: 512, min_hz: MIN_HZ, max_hz: MAX_HZ } as const;

export function SpectrumPanel() {
  return (
    <Panel title="Spectrum" className="panel-spectrum" actions={<TapSelect />}>
      {(isShown) => <SpectrumCanvas isShown={isShown} />}
    </Panel>
  );
}

function SpectrumCanvas({ isShown }: { isShown: boolean }) {
  const tap = useSession((state) => state.tap);
  const fps = usePictureFps();
  const theme = useCanvasTheme();
  const cursorHz = useRef<number | null>(null);
  const readout = useRef<HTMLOutputElement>(null);
  const { subscribe } = useSpectrumWebsocket({ ...OPTIONS, tap, fps, enabled: isShown });
  const { canvas, repaint } = useFrameCanvas<Spectrum>(subscribe, (on, frame) => {
    const plot = plotOf(on, theme.em);
    drawGrid(on, plot, theme);
    if (frame) drawFrame(on.ctx, frame, plot, theme);
    if (readout.current) readout.current.textContent = drawCursor(on.ctx, frame, cursorHz.current, plot, theme);
  });

  const point = (event: PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    cursorHz.current = hzFromX(event.clientX - box.left, plotOf(box, theme.em));
    repaint();
  };
  const leave = () => {
    cursorHz.current = null;
    repaint();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const semitones = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -12, ArrowUp: 12 }[event.key];
    if (event.key === "Escape") return leave();
    if (semitones === undefined) return;
    event.preventDefault();
    const from = cursorHz.current ?? 440 / 2 ** (1 / 12);
    cursorHz.current = Math.min(MAX_HZ, Math.max(MIN_HZ, from * 2 ** (semitones / 12)));
    repaint();
  };

  return (
    <div className="picture">
      <canvas
        ref={canvas}
        data-testid="canvas-spectrum"
        role="img"
        aria-label="Spectrum. Arrow keys move the cursor by semitones and octaves."
        tabIndex={0}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={leave}
        onKeyDown={onKeyDown}
        onBlur={leave}
      />
      <output ref={readout} className="cursor-readout" data-testid="cursor" />
    </div>
  );
}

function drawFrame(ctx: CanvasRenderingContext2D, frame: Spectrum, plot: Plot, theme: CanvasTheme): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(plot.x, plot.y, plot.width, plot.height);
  ctx.clip();
  ctx.translate(plot.x, plot.y);
  drawSpectrum(ctx, frame, plot, {
    minHz: MIN_HZ,
    maxHz: MAX_HZ,
    minDb: MIN_DB,
    maxDb: MAX_DB,
    stroke: theme.spectrum,
    lineWidth: 1.25,
    fill: theme.spectrumFill,
  });
  ctx.restore();
}

/** Draws the cursor and returns what stands under it. */
function drawCursor(
  ctx: CanvasRenderingContext2D, frame: Spectrum | null, hz: number | null, plot: Plot, theme: CanvasTheme,
): string {
  if (hz === null) return "";
  const x = Math.round(xFromHz(hz, plot)) + 0.5;
  ctx.strokeStyle = theme.cursor;
  ctx.globalAlpha = 0.5;
  ctx.beginPath();
  ctx.moveTo(x, plot.y);
  ctx.lineTo(x, plot.y + plot.height);
  ctx.stroke();
  ctx.globalAlpha = 1;
  const idx = frame ? nearestBand(frame.frequencies, hz) : -1;
  if (!frame || idx < 0) return `${formatHz(hz)}  ${formatNote(hz)}`;
  const db = frame.magnitudes[idx]!;
  ctx.fillStyle = theme.cursor;
  ctx.beginPath();
  ctx.arc(x, yFromDb(db, plot), 3, 0, 2 * Math.PI);
  ctx.fill();
  return `${formatHz(hz)}  ${formatDb(db)} dB  ${formatNote(hz)}`;
}
