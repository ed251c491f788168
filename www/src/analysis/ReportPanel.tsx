import type { Report } from "antiphon";
import { useStore } from "zustand";
import { closeReport, fileReport, saveReport } from "../app/report";
import { drawOverview } from "antiphon/draw";
import { useCanvas } from "../canvas/useCanvas";
import { useCanvasTheme } from "../canvas/theme";
import { formatDb, formatTime } from "../lib/format";
import { Icon } from "../ui/Icon";
import { Panel } from "../ui/Panel";

const ROWS: readonly (readonly [label: string, unit: string, text: (report: Report) => string])[] = [
  ["Integrated", "LUFS", ({ loudness }) => formatDb(loudness.integrated)],
  ["Range", "LU", ({ loudness }) => loudness.range.toFixed(1)],
  ["Max. M", "LUFS", ({ loudness }) => formatDb(loudness.max_momentary)],
  ["Max. S", "LUFS", ({ loudness }) => formatDb(loudness.max_short_term)],
  ["True peak", "dBTP", ({ loudness }) => formatDb(loudness.true_peak)],
  ["Clips", "", ({ channels }) => String(channels.reduce((sum, { clips }) => sum + clips, 0))],
  ["Tempo", "bpm", ({ music }) => music.bpm?.toFixed(1) ?? "–"],
  ["Key", "", ({ music }) => music.key_name || "–"],
  ["Duration", "", (report) => formatTime(report.duration_seconds)],
];

/** What there is to say about the file that is open; nothing while none is. */
export function ReportPanel() {
  const { name, progress, report } = useStore(fileReport);
  if (name === null) return null;
  const percent = Math.floor(progress * 100);
  const actions = (
    <span className="report-actions">
      {report && (
        <button type="button" className="button" data-testid="report-save" onClick={saveReport} title="Saves all numbers of the report">
          <Icon name="download" />
          <span>Export JSON</span>
        </button>
      )}
      <button type="button" className="button" data-testid="report-close" onClick={closeReport}>
        {report ? "Close" : "Cancel"}
      </button>
    </span>
  );
  return (
    <Panel title={`Report: ${name}`} className="panel-report" actions={actions}>
      {() => report ? <Numbers report={report} /> : (
        <p className="report-progress" role="progressbar" aria-label="Measuring" aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
          Measuring … {percent} %
        </p>
      )}
    </Panel>
  );
}

function Numbers({ report }: { report: Report }) {
  const theme = useCanvasTheme();
  const { canvas } = useCanvas((on) => {
    on.ctx.clearRect(0, 0, on.width, on.height);
    drawOverview(on.ctx, report.overview.points, on, { color: theme.left });
  });
  return (
    <div className="report" data-testid="report">
      <dl className="numbers">
        {ROWS.map(([label, unit, text]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text(report)} {unit && <small>{unit}</small>}</dd>
          </div>
        ))}
      </dl>
      <div className="picture">
        <canvas ref={canvas} role="img" aria-label="Overview of the file's waveform" />
      </div>
      {report.is_cut_short && <p>The file ends before it says; this is what is there.</p>}
    </div>
  );
}
