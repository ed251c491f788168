import { ToggleGroup } from "radix-ui";
import { useSession } from "../app/hooks";
import { switchToBrowser, switchToServer } from "../app/session";

/** Who makes the sound: the server, or the same engine in this browser. */
export function SourceSwitch() {
  const mode = useSession((state) => state.mode);
  const isSwitching = useSession((state) => state.isSwitching);
  return (
    <ToggleGroup.Root
      type="single"
      className="segments"
      aria-label="Source"
      value={mode}
      data-busy={isSwitching}
      onValueChange={(value) => {
        if (value === "browser") void switchToBrowser();
        if (value === "server") switchToServer();
      }}
    >
      <ToggleGroup.Item className="segment" value="server" data-testid="source-server">
        Server
      </ToggleGroup.Item>
      <ToggleGroup.Item className="segment" value="browser" data-testid="source-browser" disabled={isSwitching}>
        This browser
      </ToggleGroup.Item>
    </ToggleGroup.Root>
  );
}
