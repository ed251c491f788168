import { WebSocketSync } from "antiphon/react/streams";

export const metadata = { icons: { icon: "data:," } };

/** A server component: without "use client" in the package's entry it would not build. Without a source nothing is synced. */
export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <WebSocketSync />
        {children}
      </body>
    </html>
  );
}
