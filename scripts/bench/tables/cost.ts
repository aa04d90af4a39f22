/** Tables of what the platform would bill. */
import { table } from "../../plan/table.ts";
import type { Cost } from "../costs.ts";
import { paper } from "../paper.ts";
import { n } from "./figures.ts";

export function costTable(costs: readonly Cost[]): string[] {
  const head = [
    "",
    "",
    "requests",
    "queue",
    "objects",
    "rows",
    "R2",
    "counted $",
    "CPU, time",
    "messages a batch",
    "rows an event",
  ];
  const rows = costs.map(({ workload, contender, counts, bill }) => {
    const dollars = (...names: string[]) =>
      bill.lines
        .filter(({ what }) => names.includes(what))
        .reduce((sum, line) => sum + line.dollars, 0)
        .toFixed(4);
    return [
      workload,
      contender,
      dollars("Worker requests"),
      dollars("queue operations"),
      dollars("object requests"),
      dollars("rows written", "rows read"),
      dollars("R2, class A", "R2, class B"),
      bill.counted.toFixed(4),
      `~${(bill.withEstimates - bill.counted).toFixed(4)}`,
      counts.batches === 0 ? "" : (counts.deliveries / counts.batches).toFixed(1),
      (counts.rowsWritten / bill.events).toFixed(6),
    ];
  });
  return table(head, rows, [2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

export function paperTable(costs: readonly Cost[]): string[] {
  const head = [
    "",
    "requests",
    "messages",
    "queues",
    "batches",
    "calls a shard",
    "rows",
    "$ a day",
    "with CPU, time",
    "breaks first",
  ];
  const rows = costs
    .filter(({ contender }) => contender === "millrace")
    .map(paper)
    .map((one) => [
      one.workload,
      n(one.requests),
      n(one.messages),
      n(one.queues),
      n(one.batches),
      n(one.calls),
      n(one.rows),
      n(one.dollarsADay),
      `~${n(one.estimatedADay)}`,
      one.breaksFirst,
    ]);
  return table(head, rows, [1, 2, 3, 4, 5, 6, 7, 8]);
}
