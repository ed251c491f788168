import { Popover } from "radix-ui";
import { live, useIsReady, useTransport } from "../app/hooks";
import { edit } from "../edit/editor";
import { setSignature } from "../edit/model";
import { PPQ } from "../lib/bars";
import { UNKNOWN } from "../lib/text";
import { NumberField } from "../ui/NumberField";

const DENOMINATORS = [1, 2, 4, 8, 16, 32];

/** The time signature at the playhead, and the way to change it. */
export function Signature() {
  const isReady = useIsReady();
  const numerator = useTransport((transport) => transport.time_signature_num) ?? 4;
  const denominator = useTransport((transport) => transport.time_signature_den) ?? 4;
  const change = (num: number, den: number) =>
    edit(setSignature((live.getState().transport?.position_beats ?? 0) * PPQ, num, den), "The time signature was not changed");
  return (
    <Popover.Root>
      <Popover.Trigger className="button signature" disabled={!isReady} title="Time signature at the playhead">
        <span className="visually-hidden">Time signature </span>
        <span data-testid="signature">
          {isReady ? `${numerator}/${denominator}` : UNKNOWN}
        </span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="popover" sideOffset={6} aria-label="Time signature">
          <NumberField
            label="Beats"
            value={numerator}
            min={1}
            max={32}
            step={1}
            digits={0}
            testId="signature-beats"
            onCommit={(value) => change(Math.round(value), denominator)}
          />
          <select
            className="select"
            aria-label="Note value of a beat"
            value={denominator}
            data-testid="signature-value"
            onChange={(event) => change(numerator, Number(event.target.value))}
          >
            {DENOMINATORS.map((value) => (
              <option key={value} value={value}>
                1/{value}
              </option>
            ))}
          </select>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
