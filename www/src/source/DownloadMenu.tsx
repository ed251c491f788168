import { DropdownMenu } from "radix-ui";
import { useStore } from "zustand";
import { type Bits, cancelDownload, download, downloadMidi, downloadWav } from "../app/downloads";
import { useComposition } from "../app/useComposition";
import { Icon } from "../ui/Icon";

const WAVS: readonly (readonly [bits: Bits, label: string])[] = [
  [24, "WAV, 24 bits"],
  [16, "WAV, 16 bits"],
  [32, "WAV, 32-bit floats"],
];

/** Saves what is played. While it is rendered, the button shows how far that is, and ends it. */
export function DownloadMenu() {
  const progress = useStore(download, (state) => state.progress);
  const hasComposition = useComposition() !== null;
  if (progress !== null) {
    const percent = Math.floor(progress * 100);
    return (
      <button
        type="button"
        className="button active"
        data-testid="download-progress"
        title="Rendering; press to cancel"
        onClick={cancelDownload}
      >
        <Icon name="stop" />
        <span role="progressbar" aria-label="Rendering" aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
          {percent} %
        </span>
      </button>
    );
  }
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="button" data-testid="download" disabled={!hasComposition} title="Saves what is played as a file">
        <Icon name="download" />
        <span>Save as</span>
      </DropdownMenu.Trigger>
      {/* In its place, not at the end of the page, which is in no landmark. */}
      <DropdownMenu.Content className="menu" align="end" sideOffset={4}>
        {WAVS.map(([bits, label]) => (
          <DropdownMenu.Item key={bits} className="menu-item" data-testid={`download-wav-${bits}`} onSelect={() => void downloadWav(bits)}>
            {label}
          </DropdownMenu.Item>
        ))}
        <DropdownMenu.Item className="menu-item" data-testid="download-midi" onSelect={() => void downloadMidi()}>
          MIDI file
        </DropdownMenu.Item>
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
