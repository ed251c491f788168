import type { Track } from "antiphon";
import { Toggle } from "radix-ui";
import { type CSSProperties, memo } from "react";
import { rest } from "../app/connection";
import { notifyFailure } from "../app/failures";
import { useIsLive, useSession, useTransport } from "../app/hooks";
import { select } from "../edit/selection";
import { TrackMenu } from "../mixer/TrackMenu";
import { useDesk } from "../mixer/useDesk";

/** A track's name and switches, before its row. */
export const TrackHead = memo(function TrackHead({ idx, track, isSelected }: { idx: number; track: Track; isSelected: boolean }) {
  const { state, patchChannel } = useDesk();
  const isLive = useIsLive();
  const isServer = useSession((state) => state.mode === "server");
  const isArmed = useTransport((transport) => transport.armed_track_id) === track.id;
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
        <Toggle.Root
          className="button toggle arm"
          pressed={isArmed}
          disabled={!isLive || !isServer}
          aria-label={`Arm ${name}`}
          title={isServer ? "Recorded to, and played by keyboards" : "Recording needs a server"}
          data-testid={`arm-${idx}`}
          onPressedChange={(armed) => void rest.recording.arm(armed ? id : null).catch((error: unknown) => notifyFailure(`${name} was not armed`, error))}
        >
          R
        </Toggle.Root>
        <TrackMenu track={track} testId={`track-menu-${idx}`} />
      </div>
    </div>
  );
});
