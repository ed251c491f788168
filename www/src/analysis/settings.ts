/** What a person set up in the analysis view, kept across reloads. */
import type { Ballistics, LoudnessMeasure, Scale } from "antiphon";
import type { ColorMapName } from "antiphon/draw";
import { useStore } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";
import { createStore } from "zustand/vanilla";

export const PANELS = [
  { id: "spectrum", label: "Spectrum" },
  { id: "spectrogram", label: "Spectrogram" },
  { id: "waveform", label: "Waveform" },
  { id: "meters", label: "Meters" },
  { id: "loudness", label: "Loudness" },
  { id: "stereo", label: "Stereo" },
  { id: "music", label: "Music" },
  { id: "triggers", label: "Triggers" },
  { id: "recorder", label: "Recorder" },
  { id: "engine", label: "Engine" },
] as const;

export type PanelId = (typeof PANELS)[number]["id"];

/** What the triggers wait for; each one may be off. */
export interface TriggerSettings {
  clip: boolean;
  silence: boolean;
  silenceSeconds: number;
  silenceDb: number;
  loudness: boolean;
  measure: LoudnessMeasure;
  aboveLufs: number;
}

export interface AnalysisSettings {
  hidden: Readonly<Partial<Record<PanelId, boolean>>>;
  scale: Scale;
  /** dB per octave. */
  slope: number;
  /** How long peaks stay in a second curve, ms; 0 for none. */
  holdMs: number;
  colors: ColorMapName;
  spectrogramSeconds: number;
  waveform: "scope" | "overview";
  ballistics: Ballistics;
  /** LUFS. */
  target: number;
  triggers: TriggerSettings;
}

export const analysis = createStore<AnalysisSettings>()(
  persist(
    (): AnalysisSettings => ({
      hidden: {},
      scale: "log",
      slope: 0,
      holdMs: 0,
      colors: "viridis",
      spectrogramSeconds: 15,
      waveform: "scope",
      ballistics: "peak",
      target: -23,
      triggers: {
        clip: false, silence: false, silenceSeconds: 5, silenceDb: -60, loudness: false, measure: "short_term", aboveLufs: -14,
      },
    }),
    { name: "antiphon-analysis", version: 1, storage: createJSONStorage(() => localStorage) },
  ),
);

export function useAnalysis<T>(select: (state: AnalysisSettings) => T): T {
  return useStore(analysis, select);
}

export function setAnalysis(change: Partial<AnalysisSettings>): void {
  analysis.setState(change);
}

export function togglePanel(id: PanelId): void {
  analysis.setState(({ hidden }) => ({ hidden: { ...hidden, [id]: !hidden[id] } }));
}
