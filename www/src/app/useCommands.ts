import { usePlayback } from "antiphon/react";
import { useMemo } from "react";
import { live } from "./hooks";
import { notifyError } from "./notices";
import { lengthBeats, useComposition } from "./useComposition";

type Playback = ReturnType<typeof usePlayback>;

/** The transport's commands for buttons and keys; what fails is told. */
export function useCommands() {
  const { play, stop, pause, resume, seek, setTempo, setLoop, setMetronome } = usePlayback();
  const length = lengthBeats(useComposition());
  return useMemo(() => {
    const told = <A extends unknown[]>(title: string, command: (...args: A) => unknown) => {
      return (...args: A) => {
        Promise.resolve(command(...args)).catch((error: unknown) => notifyError(title, error));
      };
    };
    const commands = {
      stop: told("Stop failed", stop),
      seek: told<Parameters<Playback["seek"]>>("Seeking failed", seek),
      setTempo: told<Parameters<Playback["setTempo"]>>("The tempo was not changed", setTempo),
      setLoop: told<Parameters<Playback["setLoop"]>>("The loop was not changed", setLoop),
      setMetronome: told<Parameters<Playback["setMetronome"]>>("The metronome was not switched", setMetronome),
      toggle: told("Play failed", () => {
        const transport = live.getState().transport;
        if (transport?.is_playing) return pause();
        return transport?.is_paused ? resume() : play();
      }),
    };
    return {
      ...commands,
      toStart: () => commands.seek({ position_beats: 0 }),
      toggleLoop: () => {
        const { transport } = live.getState();
        if (!transport) return;
        const { loop_enabled, loop_start, loop_end } = transport;
        const hasRegion = loop_end > loop_start;
        // Without a region there is one thing to loop: all of it.
        if (!hasRegion && length === 0) return;
        commands.setLoop({
          enabled: !loop_enabled,
          start_beats: hasRegion ? loop_start : 0,
          end_beats: hasRegion ? loop_end : length,
        });
      },
      toggleMetronome: () => commands.setMetronome({ enabled: !live.getState().transport?.metronome_enabled }),
    };
  }, [length, play, stop, pause, resume, seek, setTempo, setLoop, setMetronome]);
}

export type Commands = ReturnType<typeof useCommands>;
