// React: sources, streams that do not render, and REST state on TanStack Query. Who has no TanStack Query installed
// imports antiphon/react/streams.
export * from "./streams.ts";
export * from "./providers.ts";
