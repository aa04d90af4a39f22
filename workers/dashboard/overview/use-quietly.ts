/** useQuietly: a text that changes often, told seldom: what a screen reader is to read aloud by itself. */
import { useEffect, useRef, useState } from "preact/hooks";

const QUIET_MS = 30_000;

export function useQuietly(text: string): string {
  const [told, setTold] = useState("");
  const latest = useRef(text);
  latest.current = text;
  const silent = text === "";
  useEffect(() => {
    if (silent) return;
    const tell = () => setTold(latest.current);
    tell();
    const timer = setInterval(tell, QUIET_MS);
    return () => clearInterval(timer);
  }, [silent]);
  return told;
}
