/** Where nothing is known yet. */
export const UNKNOWN = "–";

/** Changes the one text that React made of an element, past React: no node is removed or styled again. */
export function writeText(element: HTMLElement | null | undefined, text: string): void {
  const node = element?.firstChild;
  if (node instanceof Text && node.data !== text) node.data = text;
}
