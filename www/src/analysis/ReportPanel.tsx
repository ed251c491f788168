import type { Report } from "antiphon";
import { useStore } from "zustand";
import { closeReport, fileReport, saveReport } from "../app/report";
import { type Surface, useCanvas } from "../canvas/useCanvas";
import { type CanvasTheme, useCanvasTheme } from "../canvas/theme";
import { formatDb, formatTime } from "../lib/format";
import { Icon } from "../ui/Icon";
import { Panel } from "../ui/Panel";

const ROWS: readonly (readonly [label: string, unit: string, text: (report: Report) => string])[] = [
  ["Integrated", "LUFS", ({ loudness }) => formatDb(loudness.integrated)],
  ["Range", "LU", ({ loudness }) => loudness.range.toFixed(1)],
  ["Max. momentary", "LUFS", ({ loudness }) => formatDb(loudness.max_momentary)],
  ["Max. short-term", "LUFS", ({ loudness }) => formatDb(loudness.max_short_term)],
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
  const { canvas } = useCanvas((surface) => drawOverview(surface, report, theme));
  return (
    <div className="report" data-testid="report">
      <dl className="numbers">
        {ROWS.map(([label, unit, text]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text(report)} <small>{unit}</small></dd>
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

/** A line from minimum to maximum for every column of pixels. */
function drawOverview({ ctx, width, height }: Surface, { overview }: Report, theme: CanvasTheme): void {
  const nPairs = overview.points.length / 2;
  const y = (value: number) => (1 - value / 32_768) * (height / 2);
  ctx.clearRect(0, 0, width, height);
  ctx.fillStyle = theme.left;
  for (let x = 0; x < width && nPairs > 0; x += 1) {
    const first = Math.floor((x * nPairs) / width);
    const end = Math.max(first + 1, Math.floor(((x + 1) * nPairs) / width));
    let [min, max] = [32_767, -32_768];
    for (let idx = first; idx < end; idx += 1) {
      min = Math.min(min, overview.points[2 * idx]!);
      max = Math.max(max, overview.points[2 * idx + 1]!);
    }
    ctx.fillRect(x, y(max), 1, Math.max(1, y(min) - y(max)));
  }
}
