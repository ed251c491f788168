/** The page as an installed program: its files are kept by a service worker, and it starts without any server. */
import { registerSW } from "virtual:pwa-register";
import { notify } from "./notices";

export function keepOffline(): void {
  // Not on insecure pages; there the page works as long as its server does.
  if (!("serviceWorker" in navigator)) return;
  const update = registerSW({
    onNeedRefresh: () => {
      notify("info", "A new version of this page is there", "It is taken when the page is loaded anew.", {
        label: "Reload",
        run: () => void update(true),
      });
    },
  });
}
