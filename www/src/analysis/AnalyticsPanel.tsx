import type { FrameOf } from "antiphon";
import { useAnalyticsWebsocket } from "antiphon/react";
import { formatBytes, formatCount } from "../lib/format";
import { Panel } from "../ui/Panel";

type Analytics = FrameOf<"analytics">;

const ROWS: readonly (readonly [label: string, title: string, text: (frame: Analytics) => string])[] = [
  ["CPU", "Share of one core", (frame) => `${(frame.cpu_usage * 100).toFixed(1)} %`],
  ["Memory", "Memory in use", (frame) => formatBytes(frame.memory_usage)],
  ["Voices", "Voices that sound", (frame) => String(frame.active_voices)],
  ["Tracks", "Tracks of the composition", (frame) => String(frame.active_tracks)],
  ["Xruns", "Callbacks that came too late", (frame) => formatCount(frame.xruns)],
  ["Latency", "From the engine to the loudspeaker", (frame) => `${frame.latency_ms.toFixed(1)} ms`],
  ["Rate", "Sample rate", (frame) => `${frame.sample_rate / 1000} kHz`],
  ["Buffer", "Frames in one call of the sound card", (frame) => String(frame.buffer_size)],
  ["Clients", "Stream connections", (frame) => String(frame.clients)],
  ["Sent", "Frames sent since the start", (frame) => formatCount(frame.frames_sent)],
  ["Merged", "Frames merged because a client was slow", (frame) => formatCount(frame.frames_merged)],
  ["Device", "What plays", (frame) => frame.device || "–"],
];

export function AnalyticsPanel() {
  return (
    <Panel title="Engine" className="panel-analytics">
      {(isShown) => <Values isShown={isShown} />}
    </Panel>
  );
}

function Values({ isShown }: { isShown: boolean }) {
  const { frame } = useAnalyticsWebsocket({ fps: 2, reactive: { fps: 2 }, enabled: isShown });
  return (
    <dl className="numbers analytics" data-testid="analytics" tabIndex={0} aria-label="Numbers of the engine">
      {ROWS.map(([label, title, text]) => (
        <div key={label} title={title}>
          <dt>{label}</dt>
          <dd>{frame ? text(frame) : "–"}</dd>
        </div>
      ))}
    </dl>
  );
}
