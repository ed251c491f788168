import type { TopicName } from "antiphon";
import { MixerProvider, PlaybackProvider, SourceProvider, WebSocketSync } from "antiphon/react";
import { Suspense, useEffect, useMemo, useState } from "react";
import { BatchPanel } from "../analysis/BatchPanel";
import { ReportPanel } from "../analysis/ReportPanel";
import { TriggerWatch } from "../analysis/triggers";
import { keptClients, redo, undo, watchEdits } from "../edit/editor";
import { selection } from "../edit/selection";
import { useDesk } from "../mixer/useDesk";
import { Banner } from "../source/Banner";
import { DownloadMenu } from "../source/DownloadMenu";
import { DropZone } from "../source/DropZone";
import { InputBar } from "../source/InputBar";
import { SourceSwitch } from "../source/SourceSwitch";
import { Status } from "../source/Status";
import { TransportBar } from "../transport/TransportBar";
import { Help } from "../ui/Help";
import { Notices } from "../ui/Notices";
import { ThemeSwitch } from "../ui/ThemeSwitch";
import { rest } from "./connection";
import { live, useIsLive, useIsReady, useRefusals, useSession } from "./hooks";
import { Navigation } from "./Navigation";
import { BODIES } from "./bodies";
import { useCommands } from "./useCommands";
import { useComposition } from "./useComposition";
import { notify } from "./notices";
import { toggleKeys } from "./play";
import { useKeyboard } from "./useKeyboard";
import { showView, useView, VIEWS } from "./views";

/** The page's store needs the slow topics only; pictures subscribe to the fast ones themselves. */
const SYNCED: TopicName[] = ["transport"];

/** Everything below draws whichever source is shown, and commands it. */
export function App() {
  const source = useSession((state) => state.source);
  const local = useSession((state) => state.local);
  const clients = useMemo(() => (local ? keptClients(local) : rest), [local]);
  useRefusals(source);
  return (
    <SourceProvider source={source}>
      <WebSocketSync store={live} source={source} topics={SYNCED} />
      <TriggerWatch />
      <PlaybackProvider client={clients.playback}>
        <MixerProvider client={clients.mixer}>
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
  const isReady = useIsReady();
  const view = useView();
  const Body = BODIES[view];
  const [isHelpOpen, setHelpOpen] = useState(false);
  const ifLive = (command: () => void) => () => {
    if (isLive) command();
  };
  const ifReady = (command: () => void) => () => {
    if (isReady) command();
  };
  const { state: mixer, patchChannel } = useDesk();
  const toggleSelected = (member: "mute" | "solo") => {
    const channel = mixer?.channels.find(({ id }) => id === selection().track);
    if (channel) void patchChannel(channel.id, { [member]: !channel[member] });
    else notify("info", "No track is selected", "Select one under Arrange first.");
  };
  useEffect(() => watchEdits(), []);
  useKeyboard({
    " ": ifReady(commands.toggle),
    Home: ifReady(commands.toStart),
    l: ifReady(commands.toggleLoop),
    c: ifReady(commands.toggleMetronome),
    m: ifLive(() => toggleSelected("mute")),
    s: ifLive(() => toggleSelected("solo")),
    r: ifReady(commands.toggleRecord),
    k: toggleKeys,
    "ctrl+z": ifLive(undo),
    "ctrl+shift+z": ifLive(redo),
    "ctrl+y": ifLive(redo),
    ArrowLeft: ifReady(() => commands.nudge(-1)),
    ArrowRight: ifReady(() => commands.nudge(1)),
    "?": () => setHelpOpen(true),
    ...Object.fromEntries(VIEWS.map(({ id, key }) => [key, () => showView(id)])),
  });

  return (
    <div className="page" data-live={isLive}>
      <header className="head">
        <h1 className="brand">Antiphon</h1>
        <Navigation />
        <SourceSwitch />
        <Status />
        <p className="composition-name" title={composition?.name} data-testid="composition-name">
          {composition?.name}
        </p>
        <InputBar />
        <DownloadMenu />
        <ThemeSwitch />
        <Help isOpen={isHelpOpen} onOpenChange={setHelpOpen} />
      </header>
      <TransportBar commands={commands} />
      <Banner />
      <ReportPanel />
      <BatchPanel />
      <main className="view" data-view={view}>
        <Suspense>
          <Body commands={commands} />
        </Suspense>
      </main>
      <Notices />
      <DropZone />
    </div>
  );
}
