"use client";
import { useEffect, useState } from "react";
import { useMeterWebsocket } from "antiphon/react";
import { probe } from "../../probe.js";

/** Rendered on the server first, where there is no socket and no sound. */
export default function Page() {
  const [url, setUrl] = useState();
  const { status } = useMeterWebsocket({ url });
  useEffect(() => {
    setUrl(new URLSearchParams(location.search).get("server"));
    void probe();
  }, []);
  return <p id="status">{status}</p>;
}
