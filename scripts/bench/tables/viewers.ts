/** Table of viewers: what those who watch cost. */
import { table } from "../../plan/table.ts";
import { spreadOf } from "../throughput.ts";
import type { Viewing } from "../viewers.ts";
import { ms, n } from "./figures.ts";

const HEAD = [
  "viewers",
  "shard requests/s",
  "feed requests/s",
  "rows/s",
  "objects at work, s/s",
  "$ a day",
  "messages/s",
  "each, least",
  "most",
  "cut off",
  "posted until told p50",
  "p99",
  "CPU s/s",
  "MB",
];

/** Medians of the rounds. */
export function viewersTable(all: readonly Viewing[]): string[] {
  const rows = [...new Set(all.map(({ viewers }) => viewers))].map((viewers) => {
    const rounds = all.filter((one) => one.viewers === viewers);
    const of = (figure: (one: Viewing) => number) => spreadOf(rounds.map(figure)).median;
    return [
      n(viewers),
      of((one) => one.shardRequests).toFixed(1),
      of((one) => one.feedRequests).toFixed(1),
      of((one) => one.rowsWritten).toFixed(1),
      of((one) => one.awake).toFixed(2),
      of((one) => one.dollarsADay).toFixed(2),
      n(of((one) => one.messages)),
      of((one) => one.least).toFixed(1),
      of((one) => one.most).toFixed(1),
      n(Math.max(...rounds.map((one) => one.lost))),
      viewers === 0 ? "" : ms(of((one) => one.told?.p50 ?? Number.NaN)),
      viewers === 0 ? "" : ms(of((one) => one.told?.p99 ?? Number.NaN)),
      of((one) => one.cpu).toFixed(2),
      n(of((one) => one.megabytes)),
    ];
  });
  return table(
    HEAD,
    rows,
    HEAD.map((_, column) => column),
  );
}
