import type { Track } from "antiphon";
import { Dialog } from "radix-ui";
import { useState } from "react";
import { useIsLive } from "../app/hooks";
import { notify } from "../app/notices";
import { edit, undo } from "../edit/editor";
import { COLOURS, patchTrack, removeTrack } from "../edit/model";
import { INSTRUMENTS } from "../lib/instruments";
import { Icon } from "../ui/Icon";
import { Sends } from "./Sends";

const DRUMS = "drums";

/** Name, colour, instrument, sends; and the way out. */
export function TrackMenu({ track, testId }: { track: Track; testId: string }) {
  const isLive = useIsLive();
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger className="button track-menu" aria-label={`Settings of ${track.name}`} title="Name, colour, instrument, sends" disabled={!isLive} data-testid={testId}>
        …
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="dialog-back" />
        <Dialog.Content className="dialog" aria-describedby={undefined}>
          <Dialog.Title>{track.name}</Dialog.Title>
          <Settings track={track} />
          <div className="dialog-buttons">
            <button
              type="button"
              className="button danger"
              data-testid="track-delete"
              onClick={() => {
                setOpen(false);
                if (edit(removeTrack(track.id))) notify("info", `${track.name} was deleted`, "", { label: "Undo", run: undo, isUndo: true });
              }}
            >
              <Icon name="trash" />
              Delete track
            </button>
            <Dialog.Close className="button">Close</Dialog.Close>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Settings({ track }: { track: Track }) {
  const [name, setName] = useState(track.name);
  const { program, drums, zones } = track.instrument;
  const commitName = () => {
    const next = name.trim().slice(0, 200);
    if (next && next !== track.name) edit(patchTrack(track.id, { name: next }));
    else setName(track.name);
    if (next === "") notify("info", `${track.name} keeps its name`, "A track needs one.");
  };
  return (
    <div className="fields">
      <label>
        Name
        <input
          className="text-field"
          value={name}
          maxLength={200}
          data-testid="track-name"
          onChange={(event) => setName(event.target.value)}
          onBlur={commitName}
          onKeyDown={(event) => event.key === "Enter" && commitName()}
        />
      </label>
      <fieldset>
        <legend>Colour</legend>
        <div className="swatches">
          {COLOURS.map((color, idx) => (
            <button
              key={color}
              type="button"
              className="swatch"
              style={{ background: color }}
              aria-label={`Colour ${idx + 1}`}
              aria-pressed={track.color === color}
              onClick={() => edit(patchTrack(track.id, { color }))}
            />
          ))}
          <input
            type="color"
            aria-label="Another colour"
            value={track.color}
            onChange={(event) => edit(patchTrack(track.id, { color: event.target.value }))}
          />
        </div>
      </fieldset>
      <label>
        Instrument
        <select
          className="select"
          value={drums ? DRUMS : program}
          data-testid="track-instrument"
          onChange={({ target: { value } }) =>
            edit(patchTrack(track.id, { instrument: { program: value === DRUMS ? 0 : Number(value), drums: value === DRUMS, zones: [] } }))}
        >
          <option value={DRUMS}>Drum kit</option>
          {INSTRUMENTS.map(({ name: family, programs }) => (
            <optgroup key={family} label={family}>
              {programs.map((one) => (
                <option key={one.program} value={one.program}>
                  {one.name}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      {zones.length > 0 && <p className="hint">It plays {zones.length} samples of its own; another instrument replaces them.</p>}
      <Sends track={track} />
    </div>
  );
}
