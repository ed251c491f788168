// React without REST: sources and streams. It needs nothing but React.
export { SourceProvider, useSource, useWebSocket } from "./source.tsx";
export * from "./hooks.ts";
export { WebSocketSync, type WebSocketSyncProps } from "./sync.tsx";
