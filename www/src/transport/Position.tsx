import { useRef } from "react";
import { useTransport } from "../app/hooks";
import { useComposition } from "../app/useComposition";
import { usePlayhead } from "../app/usePlayhead";
import { formatBars, type Signature } from "../lib/bars";
import { formatTime } from "../lib/format";

/** The playhead in bars and beats, and in time. Written straight into the text, sixty times a second. */
export function Position() {
  const bars = useRef<HTMLSpanElement>(null);
  const time = useRef<HTMLSpanElement>(null);
  const composition = useComposition();
  const numerator = useTransport((transport) => transport.time_signature_num) ?? 4;
  const denominator = useTransport((transport) => transport.time_signature_den) ?? 4;
  const signatures: readonly Signature[] = composition?.time_signatures ?? [{ tick: 0, numerator, denominator }];

  usePlayhead(({ position_beats, position_seconds }) => {
    if (bars.current) bars.current.textContent = formatBars(position_beats, signatures);
    if (time.current) time.current.textContent = formatTime(position_seconds);
  });

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
