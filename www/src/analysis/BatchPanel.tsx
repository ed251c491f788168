import { useStore } from "zustand";
import { Panel } from "../ui/Panel";
import { batch, type BatchItem, closeBatch, saveBatchCsv, saveBatchJson, saveBatchPng } from "./batch";
import { COLUMNS } from "./batchTable";

const EXPORTS = [
  ["JSON", saveBatchJson],
  ["CSV", saveBatchCsv],
  ["PNG", saveBatchPng],
] as const;

/** The reports of files that were dropped together; nothing while there are none. */
export function BatchPanel() {
  const items = useStore(batch, (state) => state.items);
  if (items.length === 0) return null;
  const isDone = items.every(({ report, error }) => report !== null || error !== null);
  const actions = (
    <span className="panel-actions">
      {isDone && EXPORTS.map(([name, run]) => (
        <button key={name} type="button" className="button small" data-testid={`batch-${name.toLowerCase()}`} onClick={run}>
          Export {name}
        </button>
      ))}
      <button type="button" className="button small" data-testid="batch-close" onClick={closeBatch}>
        {isDone ? "Close" : "Cancel"}
      </button>
    </span>
  );
  return (
    <Panel title={`Report of ${items.length} files`} className="panel-batch" actions={actions}>
      {() => (
        <div className="batch" tabIndex={0} role="region" aria-label="Numbers of the files" data-testid="batch">
          <table>
            <thead>
              <tr>
                <th scope="col">File</th>
                {COLUMNS.map(({ label, unit }) => <th key={label} scope="col">{label} <small>{unit}</small></th>)}
              </tr>
            </thead>
            <tbody>
              {items.map((item, idx) => <Row key={idx} item={item} />)}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Row({ item: { name, progress, report, error } }: { item: BatchItem }) {
  return (
    <tr>
      <th scope="row" title={name}>{name}</th>
      {report
        ? COLUMNS.map(({ label, text }) => <td key={label}>{text(report)}</td>)
        : (
          <td colSpan={COLUMNS.length} className={error ? "batch-error" : "batch-progress"}>
            {error ?? `${Math.floor(progress * 100)} %`}
          </td>
        )}
    </tr>
  );
}
