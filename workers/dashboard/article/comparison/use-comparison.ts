/** The run of a comparison: first the one backend, then the other, so that neither takes the other's time. */
import { useEffect, useRef, useState } from "preact/hooks";
import { describe } from "../../api/problem.ts";
import type { Visit } from "./race.ts";
import { follow, race } from "./race.ts";
import type { Work } from "./rivals.ts";
import { pageOf, progressOf, toBackend, toStream } from "./rivals.ts";

export type Side = "synchronous" | "stream";
export type Phase = "idle" | "waking" | Side | "counting" | "done";

export interface Run {
  readonly phase: Phase;
  readonly work?: Work;
  readonly visits: number;
  readonly visitors: number;
  readonly synchronous: readonly Visit[];
  readonly stream: readonly Visit[];
  /** When the side that is under way began, of `performance.now()`. */
  readonly startedAt: number;
  readonly problem?: string;
}

export interface Wish {
  readonly work: Work;
  readonly visits: number;
  readonly visitors: number;
}

const NONE: Run = { phase: "idle", visits: 0, visitors: 0, synchronous: [], stream: [], startedAt: 0 };

export interface Comparison {
  readonly run: Run;
  start(wish: Wish): void;
  stop(): void;
}

export function useComparison(): Comparison {
  const [run, setRun] = useState(NONE);
  const under = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => under.current?.abort(), []);
  return {
    run,
    start(wish) {
      under.current?.abort();
      const controller = new AbortController();
      under.current = controller;
      const change = (more: Partial<Run>) => {
        if (!controller.signal.aborted) setRun((before) => ({ ...before, ...more }));
      };
      setRun({ ...NONE, ...wish });
      compare(wish, change, controller.signal).catch((thrown: unknown) => {
        change({ phase: "idle", problem: describe(thrown) });
        controller.abort();
      });
    },
    stop() {
      under.current?.abort();
      setRun((before) => ({ ...before, phase: "idle" }));
    },
  };
}

async function compare(
  { work, visits, visitors }: Wish,
  change: (more: Partial<Run>) => void,
  signal: AbortSignal,
): Promise<void> {
  const now = () => performance.now();
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const url = pageOf(crypto.randomUUID().slice(0, 8));
  const options = { visits, visitors, signal };

  const backend = { now, sleep, send: toBackend(work, url, signal) };
  const stream = { now, sleep, send: toStream(work, url, signal) };
  const counting = (from: number) => ({
    now: () => now() - from,
    sleep,
    ask: (ticket: string) => progressOf(ticket, signal),
  });

  change({ phase: "waking" });
  const first = { visits: 1, visitors: 1, signal, onChange() {} };
  await race(backend, first);
  await follow(counting(now()), await race(stream, first), first);

  change({ phase: "synchronous", startedAt: now() });
  await race(backend, { ...options, onChange: (synchronous) => change({ synchronous }) });

  const startedAt = now();
  change({ phase: "stream", startedAt });
  const sent = await race(stream, { ...options, onChange: (all) => change({ stream: all }) });

  change({ phase: "counting" });
  await follow(counting(startedAt), sent, { signal, onChange: (all) => change({ stream: all }) });
  change({ phase: "done" });
}
