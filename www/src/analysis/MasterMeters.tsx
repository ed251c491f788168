import { useRef } from "react";
import { useSession } from "../app/hooks";
import { METER_MARKS, METER_TOP, meterShare } from "../canvas/meter";
import { MeterCanvas } from "../canvas/MeterCanvas";
import { formatDb } from "../lib/format";
import { UNKNOWN, writeText } from "../lib/text";
import { type NumberRow, useNumbers } from "../ui/Numbers";
import { Panel } from "../ui/Panel";
import { type Readings, useReadings } from "./useReadings";

/** Loudness and correlation are the master's alone. */
interface Row extends NumberRow<Readings> {
  isOfMaster: boolean;
}

const ROWS: readonly Row[] = [
  {
    testId: "value-momentary",
    label: "M",
    unit: "LUFS",
    title: "Momentary loudness, 400 ms",
    isOfMaster: true,
    text: ({ meters }) => formatDb(meters.master.lufs_momentary),
  },
  {
    testId: "value-short-term",
    label: "S",
    unit: "LUFS",
    title: "Short-term loudness, 3 s",
    isOfMaster: true,
    text: ({ meters }) => formatDb(meters.master.lufs_short_term),
  },
  {
    testId: "value-lra",
    label: "LRA",
    unit: "LU",
    title: "Loudness range",
    isOfMaster: true,
    text: ({ meters }) => meters.master.lra.toFixed(1),
  },
  {
    testId: "value-true-peak",
    label: "True peak",
    unit: "dBTP",
    title: "Highest true peak since the reset",
    isOfMaster: false,
    isOver: ({ truePeak }) => truePeak > -1,
    text: ({ truePeak }) => formatDb(truePeak, 1, true),
  },
  {
    testId: "value-peak",
    label: "Peak",
    unit: "dBFS",
    title: "Highest sample since the reset",
    isOfMaster: false,
    isOver: ({ peak }) => peak >= 0,
    text: ({ peak }) => formatDb(peak, 1, true),
  },
  {
    testId: "value-rms",
    label: "RMS",
    unit: "dBFS",
    title: "Root mean square of the louder channel",
    isOfMaster: false,
    text: ({ rms }) => formatDb(rms),
  },
  {
    testId: "value-clips",
    label: "Clips",
    unit: "",
    title: "Runs of clipped samples since the reset",
    isOfMaster: false,
    isOver: ({ clips }) => clips > 0,
    text: ({ clips }) => String(clips),
  },
];

const ROWS_OF_INPUT = ROWS.filter((row) => !row.isOfMaster);

/** The meter bridge: levels of the master (or of the input while it is measured), loudness, correlation. */
export function MasterMeters() {
  const isInput = useSession((state) => state.tap === "input");
  return (
    <Panel title={isInput ? "Input" : "Master"} className="panel-master">
      {(isShown) => <Bridge tap={isInput ? "input" : "master"} isShown={isShown} />}
    </Panel>
  );
}

function Bridge({ tap, isShown }: { tap: "master" | "input"; isShown: boolean }) {
  const [numbers, writeNumbers] = useNumbers(tap === "master" ? ROWS : ROWS_OF_INPUT);
  const integrated = useRef<HTMLOutputElement>(null);
  const needle = useRef<HTMLDivElement>(null);
  const write = (readings: Readings) => {
    writeNumbers(readings);
    const { lufs_integrated, correlation } = readings.meters.master;
    writeText(integrated.current, formatDb(lufs_integrated));
    needle.current?.style.setProperty("--at", String((correlation + 1) / 2));
    needle.current?.setAttribute("aria-valuenow", correlation.toFixed(2));
  };
  const reset = useReadings(tap, isShown, write);

  return (
    <div className="bridge">
      <div className="bridge-meter">
        <div className="meter-scale" style={{ marginTop: METER_TOP }} aria-hidden="true">
          {METER_MARKS.map((mark) => (
            <span key={mark} style={{ bottom: `${meterShare(mark) * 100}%` }}>
              {Math.abs(mark)}
            </span>
          ))}
        </div>
        <MeterCanvas
          key={tap}
          tap={tap}
          label={tap === "master" ? "Master level, left and right" : "Input level, left and right"}
          testId="meter-master"
          isShown={isShown}
        />
      </div>
      <div className="bridge-numbers">
        {tap === "master" && (
          <div className="loudness" title="Integrated loudness since the start, gated (EBU R 128)">
            <span className="loudness-label">Integrated</span>
            <output className="loudness-value" ref={integrated} data-testid="value-integrated">
              {UNKNOWN}
            </output>
            <span className="loudness-unit">LUFS</span>
          </div>
        )}
        <dl className="numbers">{numbers}</dl>
        {tap === "master" && (
          <div className="correlation">
            <span>−1</span>
            <div
              ref={needle}
              className="correlation-bar"
              role="meter"
              aria-label="Correlation"
              aria-valuemin={-1}
              aria-valuemax={1}
              aria-valuenow={0}
              title="Correlation: +1 mono, 0 unrelated, −1 out of phase"
            />
            <span>+1</span>
          </div>
        )}
        <button type="button" className="button small" onClick={reset}>
          Reset peaks
        </button>
      </div>
    </div>
  );
}
