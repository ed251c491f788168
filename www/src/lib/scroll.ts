/**
 * Where to scroll so that what lies between `from` and `to` is seen in a window of `size` pixels: as little as it
 * takes, and nowhere when more than `margin` pixels of it are in the window already.
 */
export function scrollToShow(scroll: number, from: number, to: number, size: number, margin: number): number {
  if (to <= scroll + margin) return Math.max(0, from - margin);
  if (from >= scroll + size - margin) return Math.max(0, Math.min(from - margin, to + margin - size));
  return scroll;
}
