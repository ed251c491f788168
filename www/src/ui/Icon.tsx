/** The page's icons: 24-unit outlines filled with the text's colour. */
const PATHS = {
  play: "M7 4.5v15l12.5-7.5z",
  pause: "M6 4.5h4.5v15H6zM13.5 4.5H18v15h-4.5z",
  stop: "M5.5 5.5h13v13h-13z",
  start: "M5 5h2.5v14H5zM19 5v14L8.5 12z",
  loop: "M7 6h9V3l5 4.5-5 4.5V9H7a3 3 0 0 0-3 3v.5H1V12a6 6 0 0 1 6-6zm10 12H8v3l-5-4.5L8 12v3h9a3 3 0 0 0 3-3v-.5h3v.5a6 6 0 0 1-6 6z",
  metronome: "M9 3h6l4 18H5zm1.6 2L7.9 17h8.2l-1-4.4-2.2 2.3-1.4-1.4 3-3.1L13.4 5z",
  microphone: "M12 2a3.5 3.5 0 0 1 3.5 3.5v6a3.5 3.5 0 0 1-7 0v-6A3.5 3.5 0 0 1 12 2zM5 11h2.2a4.8 4.8 0 0 0 9.6 0H19a7 7 0 0 1-5.9 6.9V22h-2.2v-4.1A7 7 0 0 1 5 11z",
  file: "M3 5h7l2 2.5h9V20H3zm2.2 4.7v8.1h13.6V9.7z",
  download: "M10.9 3h2.2v8.6l3.3-3.3 1.6 1.6-6 6-6-6 1.6-1.6 3.3 3.3zM4 17.8h16V20H4z",
  close: "M6.4 4.8 12 10.4l5.6-5.6 1.6 1.6-5.6 5.6 5.6 5.6-1.6 1.6-5.6-5.6-5.6 5.6-1.6-1.6 5.6-5.6-5.6-5.6z",
  chevron: "M12 15.5 5.2 8.7l1.6-1.6L12 12.3l5.2-5.2 1.6 1.6z",
  help: "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm0 2.2a7.8 7.8 0 1 0 0 15.6 7.8 7.8 0 0 0 0-15.6zM10.8 16h2.4v2.2h-2.4zm1.3-10.2c2.2 0 3.8 1.3 3.8 3.3 0 2.6-2.7 2.8-2.7 5.2h-2.3c0-3.2 2.6-3.5 2.6-5.1 0-.8-.6-1.3-1.5-1.3-1 0-1.6.7-1.7 1.8H8c.1-2.4 1.7-3.9 4.1-3.9z",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} fillRule="evenodd" />
    </svg>
  );
}
