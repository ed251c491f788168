// The colours of a contrast theme. The browser gives them to a page's boxes and words; pictures have to ask for them.

/** Whether the system forces its colours on pages, as a media query. */
export const FORCED_COLORS = "(forced-colors: active)";

/** What colours of CSS, such as `Highlight`, are inside of `parent`: contexts of workers do not know the system's by name. */
export function computedColors<K extends string>(colors: Record<K, string>, parent: ParentNode): Record<K, string> {
  const probe = document.createElement("span");
  probe.style.setProperty("forced-color-adjust", "none");
  parent.append(probe);
  const style = getComputedStyle(probe);
  const computed = Object.entries<string>(colors).map(([name, color]) => {
    probe.style.color = color;
    return [name, style.color];
  });
  probe.remove();
  return Object.fromEntries(computed) as Record<K, string>;
}
