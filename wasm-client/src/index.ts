// Live audio data from an Antiphon server, or from the same engine in this browser.
export { type AnalysisSource, type AnalysisSourceOptions, createAnalysisSource } from "./analysis-source.ts";
export { AntiphonError } from "./errors.ts";
export { type Failover, failover, type FailoverOptions, type Handover } from "./failover.ts";
export type { PrefetchClients } from "./prefetch.ts";
export { listen, type Listening, type ListenOptions } from "./listen.ts";
export type { ListenStats } from "./worklet-messages.ts";
export { createLocalSource, type LoadOptions, type LocalSource, type LocalSourceOptions } from "./local.ts";
export { type Capture, type CaptureOptions, type MicrophoneOptions, openCapture, openMicrophone, PLAIN_CAPTURE } from "./microphone.ts";
export { parseMidi } from "./midi.ts";
export {
  analyzeBuffer, type AnalyzeOptions, type DecodedAudio, decodeAudio, exportMidi, type OfflineOptions, preloadOffline, renderComposition, type RenderOptions,
  type SampleFiles,
} from "./offline.ts";
export type { AudioFile } from "./offline-input.ts";
export { openRecording, type RecordedFrame, type RecordedRange, type Recorder, type Recording } from "./recorder.ts";
export { connect, type ConnectOptions } from "./server.ts";
export type { Envelope, FrameOf, FrameValues, Playhead, Source, SourceStatus, SubscribeOptions, TopicName } from "./source.ts";
export type { CompositionsClient, LoudnessClient, MixerClient, PlaybackClient, PlaybackState, RecordingClient, RevisionsClient, SamplesClient, TracksClient } from "./clients.ts";
export type { WasmLocation, WasmSource } from "./wasm.ts";
export type * from "./types.gen.ts";
