import { usePlayback } from "antiphon/react";
import type { LoopRequest } from "antiphon";
import { useMemo, useState } from "react";
import { lastAsked } from "../lib/asked";
import { rest } from "./connection";
import { live } from "./hooks";
import { playedTrack } from "./play";
import { prefs } from "./prefs";
import { notifyFailure } from "./failures";
import { lengthBeats, useComposition } from "./useComposition";

type Playback = ReturnType<typeof usePlayback>;

/** The transport's commands for buttons and keys; what fails is told. Each resolves when it is through, either way. */
export function useCommands() {
  const { play, stop, pause, resume, seek, setTempo, setLoop, setMetronome } = usePlayback();
  const length = lengthBeats(useComposition());
  const [asked] = useState(() => ({
    loop: lastAsked<LoopRequest>(), playing: lastAsked<boolean>(), metronome: lastAsked<boolean>(),
  }));
  return useMemo(() => {
    const told = <A extends unknown[]>(title: string, command: (...args: A) => Promise<unknown>) => (...args: A) =>
      command(...args).then(() => undefined, (error: unknown) => notifyFailure(title, error));
    const sendLoop = told<[LoopRequest]>("The loop was not changed", (loop) => asked.loop.ask(loop, setLoop(loop)));
    const commands = {
      stop: told("Stop failed", () => asked.playing.ask(false, stop())),
      seek: told<Parameters<Playback["seek"]>>("Seeking failed", seek),
      setTempo: told<Parameters<Playback["setTempo"]>>("The tempo was not changed", setTempo),
      toggleMetronome: told("The metronome was not switched", () => {
        const enabled = !(asked.metronome.now() ?? live.getState().transport?.metronome_enabled);
        return asked.metronome.ask(enabled, setMetronome({ enabled }));
      }),
      toggle: told("Play failed", () => {
        const transport = live.getState().transport;
        if (asked.playing.now() ?? transport?.is_playing) return asked.playing.ask(false, pause());
        return asked.playing.ask(true, transport?.is_paused ? resume() : play());
      }),
      /** Changes the loop from what it is, or from what it was last told to be: each command replaces all of it. */
      changeLoop: (change: (loop: LoopRequest) => LoopRequest) => sendLoop(change(asked.loop.now() ?? shownLoop())),
    };
    const toggleRecord = told("Nothing was recorded", async () => {
      const transport = live.getState().transport;
      if (transport?.is_recording) return asked.playing.ask(false, pause());
      if (!transport?.armed_track_id) {
        const track = playedTrack();
        if (!track) throw new Error("there is no track to record to; add one under Arrange");
        await rest.recording.arm(track);
      }
      return asked.playing.ask(true, rest.recording.record({ count_in_bars: prefs.getState().countIn }));
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
    };
  }, [asked, length, play, stop, pause, resume, seek, setTempo, setLoop, setMetronome]);
}

export type Commands = ReturnType<typeof useCommands>;

function shownLoop(): LoopRequest {
  const transport = live.getState().transport;
  return {
    enabled: transport?.loop_enabled ?? false,
    start_beats: transport?.loop_start ?? 0,
    end_beats: transport?.loop_end ?? 0,
  };
}
