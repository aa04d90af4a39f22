/** Costs: what the platform would bill for a million events, in runs of their own, since counting takes time too. */
import type { LoadGenerator } from "./load/driver.ts";
import type { Workload } from "./load/protocol.ts";
import type { Counts } from "./meter/counts.ts";
import { meter, withMetered } from "./meter/run.ts";
import type { Bill } from "./meter.ts";
import type { ContenderName } from "./sources.ts";
import { workloadOf } from "./workloads.ts";

export interface Cost {
  readonly workload: string;
  readonly eventsARequest: number;
  readonly contender: ContenderName;
  readonly counts: Counts;
  readonly bill: Bill;
}

const FEW = 200;
const MANY = 1_000_000;
const SIZES = [1, 100, 1_000];

export async function measureCosts(
  generator: LoadGenerator,
  options: {
    readonly quick: boolean;
    readonly contenders: readonly ContenderName[];
    readonly wait: number | "config";
  },
): Promise<Cost[]> {
  const costs: Cost[] = [];
  for (const contender of options.contenders) {
    for (const workload of workloadsOf(contender, options.quick)) {
      const { counts, bill } = await withMetered(contender, { queueWait: options.wait }, (started) =>
        meter(started, generator, workload, eventsOf(workload, contender, options.quick)),
      );
      costs.push({ workload: workload.name, eventsARequest: workload.events, contender, counts, bill });
    }
  }
  return costs;
}

function workloadsOf(contender: ContenderName, quick: boolean): Workload[] {
  switch (contender) {
    case "limit":
    case "queued":
      return [];
    case "naive":
    case "synchronous":
      return (quick ? [100] : SIZES).map((events) => workloadOf(events, FEW));
    case "millrace":
      return [
        ...SIZES.map((events) => workloadOf(events, FEW)),
        ...(quick ? [1_000] : SIZES).map((events) => workloadOf(events, MANY)),
      ];
  }
}

/** Events of a run: enough for several checkpoints; fewer where each is a call. */
function eventsOf({ events, keys }: Workload, contender: ContenderName, quick: boolean): number {
  if (contender === "naive") return 4_000;
  if (events === 1 || contender === "synchronous") return quick ? 4_000 : 20_000;
  return (keys === MANY ? 1_000_000 : 300_000) * (quick ? 0.5 : 2);
}
