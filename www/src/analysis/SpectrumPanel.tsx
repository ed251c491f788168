import type { FrameOf, Scale } from "antiphon";
import { useSpectrumWebsocket } from "antiphon/react";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef } from "react";
import { usePictureFps, useSession } from "../app/hooks";
import { axisOf, drawGrid, hzFromX, MAX_HZ, MIN_HZ, plotOf } from "../canvas/spectrumGrid";
import { useCanvasTheme } from "../canvas/theme";
import { useFrameCanvas } from "../canvas/useFrameCanvas";
import { usePaintedCanvas } from "../canvas/usePaintedCanvas";
import { Panel } from "../ui/Panel";
import { Choice } from "./Choice";
import { setAnalysis, useAnalysis } from "./settings";
import { drawCurve, drawCursor } from "./spectrumCurve";
import { TapSelect } from "./TapSelect";

type Spectrum = FrameOf<"spectrum">;

const RANGE = { fft_size: 8192, min_hz: MIN_HZ, max_hz: MAX_HZ } as const;
/** Enough bands that a wide screen shows no steps. */
const OPTIONS = {
  log: { ...RANGE, scale: "log", bands: 512 },
  linear: { ...RANGE, scale: "linear", bands: 1024 },
  mel: { ...RANGE, scale: "mel", bands: 256 },
  bark: { ...RANGE, scale: "bark", bands: 256 },
  octave: { ...RANGE, scale: "octave", fraction: 3 },
} as const satisfies Record<Scale, object>;

/** `isFull`: with the analysis view's choices; else as it is at first. */
export function SpectrumPanel({ isFull = false }: { isFull?: boolean }) {
  return (
    <Panel title="Spectrum" className="panel-spectrum" actions={isFull ? <Choices /> : <TapSelect />}>
      {(isShown) => <SpectrumCanvas isShown={isShown} isFull={isFull} />}
    </Panel>
  );
}

function Choices() {
  const { scale, slope, holdMs } = useAnalysis((state) => state);
  return (
    <span className="panel-actions">
      <Choice
        label="Scale of frequencies"
        testId="scale"
        value={scale}
        options={[["log", "Logarithmic"], ["linear", "Linear"], ["octave", "Thirds of octaves"], ["mel", "Mel"], ["bark", "Bark"]]}
        onChange={(scale) => setAnalysis({ scale })}
      />
      <Choice
        label="Slope of the picture about 1 kHz"
        testId="slope"
        value={slope}
        options={[[0, "0 dB/oct"], [3, "3 dB/oct"], [4.5, "4.5 dB/oct"], [6, "6 dB/oct"]]}
        onChange={(slope) => setAnalysis({ slope })}
      />
      <Choice
        label="How long peaks stay"
        testId="hold"
        value={holdMs}
        options={[[0, "No hold"], [3000, "Hold 3 s"], [3_600_000, "Hold on"]]}
        onChange={(holdMs) => setAnalysis({ holdMs })}
      />
    </span>
  );
}

function SpectrumCanvas({ isShown, isFull }: { isShown: boolean; isFull: boolean }) {
  const tap = useSession((state) => state.tap);
  const chosen = useAnalysis((state) => state);
  const { scale, slope, holdMs } = isFull ? chosen : { scale: "log", slope: 0, holdMs: 0 } as const;
  const fps = usePictureFps();
  const theme = useCanvasTheme();
  const cursorHz = useRef<number | null>(null);
  const newest = useRef<Spectrum | null>(null);
  const held = useRef<Spectrum | null>(null);
  const readout = useRef<HTMLOutputElement>(null);
  const options = OPTIONS[scale];
  const { subscribe } = useSpectrumWebsocket({ ...options, tap, fps, enabled: isShown });
  const { subscribe: subscribeHeld } = useSpectrumWebsocket({
    ...options, tap, fps: 10, hold_ms: holdMs || 1, enabled: isShown && holdMs > 0,
  });
  useEffect(() => {
    held.current = null;
    return subscribeHeld((frame) => {
      held.current = frame;
    });
  }, [subscribeHeld, scale, holdMs]);

  // A canvas of its own below the curve's: lines and labels are drawn when the scale changes, not for each frame.
  const gridOf = useRef("");
  const { canvas: gridCanvas, repaint: repaintGrid } = usePaintedCanvas((on) => {
    const plot = plotOf(on, theme.em);
    drawGrid(on, plot, axisOf(newest.current, plot), theme);
  });
  const { canvas, repaint } = useFrameCanvas<Spectrum>(subscribe, (on, frame) => {
    newest.current = frame;
    const drawn = frame ? `${frame.scale} ${frame.frequencies.length} ${frame.frequencies.at(-1)}` : "";
    if (drawn !== gridOf.current) {
      gridOf.current = drawn;
      repaintGrid();
    }
    const plot = plotOf(on, theme.em);
    const axis = axisOf(frame, plot);
    on.ctx.clearRect(0, 0, on.width, on.height);
    if (frame) drawCurve(on.ctx, frame, plot, axis, slope, theme);
    if (held.current?.scale === frame?.scale && held.current) drawCurve(on.ctx, held.current, plot, axis, slope, theme, true);
    if (readout.current) readout.current.textContent = drawCursor(on.ctx, frame, cursorHz.current, plot, axis, slope, theme);
  });

  const point = (event: PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const plot = plotOf(box, theme.em);
    cursorHz.current = hzFromX(event.clientX - box.left, plot, axisOf(newest.current, plot));
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
      <canvas ref={gridCanvas} aria-hidden="true" />
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
