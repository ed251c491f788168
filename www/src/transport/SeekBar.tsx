import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef } from "react";
import { useIsReady, useTransport } from "../app/hooks";
import { lengthBeats, useComposition } from "../app/useComposition";
import type { Commands } from "../app/useCommands";
import { usePlayhead } from "../app/usePlayhead";
import { barLines, barPosition, formatBars } from "../lib/bars";
import { beatsFromX, shareFromBeats, snapBeats } from "../lib/timeline";
import { useThrottled } from "../ui/useThrottled";

/** Bar lines that are drawn, and every which of them has a number. */
const LINES = 64;
const NUMBERED = 4;
/** Where there is room for a number before the bar ends. */
const LAST_NUMBER = 0.93;

/** The composition from left to right, with loop region and playhead. Click or drag to seek, Shift snaps to beats. */
export function SeekBar({ commands }: { commands: Commands }) {
  const bar = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const composition = useComposition();
  const length = lengthBeats(composition);
  const isReady = useIsReady();
  const loopEnabled = useTransport((transport) => transport.loop_enabled) ?? false;
  const loopStart = useTransport((transport) => transport.loop_start) ?? 0;
  const loopEnd = useTransport((transport) => transport.loop_end) ?? 0;
  const signatures = composition?.time_signatures;
  const lines = useMemo(() => barLines(length, signatures ?? [], LINES), [length, signatures]);
  const isDragging = useRef(false);
  const beatsNow = useRef(0);
  const shownAt = useRef("");
  /** Pixels. Kept, since asking for it sixty times a second would lay the page out as often. */
  const width = useRef(1000);
  useEffect(() => {
    if (!bar.current) return;
    const observer = new ResizeObserver(([entry]) => {
      width.current = Math.max(1, entry?.contentRect.width ?? 0);
    });
    observer.observe(bar.current);
    return () => observer.disconnect();
  }, []);
  const seek = useThrottled((position_beats: number) => commands.seek({ position_beats }));

  const show = (beats: number) => {
    beatsNow.current = beats;
    // To whole pixels: between two of them nothing is composited again.
    const at = String(Math.round(shareFromBeats(beats, length) * width.current) / width.current);
    if (at === shownAt.current) return;
    shownAt.current = at;
    head.current?.style.setProperty("--at", at);
  };
  usePlayhead(({ position_beats: beats }) => {
    if (isDragging.current) return;
    show(beats);
    // Assistive technology reads the value when asked; whole beats are enough and spare the DOM.
    const whole = String(Math.floor(beats));
    if (bar.current?.getAttribute("aria-valuenow") !== whole) {
      bar.current?.setAttribute("aria-valuenow", whole);
      bar.current?.setAttribute("aria-valuetext", `bar ${barPosition(beats, signatures ?? []).bar}`);
    }
  });

  const seekTo = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const free = beatsFromX(event.clientX - box.left, box.width, length);
    const beats = event.shiftKey ? snapBeats(free, 1, length) : free;
    show(beats);
    seek(beats);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -4, PageDown: 4 }[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? length : step ? beatsNow.current + step : null;
    if (to === null || !isReady) return;
    event.preventDefault();
    commands.seek({ position_beats: snapBeats(to, 0.25, length) });
  };

  return (
    <div
      ref={bar}
      className="seek"
      role="slider"
      tabIndex={isReady ? 0 : -1}
      aria-label="Playhead, beats"
      aria-valuemin={0}
      aria-valuemax={Math.ceil(length)}
      aria-valuenow={0}
      aria-disabled={!isReady || length === 0}
      data-testid="seek"
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        if (!isReady || length === 0 || event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        isDragging.current = true;
        seekTo(event);
      }}
      onPointerMove={(event) => isDragging.current && seekTo(event)}
      onLostPointerCapture={() => (isDragging.current = false)}
    >
      {lines.map((beats, idx) => (
        <span
          key={beats}
          className="seek-line"
          data-numbered={idx % NUMBERED === 0}
          style={{ left: `${shareFromBeats(beats, length) * 100}%` }}
        >
          {idx % NUMBERED === 0 && shareFromBeats(beats, length) < LAST_NUMBER && Number(formatBars(beats, signatures ?? []).split(":")[0])}
        </span>
      ))}
      {loopEnd > loopStart && (
        <div
          className="seek-loop"
          data-enabled={loopEnabled}
          style={{
            left: `${shareFromBeats(loopStart, length) * 100}%`,
            right: `${(1 - shareFromBeats(loopEnd, length)) * 100}%`,
          }}
        />
      )}
      <div ref={head} className="seek-head" />
    </div>
  );
}
