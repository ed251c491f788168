import { Toggle } from "radix-ui";
import { useIsReady, useTransport } from "../app/hooks";
import type { Commands } from "../app/useCommands";
import { lengthBeats, useComposition } from "../app/useComposition";
import { loopRegion, SHORTEST_LOOP } from "../lib/timeline";
import { Icon } from "../ui/Icon";
import { NumberField } from "../ui/NumberField";
import { Position } from "./Position";
import { Recording } from "./Recording";
import { SeekBar } from "./SeekBar";
import { Signature } from "./Signature";

/** Play, stop, where, how fast, round what. */
export function TransportBar({ commands }: { commands: Commands }) {
  const isReady = useIsReady();
  const isPlaying = useTransport((transport) => transport.is_playing);
  const tempo = useTransport((transport) => transport.tempo);
  const metronome = useTransport((transport) => transport.metronome_enabled) ?? false;
  return (
    <section className="transport" aria-label="Transport">
      <div className="transport-buttons">
        <button
          type="button"
          className="button icon-button"
          aria-label="To the start"
          title="To the start (Home)"
          disabled={!isReady}
          onClick={commands.toStart}
        >
          <Icon name="start" />
        </button>
        <button
          type="button"
          className="button icon-button"
          aria-label="Stop"
          title="Stop and go back to the start"
          data-testid="stop"
          disabled={!isReady}
          onClick={commands.stop}
        >
          <Icon name="stop" />
        </button>
        <button
          type="button"
          className="button icon-button play"
          aria-label={isPlaying ? "Pause" : "Play"}
          title={`${isPlaying ? "Pause" : "Play"} (Space)`}
          data-testid="play"
          data-playing={isPlaying ?? undefined}
          disabled={!isReady}
          onClick={commands.toggle}
        >
          <Icon name={isPlaying ? "pause" : "play"} />
        </button>
        <Recording commands={commands} />
      </div>
      <div className="where">
        <Position />
        <Signature />
      </div>
      <SeekBar commands={commands} />
      <div className="transport-fields">
        <NumberField
          label="Tempo"
          unit="bpm"
          value={tempo}
          min={20}
          max={400}
          step={1}
          digits={2}
          disabled={!isReady}
          testId="tempo"
          onCommit={(bpm) => commands.setTempo({ bpm })}
        />
        <Loop commands={commands} />
        <Toggle.Root
          className="button icon-button toggle"
          pressed={metronome}
          disabled={!isReady}
          aria-label="Metronome"
          title="Metronome (C)"
          data-testid="metronome"
          onPressedChange={commands.toggleMetronome}
        >
          <Icon name="metronome" />
        </Toggle.Root>
      </div>
    </section>
  );
}

function Loop({ commands }: { commands: Commands }) {
  const isReady = useIsReady();
  const length = lengthBeats(useComposition());
  const enabled = useTransport((transport) => transport.loop_enabled) ?? false;
  const start = useTransport((transport) => transport.loop_start);
  const end = useTransport((transport) => transport.loop_end);
  const limit = length || Math.max(end ?? 0, 1);

  const commit = (from: number | null, to: number | null) =>
    commands.changeLoop(({ enabled, start_beats, end_beats }) => {
      // The end that was not typed gives way.
      const first = from ?? Math.min(start_beats, to ?? start_beats);
      const region = loopRegion(first, to ?? Math.max(end_beats, first), limit);
      return { enabled, start_beats: region.start, end_beats: region.end };
    });

  return (
    <div className="loop" role="group" aria-label="Loop">
      <Toggle.Root
        className="button icon-button toggle"
        pressed={enabled}
        disabled={!isReady}
        aria-label="Loop"
        title="Loop (L)"
        data-testid="loop"
        onPressedChange={commands.toggleLoop}
      >
        <Icon name="loop" />
      </Toggle.Root>
      <NumberField
        label="From"
        unit="beat"
        value={start}
        min={0}
        max={limit - SHORTEST_LOOP}
        step={1}
        digits={2}
        disabled={!isReady}
        testId="loop-start"
        onCommit={(value) => commit(value, null)}
      />
      <NumberField
        label="To"
        unit="beat"
        value={end}
        min={SHORTEST_LOOP}
        max={limit}
        step={1}
        digits={2}
        disabled={!isReady}
        testId="loop-end"
        onCommit={(value) => commit(null, value)}
      />
    </div>
  );
}
