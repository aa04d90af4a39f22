/** useFetched: an answer of the API that is asked for once, and again when what it depends on changes or time has passed. */
import { useEffect, useState } from "preact/hooks";
import { ApiProblem } from "../api/client.ts";
import { key } from "../state/keys.ts";

export interface Fetched<T> {
  /** The last answer; it stays while the next one is on its way. */
  readonly data?: T;
  readonly problem?: unknown;
}

/** How long after a failure it tries again, ms. */
const RETRY_MS = 5_000;

/**
 * @param load undefined when there is nothing to ask for.
 * @param name says all that `load` depends on: with another name, what is there is dropped.
 * @param every how often it asks again, ms; a hidden page does not.
 */
export function useFetched<T>(
  name: string,
  load: ((signal: AbortSignal) => Promise<T>) | undefined,
  { every, again = 0 }: { every?: number; again?: number } = {},
): Fetched<T> {
  const [state, setState] = useState<Fetched<T> & { name: string }>({ name });
  const used = key.value;
  // `name` says what `load` depends on.
  useEffect(() => {
    if (load === undefined) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = (ms: number) => {
      timer = setTimeout(() => (document.hidden ? later(ms) : void ask()), ms);
    };
    const ask = async () => {
      try {
        const data = await load(stop.signal);
        if (stop.signal.aborted) return;
        setState({ name, data });
        if (every !== undefined) later(every);
      } catch (problem) {
        if (stop.signal.aborted) return;
        setState((before) => ({ ...(before.name === name ? before : { name }), problem }));
        // What was refused stays so until somebody does something about it.
        if (!(problem instanceof ApiProblem) || problem.status === 0 || problem.status >= 429)
          later(RETRY_MS);
      }
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [name, every, again, used]);
  return state.name === name ? state : {};
}
