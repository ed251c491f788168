import { useStream } from "antiphon/react";
import { useSession } from "../app/hooks";
import { formatHz } from "../lib/format";
import { formatNote } from "../lib/notes";
import { Panel } from "../ui/Panel";

const PITCH_CLASSES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"] as const;

export function MusicPanel() {
  return (
    <Panel title="Music" className="panel-music">
      {(isShown) => <Values isShown={isShown} />}
    </Panel>
  );
}

/** Twice a second: faster, nobody could read it. */
function Values({ isShown }: { isShown: boolean }) {
  const tap = useSession((state) => state.tap);
  const { frame } = useStream("music", { tap, fps: 2, reactive: { fps: 2 }, enabled: isShown });
  const pitch = frame?.pitch_hz ?? null;
  const percent = (share: number | undefined) => (share === undefined ? "" : `${Math.round(100 * Math.max(0, share))} % sure`);
  return (
    <div className="music" data-testid="music">
      <dl className="numbers">
        <div>
          <dt>Key</dt>
          <dd>{frame?.key_name || "–"} <small>{frame?.key ? percent(frame.key_strength) : ""}</small></dd>
        </div>
        <div>
          <dt>Tempo</dt>
          <dd>{frame?.bpm ? `${frame.bpm.toFixed(1)} bpm` : "–"} <small>{frame?.bpm ? percent(frame.bpm_strength) : ""}</small></dd>
        </div>
        <div>
          <dt>Pitch</dt>
          <dd data-testid="pitch">{pitch ? `${formatNote(pitch)}, ${formatHz(pitch)}` : "–"}</dd>
        </div>
        <div>
          <dt>Tuning</dt>
          <dd>{frame?.key ? `${frame.tuning_cents.toFixed(0).replace("-", "\u2212")} cents` : "–"}</dd>
        </div>
        <div>
          <dt>Onsets</dt>
          <dd>{frame?.n_onsets ?? "–"}</dd>
        </div>
      </dl>
      <div className="chroma" role="img" aria-label="Strength of the twelve pitch classes">
        {PITCH_CLASSES.map((name, idx) => (
          <span key={name}>
            <i style={{ height: `${100 * (frame?.chroma[idx] ?? 0)}%` }} />
            {name}
          </span>
        ))}
      </div>
    </div>
  );
}
