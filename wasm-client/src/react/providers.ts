// REST state on TanStack Query.
export { type Playback, PlaybackProvider, usePlayback } from "./playback.tsx";
export { type Mixer, MixerProvider, useMixer } from "./mixer.tsx";
export { type Revisions, RevisionsProvider, useRevisions } from "./revisions.tsx";
export { type Compositions, CompositionsProvider, useCompositions } from "./compositions.tsx";
