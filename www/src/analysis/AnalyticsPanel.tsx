import type { FrameOf } from "antiphon";
import { useAnalyticsWebsocket } from "antiphon/react";
import { useEffect } from "react";
import { formatBytes, formatCount } from "../lib/format";
import { type NumberRow, useNumbers } from "../ui/Numbers";
import { Panel } from "../ui/Panel";

type Analytics = FrameOf<"analytics">;

const ROWS: readonly NumberRow<Analytics>[] = [
  { label: "CPU", title: "Share of one core", text: (frame) => `${(frame.cpu_usage * 100).toFixed(1)} %` },
  { label: "Memory", title: "Memory in use", text: (frame) => formatBytes(frame.memory_usage) },
  { label: "Voices", title: "Voices that sound", text: (frame) => String(frame.active_voices) },
  { label: "Tracks", title: "Tracks of the composition", text: (frame) => String(frame.active_tracks) },
  { label: "Xruns", title: "Callbacks that came too late", text: (frame) => formatCount(frame.xruns) },
  { label: "Latency", title: "From the engine to the loudspeaker", text: (frame) => `${frame.latency_ms.toFixed(1)} ms` },
  { label: "Rate", title: "Sample rate", text: (frame) => `${frame.sample_rate / 1000} kHz` },
  { label: "Buffer", title: "Frames in one call of the sound card", text: (frame) => String(frame.buffer_size) },
  { label: "Clients", title: "Stream connections", text: (frame) => String(frame.clients) },
  { label: "Sent", title: "Frames sent since the start", text: (frame) => formatCount(frame.frames_sent) },
  { label: "Merged", title: "Frames merged because a client was slow", text: (frame) => formatCount(frame.frames_merged) },
  { label: "Device", title: "What plays", text: (frame) => frame.device || "–" },
];

export function AnalyticsPanel() {
  return (
    <Panel title="Engine" className="panel-analytics">
      {(isShown) => <Values isShown={isShown} />}
    </Panel>
  );
}

function Values({ isShown }: { isShown: boolean }) {
  const [numbers, write] = useNumbers(ROWS);
  const { subscribe } = useAnalyticsWebsocket({ fps: 2, enabled: isShown });
  useEffect(() => {
    // Another source is another engine.
    write(null);
    return subscribe(write);
  }, [subscribe, write]);
  return (
    <dl className="numbers analytics" data-testid="analytics" tabIndex={0} aria-label="Numbers of the engine">
      {numbers}
    </dl>
  );
}
