import { useState } from "react";
import { useSession } from "../app/hooks";

/** Starts and ends the recorder of the engine in this browser, which measures every tap and so is off at first. */
export function LocalRecorder() {
  const local = useSession((state) => state.local);
  const [isOn, setOn] = useState(local?.recorder.isOn ?? false);
  const toggle = () => {
    if (!local) return;
    if (local.recorder.isOn) local.recorder.stop();
    else local.recorder.start();
    setOn(local.recorder.isOn);
  };
  return (
    <button
      type="button"
      className="button small toggle"
      data-state={isOn ? "on" : "off"}
      aria-pressed={isOn}
      data-testid="recorder-record"
      onClick={toggle}
    >
      Record
    </button>
  );
}
