import { Toggle } from "radix-ui";
import { useStore } from "zustand";
import { useIsReady, useSession, useTransport } from "../app/hooks";
import { keys, toggleKeys } from "../app/play";
import { setPrefs, usePrefs } from "../app/prefs";
import type { Commands } from "../app/useCommands";
import { Icon } from "../ui/Icon";

/** Record, count-in, and keys that play. */
export function Recording({ commands }: { commands: Commands }) {
  const isReady = useIsReady();
  const isServer = useSession((state) => state.mode === "server");
  const isRecording = useTransport((transport) => transport.is_recording) ?? false;
  const countIn = usePrefs((state) => state.countIn);
  const { isOn, octave } = useStore(keys);
  return (
    <>
      <button
        type="button"
        className="button icon-button record"
        aria-label={isRecording ? "Stop recording" : "Record"}
        aria-pressed={isRecording}
        title={isServer ? "Record to the armed, else the selected track (R)" : "Recording needs a server"}
        data-testid="record"
        disabled={!isReady || !isServer}
        onClick={commands.toggleRecord}
      >
        <Icon name="record" />
      </button>
      <select
        className="select count-in"
        aria-label="Count-in, bars"
        title="Bars of clicks before a recording"
        value={countIn}
        disabled={!isServer}
        data-testid="count-in"
        onChange={(event) => setPrefs({ countIn: Number(event.target.value) })}
      >
        {[0, 1, 2, 4].map((bars) => (
          <option key={bars} value={bars}>
            {bars}
          </option>
        ))}
      </select>
      <Toggle.Root
        className="button icon-button toggle"
        pressed={isOn}
        aria-label={isOn ? `Keys play, octave ${octave}` : "Play with keys"}
        title="The computer’s keys A W S E D … and MIDI keyboards play the armed, else the selected track; Z and X change the octave (K)"
        data-testid="keys"
        onPressedChange={toggleKeys}
      >
        <Icon name="keyboard" />
      </Toggle.Root>
    </>
  );
}
