import { useRef } from "react";
import { useTransport } from "../app/hooks";
import { useComposition } from "../app/useComposition";
import { usePlayhead } from "../app/usePlayhead";
import { formatBars, type Signature } from "../lib/bars";
import { formatTime } from "../lib/format";
import { writeText } from "../lib/text";

/** Nobody reads more; text is laid out and painted for each change. */
const EVERY_MS = 30;

/** The playhead in bars and beats, and in time. Written straight into the text. */
export function Position() {
  const bars = useRef<HTMLSpanElement>(null);
  const time = useRef<HTMLSpanElement>(null);
  const composition = useComposition();
  const numerator = useTransport((transport) => transport.time_signature_num) ?? 4;
  const denominator = useTransport((transport) => transport.time_signature_den) ?? 4;
  const signatures: readonly Signature[] = composition?.time_signatures ?? [{ tick: 0, numerator, denominator }];

  usePlayhead(({ position_beats, position_seconds }) => {
    writeText(bars.current, formatBars(position_beats, signatures));
    writeText(time.current, formatTime(position_seconds));
  }, EVERY_MS);

  return (
    <div className="position" data-testid="position" role="timer" aria-label="Position" aria-live="off">
      <span className="position-bars" ref={bars}>
        {formatBars(0, signatures)}
      </span>
      <span className="position-time" ref={time}>
        {formatTime(0)}
      </span>
    </div>
  );
}
