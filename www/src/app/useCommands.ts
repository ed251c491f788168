import { usePlayback } from "antiphon/react";
import type { LoopRequest } from "antiphon";
import { useMemo } from "react";
import { lastAsked } from "../lib/asked";
import { rest } from "./connection";
import { live, useSession } from "./hooks";
import { playedTrack } from "./play";
import { prefs } from "./prefs";
import { notifyFailure } from "./failures";
import { lengthBeats, useComposition } from "./useComposition";

type Playback = ReturnType<typeof usePlayback>;

/** The transport's commands for buttons and keys; what fails is told. Each says when it is through whether it worked. */
export function useCommands() {
  const { play, stop, pause, seek, setTempo, setLoop, setMetronome } = usePlayback();
  const length = lengthBeats(useComposition());
  const local = useSession((state) => state.local);
  const asked = useMemo(() => {
    // What was asked of the server is nothing to this browser's engine.
    void local;
    return {
      motion: lastAsked<"still" | "playing" | "recording">(),
      tempo: lastAsked<number>(),
      loop: lastAsked<LoopRequest>(),
      metronome: lastAsked<boolean>(),
    };
  }, [local]);
  return useMemo(() => {
    const told = <A extends unknown[]>(title: string, command: (...args: A) => Promise<unknown>) => (...args: A) =>
      command(...args).then(
        () => true,
        (error: unknown) => {
          notifyFailure(title, error);
          return false;
        },
      );
    const sendLoop = told<[LoopRequest]>("The loop was not changed", (loop) => asked.loop.ask(loop, () => setLoop(loop)));
    const commands = {
      stop: told("Stop failed", () => asked.motion.ask("still", stop)),
      seek: told<Parameters<Playback["seek"]>>("Seeking failed", seek),
      setTempo: told<Parameters<Playback["setTempo"]>>("The tempo was not changed", (tempo) =>
        asked.tempo.ask(tempo.bpm, () => setTempo(tempo))),
      toggleMetronome: told("The metronome was not switched", () => {
        const enabled = !(asked.metronome.now() ?? live.getState().transport?.metronome_enabled);
        return asked.metronome.ask(enabled, () => setMetronome({ enabled }));
      }),
      toggle: told("Play failed", () => {
        const motion = asked.motion.now();
        const isPlaying = motion ? motion !== "still" : live.getState().transport?.is_playing;
        // Play goes on from a pause, too.
        return isPlaying ? asked.motion.ask("still", pause) : asked.motion.ask("playing", play);
      }),
      /** Changes the loop from what it is, or from what it was last told to be: each command replaces all of it. */
      changeLoop: (change: (loop: LoopRequest) => LoopRequest) => sendLoop(change(asked.loop.now() ?? shownLoop())),
    };
    const record = async () => {
      if (!live.getState().transport?.armed_track_id) {
        const track = playedTrack();
        if (!track) throw new Error("there is no track to record to; add one under Arrange");
        await rest.recording.arm(track);
      }
      await rest.recording.record({ count_in_bars: prefs.getState().countIn });
    };
    const toggleRecord = told("Nothing was recorded", () => {
      const motion = asked.motion.now();
      const isRecording = motion ? motion === "recording" : live.getState().transport?.is_recording;
      return isRecording ? asked.motion.ask("still", pause) : asked.motion.ask("recording", record);
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
  }, [asked, length, play, stop, pause, seek, setTempo, setLoop, setMetronome]);
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
