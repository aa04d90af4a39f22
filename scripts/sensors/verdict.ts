/** Verdict: waits until all that was sent is final and can be read, and says where that differs from the recount. */
import { setTimeout as sleep } from "node:timers/promises";
import { alertDifferences, averageDifferences } from "./compare.ts";
import type { Hook } from "./hook.ts";
import type { AlertRow, AverageRow, Recount } from "./recount.ts";
import type { Server } from "./server.ts";
import type { SeenAlert, Watch } from "./watch.ts";

export interface Run {
  readonly server: Server;
  readonly recount: Recount;
  readonly watch: Watch;
  readonly hook: Hook | undefined;
  /** When the first reading could be, epoch milliseconds. */
  readonly start: number;
  /** How many alerts each sensor had raised before. */
  readonly before: ReadonlyMap<string, number>;
}

export interface Verdict {
  /** One line for each disagreement. */
  readonly differences: readonly string[];
  readonly averages: number;
  readonly expected: readonly AlertRow[];
  readonly seen: readonly SeenAlert[];
}

/** Beyond a window's end: the job's out-of-orderness, and what watermarks take on a machine that is busy. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 1_000;
const WINDOW_MS = 60_000;
/** Longer than a reading speaks for its sensor: an alert may still be raised so long after the last reading. */
const SETTLE_MS = 45_000;

/** Never longer than a minute after the clock has passed all windows: what is not there then is a difference. */
export async function judge(run: Run): Promise<Verdict> {
  const { server, recount, watch, hook, before } = run;
  const expected = recount.averages();
  const alerts = recount.alerts();
  const starts = [...expected.values()].map(({ start }) => start);
  const [from, to] = [Math.min(...starts), Math.max(...starts) + WINDOW_MS];
  const deadline = Math.max(Date.now(), to + SETTLE_MS) + PATIENCE_MS;
  for (;;) {
    const rows = (await server.windows(from, to)).filter(({ start }) => start >= from);
    const got = new Map<string, AverageRow>(rows.map((row) => [`${row.start} ${row.district}`, row]));
    const open = rows.filter(({ final }) => !final).length;
    const differences = [
      ...averageDifferences(got, expected),
      ...(open > 0 ? [`${open} windows are not final`] : []),
      // One that is resolved soon after may have given way between two looks: that it was raised is counted apart.
      ...alertDifferences(latestOf(await ofThisRun(run)), latestOf(alerts)),
      ...raisedDifferences(await server.raised(), before, alerts),
      ...(hook === undefined ? [] : alertDifferences(hook.alerts, alerts).map((line) => `webhook: ${line}`)),
    ];
    if (differences.length === 0 || Date.now() > deadline) {
      return { differences, averages: expected.size, expected: alerts, seen: watch.alerts };
    }
    await sleep(LOOK_MS);
  }
}

async function ofThisRun({ server, start }: Run): Promise<AlertRow[]> {
  return (await server.alerts()).filter(({ since }) => since >= start);
}

/** The last one of each sensor, as the view has it. */
function latestOf(alerts: readonly AlertRow[]): AlertRow[] {
  return [...new Map(alerts.toSorted((a, b) => a.at - b.at).map((alert) => [alert.sensor, alert])).values()];
}

/** That each episode was raised once is seen in how many a sensor has raised. */
export function raisedDifferences(
  now: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  expected: readonly AlertRow[],
): string[] {
  const wanted = new Map<string, number>();
  for (const { sensor, kind } of expected) {
    if (kind === "raised") wanted.set(sensor, (wanted.get(sensor) ?? 0) + 1);
  }
  const found: string[] = [];
  for (const sensor of new Set([...now.keys(), ...wanted.keys()])) {
    const raised = (now.get(sensor) ?? 0) - (before.get(sensor) ?? 0);
    const times = wanted.get(sensor) ?? 0;
    if (raised !== times) found.push(`${sensor} has raised ${raised} alerts, the recount says ${times}`);
  }
  return found;
}
