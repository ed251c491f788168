import { useRef } from "react";
import { useTransport } from "../app/hooks";
import { useComposition } from "../app/useComposition";
import { usePlayhead } from "../app/usePlayhead";
import { prepareElsewhere } from "../canvas/elsewhere";
import { type CanvasTheme, useCanvasTheme } from "../canvas/theme";
import { type Surface, useCanvas } from "../canvas/useCanvas";
import { formatBars, type Signature } from "../lib/bars";
import { formatTime } from "../lib/format";
import { UNKNOWN, writeText } from "../lib/text";

/** Nobody reads more. */
const EVERY_MS = 30;
/** The same as words, for assistive technology. */
const SAID_MS = 500;
/** Of the bars, in text sizes, where there is room beside a time with hours. */
const LARGE = 1.55;
/** Characters of bars and of a time with hours, and how wide a monospaced one is. */
const [BARS, TIME, CHARACTER, GAP] = [8, 11, 0.6, 0.8];

/**
 * The playhead in bars and beats, and in time. Drawn: as text, each change would lay out and paint the page, and look
 * anew for what lies below the pointer.
 */
export function Position() {
  const said = useRef<HTMLSpanElement>(null);
  const composition = useComposition();
  const numerator = useTransport((transport) => transport.time_signature_num) ?? 4;
  const denominator = useTransport((transport) => transport.time_signature_den) ?? 4;
  const signatures: readonly Signature[] = composition?.time_signatures ?? [{ tick: 0, numerator, denominator }];
  const shown = useRef<readonly [string, string]>([UNKNOWN, ""]);
  const theme = useCanvasTheme();
  const { canvas, surface } = useCanvas((on) => paintPosition(on, ...shown.current, theme), prepareElsewhere);

  usePlayhead(({ position_beats, position_seconds }) => {
    shown.current = [formatBars(position_beats, signatures), formatTime(position_seconds)];
    if (surface.current) paintPosition(surface.current, ...shown.current, theme);
  }, EVERY_MS);
  usePlayhead(() => writeText(said.current, shown.current.join(" ")), SAID_MS);

  return (
    <div className="position" data-testid="position" role="timer" aria-label="Position" aria-live="off">
      <canvas ref={canvas} aria-hidden="true" data-testid="position-drawn" />
      <span className="visually-hidden" ref={said}>
        {UNKNOWN}
      </span>
    </div>
  );
}

/** Bars large, time beside them, on one line; as small as it has to be where that is narrow. */
export function paintPosition({ ctx, width, height }: Surface, bars: string, time: string, theme: CanvasTheme): void {
  const { mono, strong, text } = theme;
  const em = Math.min(theme.em, width / ((BARS + time.length) * CHARACTER + GAP));
  ctx.clearRect(0, 0, width, height);
  const size = em * Math.max(1, Math.min(LARGE, (width / em - GAP) / (BARS * CHARACTER) - TIME / BARS));
  const line = Math.round(height / 2 + 0.34 * size);
  ctx.font = `600 ${size}px ${mono}`;
  ctx.letterSpacing = `${-0.02 * size}px`;
  ctx.fillStyle = strong;
  ctx.fillText(bars, 0, line);
  ctx.font = `${em}px ${mono}`;
  ctx.letterSpacing = "0px";
  ctx.fillStyle = text;
  ctx.fillText(time, BARS * CHARACTER * size + GAP * em, line);
}
