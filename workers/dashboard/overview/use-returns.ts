/** useReturns: how often a connection has come back after a break, so that what was fetched besides is fetched again. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { LiveStatus } from "../api/live.ts";

export function useReturns(status: LiveStatus): number {
  const [returns, setReturns] = useState(0);
  const was = useRef<"never" | "live" | "broken">("never");
  useEffect(() => {
    if (status !== "live") {
      if (was.current === "live") was.current = "broken";
      return;
    }
    if (was.current === "broken") setReturns((n) => n + 1);
    was.current = "live";
  }, [status]);
  return returns;
}
