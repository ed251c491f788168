import type { Track } from "antiphon";
import { useMixer } from "antiphon/react";
import { Toggle } from "radix-ui";
import { type CSSProperties, memo } from "react";
import { useIsLive } from "../app/hooks";
import { select } from "../edit/selection";
import { TrackMenu } from "../mixer/TrackMenu";

/** A track's name and switches, before its row. */
export const TrackHead = memo(function TrackHead({ idx, track, isSelected }: { idx: number; track: Track; isSelected: boolean }) {
  const { state, patchChannel } = useMixer();
  const isLive = useIsLive();
  const channel = state?.channels.find(({ id }) => id === track.id) ?? track;
  const { id, name } = track;
  return (
    <div className="track-head" role="listitem" style={{ "--track": track.color } as CSSProperties} data-selected={isSelected} data-testid={`track-${idx}`}>
      <button
        type="button"
        className="track-name"
        aria-pressed={isSelected}
        title={name}
        onClick={() => select({ track: id, clip: null })}
      >
        {name}
      </button>
      <div className="track-buttons">
        <Toggle.Root
          className="button toggle mute"
          pressed={channel.mute}
          disabled={!isLive}
          aria-label={`Mute ${name}`}
          onPressedChange={(mute) => void patchChannel(id, { mute })}
        >
          M
        </Toggle.Root>
        <Toggle.Root
          className="button toggle solo"
          pressed={channel.solo}
          disabled={!isLive}
          aria-label={`Solo ${name}`}
          onPressedChange={(solo) => void patchChannel(id, { solo })}
        >
          S
        </Toggle.Root>
        <TrackMenu track={track} testId={`track-menu-${idx}`} />
      </div>
    </div>
  );
});
