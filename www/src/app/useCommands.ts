import { usePlayback } from "antiphon/react";
import type { LoopRequest } from "antiphon";
import { useMemo, useState } from "react";
import { rest } from "./connection";
import { live } from "./hooks";
import { playedTrack } from "./play";
import { prefs } from "./prefs";
import { notifyFailure } from "./failures";
import { lengthBeats, useComposition } from "./useComposition";

type Playback = ReturnType<typeof usePlayback>;

/** How long a command that was sent counts more than what the stream still says. */
const IN_FLIGHT_MS = 1000;

/** The transport's commands for buttons and keys; what fails is told. */
export function useCommands() {
  const { play, stop, pause, resume, seek, setTempo, setLoop, setMetronome } = usePlayback();
  const length = lengthBeats(useComposition());
  const [loops] = useState(loopTracker);
  return useMemo(() => {
    const told = <A extends unknown[]>(title: string, command: (...args: A) => unknown) => {
      return (...args: A) => {
        Promise.resolve(command(...args)).catch((error: unknown) => notifyFailure(title, error));
      };
    };
    const sendLoop = told<[LoopRequest]>("The loop was not changed", setLoop);
    const commands = {
      stop: told("Stop failed", stop),
      seek: told<Parameters<Playback["seek"]>>("Seeking failed", seek),
      setTempo: told<Parameters<Playback["setTempo"]>>("The tempo was not changed", setTempo),
      setMetronome: told<Parameters<Playback["setMetronome"]>>("The metronome was not switched", setMetronome),
      toggle: told("Play failed", () => {
        const transport = live.getState().transport;
        if (transport?.is_playing) return pause();
        return transport?.is_paused ? resume() : play();
      }),
      /** Changes the loop from what it is, or from what it was last told to be. */
      changeLoop: (change: (loop: LoopRequest) => LoopRequest) => {
        const next = change(loops.now());
        loops.sent(next);
        sendLoop(next);
      },
    };
    const toggleRecord = told("Nothing was recorded", async () => {
      const transport = live.getState().transport;
      if (transport?.is_recording) return pause();
      if (!transport?.armed_track_id) {
        const track = playedTrack();
        if (!track) throw new Error("there is no track to record to; add one under Arrange");
        await rest.recording.arm(track);
      }
      return rest.recording.record({ count_in_bars: prefs.getState().countIn });
    });
    return {
      ...commands,
      toggleRecord,
      /** By whole beats. */
      nudge: (beats: number) => {
        const now = live.getState().transport?.position_beats ?? 0;
        commands.seek({ position_beats: Math.max(0, Math.min(length, Math.round(now) + beats)) });
      },
      toStart: () => commands.seek({ position_beats: 0 }),
      toggleLoop: () =>
        commands.changeLoop(({ enabled, start_beats, end_beats }) => {
          // Without a region there is one thing to loop: all of it.
          if (end_beats > start_beats) return { enabled: !enabled, start_beats, end_beats };
          return { enabled: true, start_beats: 0, end_beats: length || 4 };
        }),
      toggleMetronome: () => commands.setMetronome({ enabled: !live.getState().transport?.metronome_enabled }),
    };
  }, [loops, length, play, stop, pause, resume, seek, setTempo, setLoop, setMetronome]);
}

export type Commands = ReturnType<typeof useCommands>;

/**
 * The loop as it will be. Each command replaces the whole region, so one that is built on a transport from before
 * the last command would undo that.
 */
function loopTracker() {
  let last: { loop: LoopRequest; at: number } | null = null;
  return {
    sent: (loop: LoopRequest) => {
      last = { loop, at: performance.now() };
    },
    now: (): LoopRequest => {
      if (last && performance.now() - last.at < IN_FLIGHT_MS) return last.loop;
      const transport = live.getState().transport;
      return {
        enabled: transport?.loop_enabled ?? false,
        start_beats: transport?.loop_start ?? 0,
        end_beats: transport?.loop_end ?? 0,
      };
    },
  };
}
