import { Dialog } from "radix-ui";
import { Icon } from "./Icon";

const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ["Space", "play or pause"],
  ["Home", "to the start"],
  ["L", "loop on or off"],
  ["M", "metronome on or off"],
  ["← →", "seek bar: a beat; spectrum: a semitone"],
  ["Page ↑ ↓", "seek bar: four beats; fader: 3 dB"],
  ["↑ ↓", "fader: 0.5 dB, with Shift 0.1 dB; fields: one step, with Shift ten"],
  ["Double-click", "fader to 0 dB, pan to the centre"],
  ["?", "this list"],
];

/** The keys. */
export function Help({ isOpen, onOpenChange }: { isOpen: boolean; onOpenChange: (isOpen: boolean) => void }) {
  return (
    <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
      <Dialog.Trigger className="button icon-button" aria-label="Keys" title="Keys (?)">
        <Icon name="help" />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="dialog-back" />
        <Dialog.Content className="dialog" aria-describedby={undefined}>
          <Dialog.Title>Keys</Dialog.Title>
          <dl className="keys">
            {KEYS.map(([keys, does]) => (
              <div key={keys}>
                <dt>
                  <kbd>{keys}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
          <Dialog.Close className="button">Close</Dialog.Close>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
