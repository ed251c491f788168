import type { ChannelPatch, MixerChannel } from "antiphon";
import { Toggle } from "radix-ui";
import { type CSSProperties, memo } from "react";
import { useComposition } from "../app/useComposition";
import { MeterCanvas } from "../canvas/MeterCanvas";
import { findTrack } from "../edit/model";
import { Fader } from "../ui/Fader";
import { Pan } from "../ui/Pan";
import { TrackMenu } from "./TrackMenu";

interface StripProps {
  idx: number;
  channel: MixerChannel;
  /** Muted, or another channel is soloed. */
  isSilent: boolean;
  disabled: boolean;
  isShown: boolean;
  onPatch: (id: string, patch: ChannelPatch) => unknown;
}

/** One track's channel strip. */
export const Strip = memo(function Strip({ idx, channel, isSilent, disabled, isShown, onPatch }: StripProps) {
  const { id, name, color, gain_db, pan, mute, solo } = channel;
  const track = findTrack(useComposition(), id);
  return (
    <div
      className="strip"
      role="listitem"
      aria-label={name}
      data-testid={`strip-${idx}`}
      data-silent={isSilent}
      style={{ "--track": color } as CSSProperties}
    >
      <h3 className="strip-name" title={name}>
        {name}
      </h3>
      <Pan label={`${name} pan`} pan={pan} disabled={disabled} onChange={(value) => onPatch(id, { pan: value })} />
      <div className="strip-switches">
        <Toggle.Root
          className="button toggle mute"
          pressed={mute}
          disabled={disabled}
          aria-label={`Mute ${name}`}
          data-testid={`mute-${idx}`}
          onPressedChange={(value) => onPatch(id, { mute: value })}
        >
          M
        </Toggle.Root>
        <Toggle.Root
          className="button toggle solo"
          pressed={solo}
          disabled={disabled}
          aria-label={`Solo ${name}`}
          data-testid={`solo-${idx}`}
          onPressedChange={(value) => onPatch(id, { solo: value })}
        >
          S
        </Toggle.Root>
        {track && <TrackMenu track={track} testId={`strip-menu-${idx}`} />}
      </div>
      <div className="strip-body">
        <Fader
          label={`${name} gain`}
          db={gain_db}
          disabled={disabled}
          onChange={(value) => onPatch(id, { gain_db: value })}
        />
        <MeterCanvas tap={id} label={`${name} level`} testId={`meter-${idx}`} isShown={isShown} />
      </div>
    </div>
  );
});
