// React: sources, streams that do not render, and REST state on TanStack Query.
export { SourceProvider, useSource, useWebSocket } from "./source.tsx";
export * from "./hooks.ts";
export { type Playback, PlaybackProvider, usePlayback } from "./playback.tsx";
export { type Mixer, MixerProvider, useMixer } from "./mixer.tsx";
export { type Revisions, RevisionsProvider, useRevisions } from "./revisions.tsx";
export { type Compositions, CompositionsProvider, useCompositions } from "./compositions.tsx";
export { WebSocketSync, type WebSocketSyncProps } from "./sync.tsx";
