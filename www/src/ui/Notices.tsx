import { useStore } from "zustand";
import { Icon } from "./Icon";
import { dismiss, notices } from "../app/notices";

export function Notices() {
  const list = useStore(notices, (state) => state.list);
  return (
    <div className="notices" aria-live="polite" data-testid="notices">
      {list.map(({ id, kind, title, detail, hint, action }) => (
        <div key={id} className="notice" data-kind={kind} role={kind === "error" ? "alert" : "status"}>
          <p>
            <strong>{title}</strong>
            {detail && <span className="notice-detail">{detail}</span>}
            {hint && <span className="notice-hint">{hint}</span>}
          </p>
          {action && (
            <button
              type="button"
              className="button"
              onClick={() => {
                dismiss(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" className="button icon-button" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
