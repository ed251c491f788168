import { useEffect } from "react";
import { useIsLive } from "../app/hooks";
import { notifyFailure } from "../app/failures";
import { NOTHING_LOADED, useComposition } from "../app/useComposition";
import { MeterCanvas } from "../canvas/MeterCanvas";
import { Fader } from "../ui/Fader";
import { Panel } from "../ui/Panel";
import { Strip } from "./Strip";
import { useDesk } from "./useDesk";

export function MixerPanel() {
  return (
    <Panel title="Mixer" className="panel-mixer">
      {(isShown) => <Strips isShown={isShown} />}
    </Panel>
  );
}

function Strips({ isShown }: { isShown: boolean }) {
  const { state, patchChannel, patchMaster, error } = useDesk();
  const composition = useComposition();
  const isLive = useIsLive();
  useEffect(() => {
    if (error) notifyFailure("The mixer did not follow", error);
  }, [error]);

  if (!state) return <p className="empty">No mixer yet: the source has not answered.</p>;
  const hasSolo = state.channels.some((channel) => channel.solo);
  return (
    <div className="strips">
      <div className="strips-tracks" role="list" aria-label="Channels" tabIndex={-1}>
        {state.channels.map((channel, idx) => (
          <Strip
            key={channel.id}
            idx={idx}
            channel={channel}
            isSilent={channel.mute || (hasSolo && !channel.solo)}
            disabled={!isLive}
            isShown={isShown}
            onPatch={patchChannel}
          />
        ))}
        {state.channels.length === 0 && <p className="empty">{composition ? "The composition has no tracks." : NOTHING_LOADED}</p>}
      </div>
      <div className="strip strip-master" role="group" aria-label="Master">
        <h3 className="strip-name">Master</h3>
        <div className="strip-body">
          <Fader
            label="Master gain"
            db={state.master.gain_db}
            disabled={!isLive}
            onChange={(gain_db) => void patchMaster({ gain_db })}
          />
          <MeterCanvas tap="master" label="Master level" testId="meter-master-strip" isShown={isShown} />
        </div>
      </div>
    </div>
  );
}
