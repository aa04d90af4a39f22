/** useFeeder: a feeder that stops when its page is left, or has not been looked at for a while. */
import { useEffect, useMemo } from "preact/hooks";
import { Feeder } from "./feeder.ts";
import { feederPorts } from "./ports.ts";

const HIDDEN_MS = 30_000;

export function useFeeder(): Feeder {
  const feeder = useMemo(() => new Feeder(feederPorts), []);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      if (!document.hidden) return;
      timer = setTimeout(
        () => feeder.stop("It stopped by itself, since nobody has looked at the page for half a minute."),
        HIDDEN_MS,
      );
    };
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
      feeder.stop();
    };
  }, [feeder]);
  return feeder;
}
