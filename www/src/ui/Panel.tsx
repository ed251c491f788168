import { type ReactNode, useId, useRef } from "react";
import { useIsVisible } from "../app/hooks";
import { prefs, usePrefs } from "../app/prefs";
import { Icon } from "./Icon";

interface PanelProps {
  title: string;
  className: string;
  /** Controls in the head, shown while the panel is open. */
  actions?: ReactNode;
  /** The body; `isShown` is false while nobody can see it, and then its streams should end. */
  children: (isShown: boolean) => ReactNode;
}

/** A titled part of the page that can be folded, and stays so. Named by its class. */
export function Panel({ title, className, actions, children }: PanelProps) {
  const isOpen = usePrefs((state) => !state.folded[className]);
  const ref = useRef<HTMLElement>(null);
  const isVisible = useIsVisible(ref);
  const id = useId();
  return (
    <section ref={ref} className={`panel ${className}`} aria-labelledby={`${id}-title`} data-open={isOpen}>
      <header className="panel-head">
        <button
          type="button"
          className="panel-fold"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => prefs.setState(({ folded }) => ({ folded: { ...folded, [className]: isOpen } }))}
        >
          <Icon name="chevron" />
          <h2 id={`${id}-title`} title={title}>{title}</h2>
        </button>
        {isOpen && actions}
      </header>
      <div id={id} className="panel-body" hidden={!isOpen}>
        {isOpen && children(isVisible)}
      </div>
    </section>
  );
}
