import { Toggle, ToggleGroup } from "radix-ui";
import { useState } from "react";
import { useStore } from "zustand";
import { useIsLive } from "../app/hooks";
import { type Prefs, setPrefs, usePrefs } from "../app/prefs";
import type { Commands } from "../app/useCommands";
import { NOTHING_LOADED, useComposition } from "../app/useComposition";
import { edit, redo, steps, undo } from "../edit/editor";
import { addTrack, findClip, isAudio, newTrack } from "../edit/model";
import { select, useSelection } from "../edit/selection";
import { SNAPS } from "../lib/grid";
import { MixerPanel } from "../mixer/Mixer";
import { PianoRoll } from "../roll/PianoRoll";
import { Icon } from "../ui/Icon";
import { splitAtPlayhead } from "./split";
import { Timeline } from "./Timeline";

/** Tracks and clips, with the notes of a clip or the mixer below. */
export function ArrangeView({ commands }: { commands: Commands }) {
  const spec = useComposition();
  const dock = usePrefs((state) => state.dock);
  const [isDrawing, setDrawing] = useState(false);
  const { clip: clipId } = useSelection(spec?.id);
  if (!spec) {
    return <p className="empty">{NOTHING_LOADED}</p>;
  }
  const found = findClip(spec, clipId);
  return (
    <div className="arrange" data-dock={dock}>
      <Toolbar isDrawing={isDrawing} onDrawing={setDrawing} />
      <Timeline spec={spec} commands={commands} />
      {dock === "mixer" && (
        <div className="dock dock-mixer">
          <MixerPanel />
        </div>
      )}
      {dock === "roll" && (
        <section className="dock" aria-label="Notes">
          {found && !isAudio(found.clip) ? (
            <PianoRoll spec={spec} track={found.track} clip={found.clip} isDrawing={isDrawing} commands={commands} />
          ) : (
            <p className="empty">
              {found && "A recording has no notes. "}
              {spec.tracks.length === 0
                ? "There is no track yet: add one with + Track above."
                : "Select a clip to see its notes; double-click a track’s row (or press Enter) to make one."}
            </p>
          )}
        </section>
      )}
    </div>
  );
}

const DOCKS: readonly (readonly [dock: Prefs["dock"], label: string])[] = [["roll", "Notes"], ["mixer", "Mixer"], ["none", "None"]];

function Toolbar({ isDrawing, onDrawing }: { isDrawing: boolean; onDrawing: (isDrawing: boolean) => void }) {
  const spec = useComposition();
  const isLive = useIsLive();
  const snap = usePrefs((state) => state.snap);
  const dock = usePrefs((state) => state.dock);
  const { canUndo, canRedo } = useStore(steps);
  // `aria-disabled`: a button that is disabled under the focus would swallow the keys that follow.
  const addOne = () => {
    if (!spec) return;
    const track = newTrack(spec);
    if (edit(addTrack(track))) select({ track: track.id, clip: null });
  };
  return (
    <div className="toolbar" role="toolbar" aria-label="Editing">
      <button type="button" className="button" disabled={!isLive} data-testid="add-track" onClick={addOne}>
        <Icon name="plus" />
        <span>Track</span>
      </button>
      <button type="button" className="button icon-button" aria-label="Undo" title="Undo (Ctrl+Z)" aria-disabled={!isLive || !canUndo} data-testid="undo" onClick={undo}>
        <Icon name="undo" />
      </button>
      <button type="button" className="button icon-button" aria-label="Redo" title="Redo (Ctrl+Shift+Z)" aria-disabled={!isLive || !canRedo} data-testid="redo" onClick={redo}>
        <Icon name="redo" />
      </button>
      <Toggle.Root className="button toggle" pressed={isDrawing} data-testid="draw" title="Draw notes with the pointer; off: select them" onPressedChange={onDrawing}>
        Draw
      </Toggle.Root>
      <button type="button" className="button" disabled={!isLive} data-testid="split" title="Split the clip at the playhead (B)" onClick={splitAtPlayhead}>
        Split
      </button>
      <label className="toolbar-field">
        Snap
        <select className="select" value={snap} data-testid="snap" onChange={(event) => setPrefs({ snap: Number(event.target.value) })}>
          {SNAPS.map(([beats, label]) => (
            <option key={beats} value={beats}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <Zoom label="arrangement" caption="Zoom" name="arrangeZoom" min={2} max={400} />
      {dock === "roll" && <Zoom label="notes" caption="Notes" name="rollZoom" min={8} max={600} />}
      <ToggleGroup.Root
        type="single"
        className="segments toolbar-end"
        aria-label="Below the arrangement"
        value={dock}
        onValueChange={(value) => value && setPrefs({ dock: value as Prefs["dock"] })}
      >
        {DOCKS.map(([id, label]) => (
          <ToggleGroup.Item key={id} className="segment" value={id} data-testid={`dock-${id}`}>
            {label}
          </ToggleGroup.Item>
        ))}
      </ToggleGroup.Root>
    </div>
  );
}

interface ZoomProps {
  label: string;
  /** What is seen of it. */
  caption: string;
  name: "arrangeZoom" | "rollZoom";
  min: number;
  max: number;
}

function Zoom({ label, caption, name, min, max }: ZoomProps) {
  const zoom = usePrefs((state) => state[name]);
  const by = (factor: number) => setPrefs({ [name]: Math.min(max, Math.max(min, zoom * factor)) });
  return (
    <div className="zoom" role="group" aria-label={`Zoom of the ${label}`} title="Ctrl and wheel, or two fingers, zoom too">
      <span className="field-label" aria-hidden="true">{caption}</span>
      <button type="button" className="button icon-button" aria-label={`Zoom out, ${label}`} data-testid={`zoom-out-${name}`} onClick={() => by(1 / 1.4)}>
        <Icon name="minus" />
      </button>
      <button type="button" className="button icon-button" aria-label={`Zoom in, ${label}`} data-testid={`zoom-in-${name}`} onClick={() => by(1.4)}>
        <Icon name="plus" />
      </button>
    </div>
  );
}
