import { useEffect, useState } from "react";
import { opensOnServer } from "../app/input";
import { dropOnTarget } from "./dropTarget";
import { openFiles } from "./openFiles";

/** Files may be dropped anywhere on the page. */
export function DropZone() {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    // Each element that the pointer crosses reports enter and leave: only the last leave is out of the page.
    let depth = 0;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const onEnter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth++;
      setOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const onOver = (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault();
    };
    const onDrop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length !== 1 || !dropOnTarget(files[0]!, event)) openFiles(files);
    };
    addEventListener("dragenter", onEnter);
    addEventListener("dragleave", onLeave);
    addEventListener("dragover", onOver);
    addEventListener("drop", onDrop);
    return () => {
      removeEventListener("dragenter", onEnter);
      removeEventListener("dragleave", onLeave);
      removeEventListener("dragover", onOver);
      removeEventListener("drop", onDrop);
    };
  }, []);

  return isOver ? (
    <div className="drop" aria-hidden="true">
      <p>
        {opensOnServer()
          ? "Drop an audio or MIDI file: the server makes a composition of it, and plays it"
          : "Drop an audio file to measure it, or a MIDI file to play it, in this browser"}
        ; several files for a report of them all
      </p>
    </div>
  ) : null;
}
