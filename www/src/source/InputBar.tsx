import { type ChangeEvent, useId } from "react";
import { useStore } from "zustand";
import { useQuery } from "@tanstack/react-query";
import { serverComposition } from "../app/compositions";
import { useSession } from "../app/hooks";
import { closeInput, input, openMicrophone, openTab, playFile, stopFile } from "../app/input";
import { choices, choose } from "../app/session";
import { formatTime } from "../lib/format";
import { openFiles } from "./openFiles";
import { Icon } from "../ui/Icon";

/** What the browser's engine plays and measures: a composition, a file, the microphone. */
export function InputBar() {
  const mode = useSession((state) => state.mode);
  const isOpening = useStore(input, (state) => state.isOpening);
  const current = useStore(input, (state) => state.input);
  const fileId = useId();

  const onFile = (event: ChangeEvent<HTMLInputElement>) => {
    const files = [...(event.target.files ?? [])];
    // The same file may be chosen again.
    event.target.value = "";
    openFiles(files);
  };

  return (
    <div className="inputs" role="group" aria-label="What this browser plays" data-busy={isOpening}>
      {mode === "browser" && <CompositionSelect />}
      <input
        id={fileId}
        className="visually-hidden"
        type="file"
        multiple
        accept="audio/*,.mid,.midi,.flac,.wav,.mp3,.ogg,.opus,.m4a"
        data-testid="input-file"
        onChange={onFile}
      />
      <label className="button" htmlFor={fileId} title="An audio or MIDI file, or several for a report of them all; dropping them on the page works too">
        <Icon name="file" />
        <span>Open file</span>
      </label>
      <CaptureButton kind="microphone" label="Microphone" onOpen={openMicrophone} />
      <CaptureButton kind="tab" label="Tab audio" onOpen={openTab} />
      {current.kind === "file" && (
        <div className="opened-file" role="group" aria-label="Opened file" data-testid="opened-file">
          <button
            type="button"
            className="button icon-button"
            aria-label={current.isPlaying ? "Stop the file" : "Play the file"}
            data-testid="file-play"
            onClick={current.isPlaying ? stopFile : playFile}
          >
            <Icon name={current.isPlaying ? "stop" : "play"} />
          </button>
          <span className="opened-name" title={current.name}>
            {current.name}
          </span>
          <span className="opened-time">{formatTime(Math.round(current.seconds)).replace(/\.\d+$/, "")}</span>
          <button type="button" className="button icon-button" aria-label="Close the file" onClick={closeInput}>
            <Icon name="close" />
          </button>
        </div>
      )}
      {(current.kind === "microphone" || current.kind === "tab") && <span className="opened-name">{current.name}</span>}
    </div>
  );
}

interface CaptureProps {
  kind: "microphone" | "tab";
  label: string;
  onOpen: () => Promise<void>;
}

/** Opens a capture, and ends it. */
function CaptureButton({ kind, label, onOpen }: CaptureProps) {
  const isOpening = useStore(input, (state) => state.isOpening);
  const isOpen = useStore(input, (state) => state.input.kind === kind);
  return (
    <button
      type="button"
      className={`button capture ${isOpen ? "active" : ""}`}
      data-testid={kind === "tab" ? "input-tab" : "input-mic"}
      aria-pressed={isOpen}
      aria-label={label}
      disabled={isOpening && !isOpen}
      title={isOpen ? `Stop: ${label}` : `${label}: measured in this browser; nothing is sent anywhere`}
      onClick={isOpen ? closeInput : () => void onOpen()}
    >
      <Icon name={isOpen ? "stop" : kind === "tab" ? "screen" : "microphone"} />
      <span className="capture-label">{label}</span>
    </button>
  );
}

function CompositionSelect() {
  const choiceId = useSession((state) => state.choiceId);
  const isSwitching = useSession((state) => state.isSwitching);
  // Both decide what there is to choose from.
  useSession((state) => state.opened);
  useQuery({ ...serverComposition, enabled: false });
  return (
    <select
      className="select"
      aria-label="Composition"
      data-testid="composition"
      value={choiceId ?? ""}
      disabled={isSwitching}
      onChange={(event) => void choose(event.target.value)}
    >
      {choices().map(({ id, label }) => (
        <option key={id} value={id}>
          {label}
        </option>
      ))}
    </select>
  );
}
