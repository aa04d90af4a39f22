/** Tables of how things grow, and of what is inside. */
import { table } from "../../plan/table.ts";
import type { Heap } from "../inspect/heap.ts";
import type { Profile } from "../inspect/profile.ts";
import { type Scale, slope } from "../scale/scale.ts";
import { ms, n } from "./figures.ts";

export function scaleTable(all: readonly Scale[]): string[] {
  const head = [
    "keys",
    "shards",
    "end to end/s",
    "MB",
    "peak MB",
    "woken MB",
    "wake-up ms",
    "key p50",
    "p99",
    "top p50",
    "p99",
  ];
  const rows = all.map((one) => [
    n(one.keys),
    n(one.shards),
    n(one.eventsPerSecond),
    n(one.megabytes),
    n(one.peakMegabytes),
    n(one.wokenMegabytes),
    n(one.wakeUp),
    ms(one.oneKey.p50),
    ms(one.oneKey.p99),
    ms(one.top.p50),
    ms(one.top.p99),
  ]);
  return table(head, rows, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

export function slopeTable(all: readonly Scale[]): string[] {
  const figures: [string, (one: Scale) => number][] = [
    ["throughput", (one) => one.eventsPerSecond],
    ["memory", (one) => one.megabytes],
    ["wake-up", (one) => one.wakeUp],
    ["one key, p99", (one) => one.oneKey.p99],
    ["top=10, p99", (one) => one.top.p99],
  ];
  const distinct = (of: (one: Scale) => number) => [...new Set(all.map(of))];
  if (distinct(({ keys }) => keys).length < 2) return [];
  const rows = figures.map(([what, figure]) => [
    what,
    ...distinct(({ shards }) => shards).map((shards) =>
      slope(all.filter((one) => one.shards === shards).map((one) => [one.keys, figure(one)])).toFixed(2),
    ),
  ]);
  return table(
    ["with the keys", ...distinct(({ shards }) => shards).map((shards) => `${shards} shards`)],
    rows,
    [1, 2, 3],
  );
}

export function heapTable(all: readonly Heap[]): string[] {
  const rows = all.map(({ keys, live, buffers, peak }) => [n(keys), n(live), n(buffers), n(peak)]);
  return table(["keys", "alive", "of it buffers", "peak with garbage"], rows, [0, 1, 2, 3]);
}

export function profileTable({ functions }: Profile): string[] {
  const rows = functions.map(({ share, name, at }) => [`${(share * 100).toFixed(1)}%`, name, at]);
  return table(["of our code", "function", "at"], rows, [0]);
}
