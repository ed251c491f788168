// Where a server's streams are, from whatever a person calls it.
import { AntiphonError } from "./errors.ts";

/** `ws://host:port` and a path. Throws an AntiphonError for what is no URL of a server, or not allowed from this page. */
export function streamBase(url: string): string {
  const page = typeof location === "undefined" ? undefined : location;
  const parsed = parse(url, page);
  const isSecure = parsed.protocol === "https:" || parsed.protocol === "wss:";
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname);
  if (page?.protocol === "https:" && !isSecure && !isLoopback) {
    throw new AntiphonError(
      "mixed-content", `a page from https may not open ${parsed.origin}`,
      "start the server with --tls-cert and --tls-key, or open the page over http");
  }
  return `${isSecure ? "wss" : "ws"}://${parsed.host}${parsed.pathname.replace(/\/+$/, "")}`;
}

function parse(url: unknown, page: Location | undefined): URL {
  // Without a scheme "localhost:80" is one, and "127.0.0.1:80" a file next to the page.
  const isAllowed = (text: string) => text === "" || text.startsWith("/") || /^(https?|wss?):\/\//i.test(text);
  const text = String(url);
  let cause: unknown;
  try {
    if (isAllowed(text)) return new URL(text || (page?.origin ?? ""), page?.href);
  } catch (error) {
    cause = error;
  }
  throw new AntiphonError("invalid-url", `${JSON.stringify(text)} is not a server's URL`, "give http://host:port", cause);
}
