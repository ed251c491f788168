import { useCallback, useEffect, useRef } from "react";
import type { CompositionSpec } from "antiphon";
import { useTransport } from "../app/hooks";
import { prefs, setPrefs, usePrefs } from "../app/prefs";
import type { Commands } from "../app/useCommands";
import { usePlayhead } from "../app/usePlayhead";
import { useCanvasTheme } from "../canvas/theme";
import { usePaintedCanvas } from "../canvas/usePaintedCanvas";
import { edit, shownComposition } from "../edit/editor";
import { addClip, findClip, isAudio, lengthOf } from "../edit/model";
import { overviewOf } from "../edit/overviews";
import { select, selection, useSelection } from "../edit/selection";
import { formatBars, PPQ } from "../lib/bars";
import { newId } from "../lib/ids";
import { snapTick } from "../lib/grid";
import { setDropTarget } from "../source/dropTarget";
import { useThrottled } from "../ui/useThrottled";
import { addRecording } from "./addRecording";
import { hitAt, ROW, RULER, scrollToRow, tickOfX, type View } from "./layout";
import { paintArrangement } from "./paint";
import { TrackHead } from "./TrackHead";
import { BAR, type Stage, useClipGestures } from "./useClipGestures";
import { onClipKey } from "./useClipKeys";

const ZOOM = { min: 2, max: 400 };
/** Room after the end, to put things there, in quarter notes. */
const BEYOND = 32;

/** Tracks and clips over time. The canvas shows the part that is scrolled to; the playhead is an element of its own. */
export function Timeline({ spec, commands }: { spec: CompositionSpec; commands: Commands }) {
  const scroller = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const preview = useRef<CompositionSpec | null>(null);
  const theme = useCanvasTheme();
  const zoom = usePrefs((state) => state.arrangeZoom);
  const snap = usePrefs((state) => state.snap);
  const selected = useSelection(spec.id);
  const loop = {
    enabled: useTransport((transport) => transport.loop_enabled) ?? false,
    start: useTransport((transport) => transport.loop_start) ?? 0,
    end: useTransport((transport) => transport.loop_end) ?? 0,
  };
  const length = spec.length / PPQ + BEYOND;

  const view = useCallback((): View => ({
    scrollLeft: scroller.current?.scrollLeft ?? 0,
    scrollTop: scroller.current?.scrollTop ?? 0,
    pixelsPerBeat: prefs.getState().arrangeZoom,
  }), []);

  const { canvas, repaint } = usePaintedCanvas((on) =>
    paintArrangement(on, {
      spec: preview.current ?? spec, view: view(), snap, selectedTrack: selected.track, selectedClip: selected.clip, loop, theme,
      overview: (sample) => overviewOf(sample, repaint),
    }));

  const zoomBy = useCallback((factor: number, aroundX: number) => {
    const box = scroller.current;
    if (!box) return;
    const before = prefs.getState().arrangeZoom;
    const next = Math.min(ZOOM.max, Math.max(ZOOM.min, before * factor));
    const beat = (box.scrollLeft + aroundX) / before;
    setPrefs({ arrangeZoom: next });
    // What was under the pointer stays there; the new width must be laid out first.
    requestAnimationFrame(() => {
      box.scrollLeft = beat * next - aroundX;
      repaint();
    });
  }, [repaint]);

  const seek = useThrottled((tick: number) => commands.seek({ position_beats: tick / PPQ }));
  const sendLoop = useThrottled(({ from, to }: { from: number; to: number }) =>
    commands.changeLoop(() => ({ enabled: true, start_beats: from / PPQ, end_beats: to / PPQ })));
  const stage: Stage = {
    spec: shownComposition,
    view,
    snap: () => prefs.getState().snap,
    preview: (next) => {
      preview.current = next;
      repaint();
    },
    pan: (dx, dy) => scroller.current?.scrollBy(dx, dy),
    zoomBy,
    seek,
    setLoop: (from, to) => {
      if (to > from) sendLoop({ from, to });
    },
  };
  const gestures = useClipGestures(stage);

  const openOrMake = (trackId: string | null, tick: number) => {
    const found = findClip(spec, selection().clip);
    if (found) return setPrefs({ dock: "roll" });
    const id = newId();
    const start = snapTick(tick, prefs.getState().snap, true);
    const track = trackId ?? spec.tracks[0]?.id;
    if (track && edit(addClip(track, { id, start, length: BAR, notes: [], controls: [] }))) {
      select({ track, clip: id });
      setPrefs({ dock: "roll" });
    }
  };

  /** Keys lead on out of the picture: it follows. */
  const reveal = () => {
    const now = shownComposition();
    const row = now?.tracks.findIndex(({ id }) => id === selection().track) ?? -1;
    const [box, area] = [scroller.current, canvas.current];
    if (!now || row < 0 || !box || !area) return;
    box.scrollTo(scrollToRow(row, findClip(now, selection().clip)?.clip ?? null, now, view(), area.clientWidth, area.clientHeight));
  };

  const isPlaying = useTransport((transport) => transport.is_playing) ?? false;
  const beatsNow = useRef(0);
  usePlayhead(({ position_beats: beats }) => {
    beatsNow.current = beats;
    const box = scroller.current;
    if (!box || !head.current) return;
    const x = beats * prefs.getState().arrangeZoom;
    head.current.style.transform = `translateX(${x}px)`;
    const seen = (canvas.current?.clientWidth ?? 0) - 20;
    // A page further when it runs out of sight, unless somebody holds something.
    if (isPlaying && seen > 0 && (x > box.scrollLeft + seen || x < box.scrollLeft) && !gestures.isDragging()) box.scrollLeft = x - 20;
  });

  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const left = canvas.current?.getBoundingClientRect().left ?? 0;
      zoomBy(Math.exp(-event.deltaY / 300), event.clientX - left);
    };
    box.addEventListener("wheel", onWheel, { passive: false });
    const clear = setDropTarget((file, { clientX, clientY }) => {
      const area = canvas.current?.getBoundingClientRect();
      const now = shownComposition();
      if (!area || !now || clientX < area.left || clientX > area.right || clientY < area.top || clientY > area.bottom) return false;
      const hit = hitAt(clientX - area.left, clientY - area.top, now, view(), false);
      const track = hit.kind === "ruler" ? null : hit.track;
      void addRecording(file, track?.id ?? null, snapTick(tickOfX(clientX - area.left, view()), prefs.getState().snap));
      return true;
    });
    return () => {
      box.removeEventListener("wheel", onWheel);
      clear();
    };
  }, [canvas, view, zoomBy]);

  const found = findClip(spec, selected.clip);
  const said = found
    ? `${isAudio(found.clip) ? "Recording" : `Clip of ${found.clip.notes.length} notes`} on ${found.track.name}, from ` +
      `${formatBars(found.clip.start / PPQ, spec.time_signatures)} to ` +
      formatBars((found.clip.start + lengthOf(found.clip, spec.tempo)) / PPQ, spec.time_signatures)
    : "No clip is selected";

  return (
    <>
      <div
        ref={scroller}
        className="timeline"
        onScroll={() => repaint()}
        style={{ "--row": `${ROW}px`, "--ruler": `${RULER}px` } as React.CSSProperties}
      >
        <div className="timeline-inner" style={{ "--length": `${length * zoom}px`, minHeight: RULER + spec.tracks.length * ROW } as React.CSSProperties}>
          <div className="heads" role="list" aria-label="Tracks">
            <div className="heads-corner" role="presentation" />
            {spec.tracks.map((track, idx) => (
              <TrackHead key={track.id} idx={idx} track={track} isSelected={track.id === selected.track} />
            ))}
          </div>
          <canvas
            ref={canvas}
            className="timeline-canvas"
            data-testid="arrangement"
            data-zoom={zoom}
            tabIndex={0}
            role="application"
            aria-label="Arrangement"
            aria-roledescription="timeline"
            aria-describedby="arrangement-said"
            onPointerDown={gestures.onPointerDown}
            onPointerMove={gestures.onPointerMove}
            onPointerUp={gestures.onPointerUp}
            onPointerCancel={gestures.onPointerCancel}
            onDoubleClick={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              const [x, y] = [event.clientX - box.left, event.clientY - box.top];
              const hit = hitAt(x, y, spec, view(), false);
              if (hit.kind === "clip") setPrefs({ dock: "roll" });
              else if (hit.kind === "lane" && hit.track) openOrMake(hit.track.id, tickOfX(x, view()));
            }}
            onKeyDown={(event) => {
              onClipKey(event, {
                spec, snap,
                onEnter: () => openOrMake(selection().track, beatsNow.current * PPQ),
                onEscape: () => (gestures.isDragging() ? gestures.cancel() : select({ clip: null })),
              });
              if (event.defaultPrevented) reveal();
            }}
          />
          <div ref={head} className="timeline-head" aria-hidden="true" />
        </div>
      </div>
      <p id="arrangement-said" className="visually-hidden" aria-live="polite" data-testid="arrangement-said">
        {said}
      </p>
    </>
  );
}
