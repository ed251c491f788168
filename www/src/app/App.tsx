import type { TopicName } from "antiphon";
import { MixerProvider, PlaybackProvider, SourceProvider, WebSocketSync } from "antiphon/react";
import { useState } from "react";
import { AnalyticsPanel } from "../analysis/AnalyticsPanel";
import { MasterMeters } from "../analysis/MasterMeters";
import { ReportPanel } from "../analysis/ReportPanel";
import { SpectrumPanel } from "../analysis/SpectrumPanel";
import { WaveformPanel } from "../analysis/WaveformPanel";
import { MixerPanel } from "../mixer/Mixer";
import { Banner } from "../source/Banner";
import { DownloadMenu } from "../source/DownloadMenu";
import { DropZone } from "../source/DropZone";
import { InputBar } from "../source/InputBar";
import { SourceSwitch } from "../source/SourceSwitch";
import { Status } from "../source/Status";
import { TransportBar } from "../transport/TransportBar";
import { Help } from "../ui/Help";
import { Notices } from "../ui/Notices";
import { rest } from "./connection";
import { live, useIsLive, useRefusals, useSession } from "./hooks";
import { useCommands } from "./useCommands";
import { useComposition } from "./useComposition";
import { useKeyboard } from "./useKeyboard";

/** The page's store needs the slow topics only; pictures subscribe to the fast ones themselves. */
const SYNCED: TopicName[] = ["transport"];

/** Everything below draws whichever source is shown, and commands it. */
export function App() {
  const source = useSession((state) => state.source);
  const local = useSession((state) => state.local);
  useRefusals(source);
  return (
    <SourceProvider source={source}>
      <WebSocketSync store={live} source={source} topics={SYNCED} />
      <PlaybackProvider client={(local ?? rest).playback}>
        <MixerProvider client={(local ?? rest).mixer}>
          <Page />
        </MixerProvider>
      </PlaybackProvider>
    </SourceProvider>
  );
}

function Page() {
  const commands = useCommands();
  const composition = useComposition();
  const isLive = useIsLive();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const ifLive = (command: () => void) => () => {
    if (isLive) command();
  };
  useKeyboard({
    " ": ifLive(commands.toggle),
    Home: ifLive(commands.toStart),
    l: ifLive(commands.toggleLoop),
    m: ifLive(commands.toggleMetronome),
    "?": () => setHelpOpen(true),
  });

  return (
    <div className="page" data-live={isLive}>
      <header className="head">
        <h1 className="brand">Antiphon</h1>
        <SourceSwitch />
        <Status />
        <p className="composition-name" title={composition?.name} data-testid="composition-name">
          {composition?.name}
        </p>
        <InputBar />
        <DownloadMenu />
        <Help isOpen={isHelpOpen} onOpenChange={setHelpOpen} />
      </header>
      <TransportBar commands={commands} />
      <Banner />
      <ReportPanel />
      <main className="panels">
        <SpectrumPanel />
        <WaveformPanel />
        <MasterMeters />
        <AnalyticsPanel />
        <MixerPanel />
      </main>
      <Notices />
      <DropZone />
    </div>
  );
}
