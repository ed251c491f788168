import { Toggle, ToggleGroup } from "radix-ui";
import { useSession } from "../app/hooks";
import { prefs, usePrefs } from "../app/prefs";
import { switchToBrowser, switchToServer } from "../app/session";
import { stay } from "../app/standIn";
import { Icon } from "../ui/Icon";

/** Who makes the sound: the server, or the same engine in this browser. */
export function SourceSwitch() {
  const mode = useSession((state) => state.mode);
  const failover = usePrefs((state) => state.failover);
  const isSwitching = useSession((state) => state.isSwitching);
  return (
    <>
      <ToggleGroup.Root
        type="single"
        className="segments"
        aria-label="Source"
        value={mode}
        data-busy={isSwitching}
        onValueChange={(value) => {
          if (value === "browser") void switchToBrowser();
          // Pressed again while the browser is made ready: it is not wanted any more.
          if (value === "server" || (value === "" && mode === "server")) switchToServer();
          // Pressed again while it stands in: it is what is wanted.
          else if (value === "") stay();
        }}
      >
        <ToggleGroup.Item className="segment" value="server" data-testid="source-server">
          Server
        </ToggleGroup.Item>
        <ToggleGroup.Item className="segment" value="browser" data-testid="source-browser" disabled={isSwitching}>
          This browser
        </ToggleGroup.Item>
      </ToggleGroup.Root>
      <Toggle.Root
        className="button icon-button toggle"
        pressed={failover}
        aria-label="Play on in this browser when the server is gone"
        title="Play on in this browser when the server is gone, and return when it is back"
        data-testid="failover"
        onPressedChange={(pressed) => prefs.setState({ failover: pressed })}
      >
        <Icon name="failover" />
      </Toggle.Root>
    </>
  );
}
