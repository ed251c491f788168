import type { Track } from "antiphon";
import { useComposition } from "../app/useComposition";
import { edit } from "../edit/editor";
import { addBus, setSend } from "../edit/model";
import { newId } from "../lib/ids";
import { NumberField } from "../ui/NumberField";

/** How much of a track goes to each bus. */
export function Sends({ track }: { track: Track }) {
  const buses = useComposition()?.buses ?? [];
  return (
    <fieldset>
      <legend>Sends</legend>
      {buses.map(({ id, name }) => {
        const send = track.sends.find(({ bus }) => bus === id);
        return (
          <div key={id} className="send">
            <label className="check">
              <input
                type="checkbox"
                checked={send !== undefined}
                onChange={(event) => edit(setSend(track.id, id, event.target.checked ? -12 : null))}
              />
              {name}
            </label>
            <NumberField
              label={`Send to ${name}`}
              unit="dB"
              value={send?.gain_db ?? -120}
              min={-120}
              max={12}
              step={1}
              digits={1}
              disabled={!send}
              testId="send-gain"
              onCommit={(gain_db) => edit(setSend(track.id, id, gain_db))}
            />
          </div>
        );
      })}
      <button
        type="button"
        className="button small"
        data-testid="add-reverb"
        onClick={() => {
          const id = newId();
          edit((spec) => {
            const withBus = addBus(id)(spec);
            return withBus && setSend(track.id, id, -12)(withBus);
          });
        }}
      >
        Add a reverb
      </button>
    </fieldset>
  );
}
