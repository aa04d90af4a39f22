/** What a stated workload would cost: an estimate from list prices, with its arithmetic shown. */
import { prices } from "../../src/cloudflare/prices.ts";
import type { Plan } from "../../src/index.ts";
import { assumedLines, CALL_MS } from "./estimate/assumed.ts";
import { EVENT_BYTES, flowOf, RECORD_BYTES } from "./estimate/flow.ts";
import type { EstimateLine } from "./estimate/lines.ts";
import { many, n, operatorLines, sourceLines, totalOf } from "./estimate/lines.ts";
import type { Workload } from "./estimate/workload.ts";
import { checkSelectivity, sourceOf } from "./estimate/workload.ts";
import { table } from "./table.ts";

export type { EstimateLine } from "./estimate/lines.ts";
export type { Workload } from "./estimate/workload.ts";

export interface Estimate extends Required<Omit<Workload, "rate">> {
  /** Events a second, and what a day of them costs; undefined where no rate is stated. */
  readonly rate?: number;
  readonly dollarsADay?: number;
  readonly pricesAsOf: string;
  readonly lines: readonly EstimateLine[];
  readonly dollars: number;
  /** All four are for a million events. */
  readonly perMillionEvents: {
    readonly messages: number;
    readonly shardCalls: number;
    readonly rowsWritten: number;
    readonly dollars: number;
  };
}

const DAY = 86_400;

/** @throws UsageError when it is not clear which source is meant, or a selectivity is for nothing. */
export function estimate(plan: Plan, workload: Workload): Estimate {
  checkSelectivity(plan, workload);
  const { name } = sourceOf(plan, workload.source);
  const { source, operators } = flowOf(plan, workload);
  const { events, batch, keys, selectivity, rate } = workload;
  const counts = [
    ...sourceLines(name, source),
    ...operators.filter(({ commits }) => commits > 0).flatMap((flow) => operatorLines(flow, keys)),
  ];
  const lines = [...counts, ...assumedLines(events, counts)];
  const dollars = lines.reduce((sum, line) => sum + line.dollars, 0);
  const messages = source.messages + operators.reduce((sum, flow) => sum + flow.messages, 0);
  const perMillion = (count: number) => (count / events) * 1e6;
  return {
    source: name,
    ...{ events, batch, keys, selectivity },
    ...(rate === undefined ? {} : { rate, dollarsADay: (dollars / events) * rate * DAY }),
    pricesAsOf: prices.asOf,
    lines,
    dollars,
    perMillionEvents: {
      messages: perMillion(messages),
      shardCalls: perMillion(totalOf(counts, "object requests")),
      rowsWritten: perMillion(totalOf(counts, "rows written")),
      dollars: perMillion(dollars),
    },
  };
}

export function estimateText(it: Estimate): string {
  const rows = it.lines.map(({ part, what, arithmetic, count, dollarsPerMillion, dollars }, at) => [
    it.lines[at - 1]?.part === part ? "" : part,
    what,
    arithmetic,
    n(count),
    dollarsPerMillion.toFixed(dollarsPerMillion < 0.01 ? 3 : 2),
    dollars.toFixed(4),
  ]);
  const total = ["total", "", "", "", "", it.dollars.toFixed(4)];
  const { messages, shardCalls, rowsWritten, dollars } = it.perMillionEvents;
  const told = Object.entries(it.selectivity).map(([name, factor]) => `${name} emits ${n(factor)}`);
  return [
    `Estimate, at list prices of ${it.pricesAsOf}: ${many(it.events, "event")} into ${it.source}, ${n(it.batch)} a request, ${many(it.keys, "key")}\n`,
    ...table(["", "", "arithmetic", "count", "$ a million", "$"], [...rows, total], [3, 4, 5]).map(
      (row) => `  ${row}`,
    ),
    `${dayText(it)}\n  Per million events: ${many(Math.round(messages), "message")}, ${many(Math.round(shardCalls), "shard call")}, ${many(Math.round(rowsWritten), "row")}, $${dollars.toFixed(4)}\n`,
    `It assumes ${batchesText(it)}, keys of ${RECORD_BYTES} bytes spread evenly, events of ${EVENT_BYTES} bytes, and no retries.`,
    `For each event an operator emits one${told.length > 0 ? ` (but ${told.join(", ")})` : ""}, to each of its outputs that is read; an aggregate one for each key that a commit changes. A commit is handed on in a call to each shard that it touches, at most: under load several share one.`,
    `What is marked ~ is no count: CPU time is what the bench found, on the high side; that an object is at work for ${CALL_MS} ms a call is a guess, and one that waits for a sink or a source is so for as long.`,
    "It leaves out alarms and timers, storage, queries, what other sources send, and requests under an idempotency key.\n",
  ].join("\n");
}

function dayText({ rate, dollarsADay }: Estimate): string {
  if (rate === undefined || dollarsADay === undefined) return "";
  return `\n  A day at ${many(rate, "event")} a second: $${dollarsADay.toFixed(4)}`;
}

function batchesText({ rate }: Estimate): string {
  return rate === undefined
    ? "full batches (slow traffic makes smaller ones, so more calls and commits: say --rate N)"
    : "even traffic from one isolate, whose queue waits for a batch as long as its source says";
}
