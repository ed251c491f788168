/** A part of the page that takes dropped files for itself. */
export type DropTarget = (file: File, at: { clientX: number; clientY: number }) => boolean;

let target: DropTarget | null = null;

/** Asks `next` first, until the returned function is called. */
export function setDropTarget(next: DropTarget): () => void {
  target = next;
  return () => {
    if (target === next) target = null;
  };
}

/** Whether somebody took the file. */
export const dropOnTarget: DropTarget = (file, at) => target?.(file, at) ?? false;
