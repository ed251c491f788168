import { Dialog } from "radix-ui";
import { Icon } from "./Icon";

type Key = readonly [keys: string, does: string];

const GROUPS: readonly (readonly [where: string, keys: readonly Key[]])[] = [
  ["Everywhere", [
    ["Space", "play or pause"],
    ["Home", "to the start"],
    ["← →", "a beat back or on"],
    ["L", "loop on or off"],
    ["C", "metronome (click) on or off"],
    ["R", "record, and stop recording"],
    ["K", "keys play: A W S E D …, Z and X for the octave, and MIDI keyboards"],
    ["M, S", "mute, solo the selected track"],
    ["Ctrl+Z", "undo; with Shift redo"],
    ["1 … 4", "the views"],
    ["?", "this list"],
  ]],
  ["Arrangement", [
    [", .", "the clip before, the next clip"],
    ["← →", "move the clip by the grid; with Shift its end"],
    ["↑ ↓", "to the track above or below; without a clip: select a track"],
    ["Ctrl+D", "duplicate; dragging with Alt copies too"],
    ["B", "split the clip at the playhead"],
    ["I, O", "a recording’s fade in, fade out longer; with Shift shorter"],
    ["Enter", "open the clip, or make one at the playhead"],
    ["Delete", "delete the clip"],
    ["Ctrl+wheel", "zoom"],
  ]],
  ["Notes", [
    [", .", "the note before, the next note"],
    ["← →", "move by the grid; with Shift the length"],
    ["↑ ↓", "a semitone; with Shift an octave, with Alt the velocity"],
    ["Enter", "a note behind the selected one, or at the playhead"],
    ["Ctrl+A, Ctrl+D", "select all, duplicate"],
    ["Delete", "delete"],
    ["Ctrl+Alt+wheel", "height of the keys"],
  ]],
  ["Faders and fields", [
    ["↑ ↓", "fader: 0.5 dB, with Shift 0.1 dB; fields: one step, with Shift ten"],
    ["Page ↑ ↓", "fader: 3 dB; seek bar: four beats"],
    ["Double-click", "fader to 0 dB, pan to the centre"],
  ]],
];

/** The keys. */
export function Help({ isOpen, onOpenChange }: { isOpen: boolean; onOpenChange: (isOpen: boolean) => void }) {
  return (
    <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
      <Dialog.Trigger className="button icon-button help" aria-label="Keys" title="Keys (?)">
        <Icon name="help" />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="dialog-back" />
        <Dialog.Content className="dialog dialog-keys" aria-describedby={undefined}>
          <Dialog.Title>Keys</Dialog.Title>
          <div className="keys-groups">
            {GROUPS.map(([where, keys]) => (
              <section key={where} aria-label={where}>
                <h3 className="keys-where">{where}</h3>
                <dl className="keys">
                  {keys.map(([key, does]) => (
                    <div key={key}>
                      <dt>
                        <kbd>{key}</kbd>
                      </dt>
                      <dd>{does}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            ))}
          </div>
          <Dialog.Close className="button">Close</Dialog.Close>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
