/** The numbers of a batch: as a table on the page, and as CSV (RFC 4180). */
import type { Report } from "antiphon";
import { FLOOR_DB, formatDb, formatTime } from "../lib/format";
import type { BatchItem } from "./batch";

interface Column {
  /** In the table. */
  label: string;
  unit: string;
  /** In the CSV's first line. */
  field: string;
  value: (report: Report) => number | string | null;
  text: (report: Report) => string;
}

const level = (label: string, unit: string, field: string, value: (report: Report) => number): Column => ({
  label, unit, field, value: (report) => (value(report) > FLOOR_DB ? value(report) : null), text: (report) => formatDb(value(report)),
});

export const COLUMNS: readonly Column[] = [
  {
    label: "Duration", unit: "", field: "duration_seconds",
    value: (report) => report.duration_seconds, text: (report) => formatTime(report.duration_seconds),
  },
  level("Integrated", "LUFS", "integrated_lufs", ({ loudness }) => loudness.integrated),
  {
    label: "Range", unit: "LU", field: "range_lu",
    value: ({ loudness }) => loudness.range, text: ({ loudness }) => loudness.range.toFixed(1),
  },
  level("Max. M", "LUFS", "max_momentary_lufs", ({ loudness }) => loudness.max_momentary),
  level("Max. S", "LUFS", "max_short_term_lufs", ({ loudness }) => loudness.max_short_term),
  level("True peak", "dBTP", "true_peak_dbtp", ({ loudness }) => loudness.true_peak),
  {
    label: "Clips", unit: "", field: "clips",
    value: ({ channels }) => channels.reduce((sum, { clips }) => sum + clips, 0),
    text: ({ channels }) => String(channels.reduce((sum, { clips }) => sum + clips, 0)),
  },
  { label: "Tempo", unit: "bpm", field: "bpm", value: ({ music }) => music.bpm, text: ({ music }) => music.bpm?.toFixed(1) ?? "–" },
  { label: "Key", unit: "", field: "key", value: ({ music }) => music.key_name || null, text: ({ music }) => music.key_name || "–" },
];

/** One line for each file; what is not known, and silence, is empty. */
export function toCsv(items: readonly BatchItem[]): string {
  const lines = items.map(({ name, report, error }) => [
    name, ...COLUMNS.map(({ value }) => (report ? (value(report) ?? "") : "")), error ?? "",
  ]);
  const all = [["file", ...COLUMNS.map(({ field }) => field), "error"], ...lines];
  return all.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number): string {
  if (typeof value === "number") return String(Math.round(value * 1000) / 1000);
  // A spreadsheet would run a name that starts like a formula.
  const safe = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
