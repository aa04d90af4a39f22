/** Workloads: what is sent to every contender. */
import type { Workload } from "./load/protocol.ts";

const SIZES = [1, 100, 500, 5_000];

const SPREADS = [
  { keys: 200, spread: "uniform", words: "200 URLs" },
  { keys: 200, spread: "zipf", words: "200 URLs, Zipf" },
  { keys: 1_000_000, spread: "uniform", words: "1M URLs" },
  { keys: 1_000_000, spread: "zipf", words: "1M URLs, Zipf" },
  { keys: 1, spread: "uniform", words: "one hot URL" },
] as const;

/** How many requests are under way at once, where a workload does not say. */
export const CONNECTIONS = 32;
const MANY_CONNECTIONS = 128;

/** Few keys first: state grows as the bench goes on. */
export const workloads: readonly Workload[] = [
  ...withKeys(200),
  ...[1, 500].map((events) => crowded(workloadOf(events, 200))),
  ...withKeys(1),
  ...withKeys(1_000_000),
];

function withKeys(keys: number): Workload[] {
  return SPREADS.filter((one) => one.keys === keys).flatMap(({ spread, words }) =>
    SIZES.map((events) => workloadOf(events, keys, spread, words)),
  );
}

/** More at once: what requests share is shared by more of them. */
function crowded(workload: Workload): Workload {
  return {
    ...workload,
    name: `${workload.name}, ${MANY_CONNECTIONS} connections`,
    connections: MANY_CONNECTIONS,
  };
}

const QUICK = [
  "1 a request, 200 URLs",
  "1 a request, 200 URLs, 128 connections",
  "100 a request, 200 URLs",
  "500 a request, 200 URLs",
  "500 a request, 1M URLs",
];

/** @param only names, or beginnings of names; none for all. */
export function chosen(quick: boolean, only: readonly string[]): Workload[] {
  if (only.length === 0) return workloads.filter(({ name }) => !quick || QUICK.includes(name));
  const exact = new Set(only.filter((words) => workloads.some(({ name }) => name === words)));
  return workloads.filter(
    ({ name }) => exact.has(name) || only.some((words) => !exact.has(words) && name.startsWith(words)),
  );
}

export function workloadOf(
  events: number,
  keys: number,
  spread: Workload["spread"] = "uniform",
  words = keys === 1_000_000 ? "1M URLs" : `${keys.toLocaleString("en-US")} URLs`,
): Workload {
  return { name: `${events.toLocaleString("en-US")} a request, ${words}`, events, keys, spread };
}
