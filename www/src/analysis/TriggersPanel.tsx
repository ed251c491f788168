import { useStore } from "zustand";
import { Panel } from "../ui/Panel";
import { Choice } from "./Choice";
import { analysis, type TriggerSettings, useAnalysis } from "./settings";
import { clearTriggers, triggerLog } from "./triggers";

const set = (change: Partial<TriggerSettings>) =>
  analysis.setState(({ triggers }) => ({ triggers: { ...triggers, ...change } }));

/** What the page tells of by itself, and what it has told. */
export function TriggersPanel() {
  const settings = useAnalysis((state) => state.triggers);
  const events = useStore(triggerLog, (state) => state.events);
  const actions = (
    <button type="button" className="button small" disabled={events.length === 0} onClick={clearTriggers}>
      Clear list
    </button>
  );
  return (
    <Panel title="Triggers" className="panel-triggers" actions={actions}>
      {() => (
        <div className="triggers">
          <fieldset className="trigger-rules">
            <legend>Tell me when it</legend>
            <Check name="clip" label="clips" settings={settings} />
            <div className="trigger-rule">
              <Check name="silence" label="is silent for" settings={settings} />
              <Choice
                label="Length of the silence"
                testId="triggers-seconds"
                value={settings.silenceSeconds}
                options={[[1, "1 s"], [5, "5 s"], [15, "15 s"], [60, "60 s"]]}
                onChange={(silenceSeconds) => set({ silenceSeconds })}
              />
            </div>
            <div className="trigger-rule">
              <Check name="loudness" label="reaches" settings={settings} />
              <Choice
                label="Loudness to reach"
                value={settings.aboveLufs}
                testId="trigger-lufs"
                options={[[-40, "−40 LUFS"], [-30, "−30 LUFS"], [-23, "−23 LUFS"], [-18, "−18 LUFS"], [-14, "−14 LUFS"], [-9, "−9 LUFS"]]}
                onChange={(aboveLufs) => set({ aboveLufs })}
              />
              <Choice
                label="Kind of loudness"
                value={settings.measure}
                options={[["momentary", "momentary"], ["short_term", "short-term"], ["integrated", "integrated"]]}
                onChange={(measure) => set({ measure })}
              />
            </div>
          </fieldset>
          <ol className="trigger-log" data-testid="trigger-log" tabIndex={0} aria-label="What happened, newest first">
            {events.map(({ id, at, text }) => (
              <li key={id}>
                <time dateTime={at.toISOString()}>{at.toLocaleTimeString()}</time> {text}
              </li>
            ))}
            {events.length === 0 && <li className="trigger-none">Nothing has happened yet.</li>}
          </ol>
        </div>
      )}
    </Panel>
  );
}

function Check({ name, label, settings }: { name: "clip" | "silence" | "loudness"; label: string; settings: TriggerSettings }) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={settings[name]}
        data-testid={`trigger-${name}`}
        onChange={({ target }) => set({ [name]: target.checked })}
      />
      {label}
    </label>
  );
}
