/** Viewers of a live view: what a thousand of them cost the shards, beside one, and none, under the same load. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Contender } from "./contender.ts";
import { VIEW } from "./contender.ts";
import { LoadGenerator } from "./load/driver.ts";
import type { Percentiles } from "./load/protocol.ts";
import { type Counts, differenceOf } from "./meter/counts.ts";
import { countsOf, withMetered } from "./meter/run.ts";
import type { Options } from "./options.ts";
import { cpuSeconds, memory } from "./process.ts";
import { workloadOf } from "./workloads.ts";

const VIEWERS = [0, 1, 1_000];
const QUESTION = `${VIEW}/live?top=10`;
const REQUESTS_PER_SECOND = 50;
const EVENTS = 20;
const SETTLE_MS = 500;
const SECONDS_A_DAY = 86_400;

/** Of one round. Rates are a second. */
export interface Viewing {
  readonly viewers: number;
  readonly shardRequests: number;
  readonly feedRequests: number;
  readonly rowsWritten: number;
  /** How long objects of the view were at work, each by itself, seconds, and what the view costs a day, by its own `/metrics`. */
  readonly awake: number;
  readonly dollarsADay: number;
  /** To all viewers. */
  readonly messages: number;
  /** To each of them, the least and the most. */
  readonly least: number;
  readonly most: number;
  readonly lost: number;
  /** From a post until a viewer of its key is told, ms; none without viewers. */
  readonly told: Percentiles | undefined;
  /** CPU seconds, and megabytes of the process. */
  readonly cpu: number;
  readonly megabytes: number;
}

/** Rounds in turn, so that what the machine does besides hits all alike. */
export async function measureViewers({ rounds, seconds }: Options): Promise<Viewing[]> {
  const [load, audience, witness] = [new LoadGenerator(), new LoadGenerator(), new LoadGenerator()];
  try {
    return await withMetered("millrace", { queueWait: 0 }, async (contender) => {
      const found: Viewing[] = [];
      for (let round = 0; round < rounds; round++) {
        for (const viewers of VIEWERS) {
          found.push(await view(contender, { load, audience, witness }, viewers, seconds));
        }
      }
      return found;
    });
  } finally {
    for (const generator of [load, audience, witness]) generator.stop();
  }
}

type Generators = Readonly<Record<"load" | "audience" | "witness", LoadGenerator>>;

async function view(
  contender: Contender,
  { load, audience, witness }: Generators,
  viewers: number,
  seconds: number,
): Promise<Viewing> {
  const to = contender.address;
  await audience.run({ kind: "watch", to, path: QUESTION, viewers });
  const [before, cpuBefore] = [await countsOf(contender), cpuSeconds(contender.pid)];
  const billedBefore = await billedAt(contender);
  const workload = workloadOf(EVENTS, 200);
  const [steady, pushed] = await Promise.all([
    load.run({
      kind: "steady",
      ...{ to, workload, seconds, rate: REQUESTS_PER_SECOND },
      readPath: `${VIEW}?key=`,
    }),
    viewers === 0 ? undefined : witness.run({ kind: "push", to, path: `${VIEW}/live?key=`, seconds }),
  ]);
  contender.accepted += steady.accepted + (pushed?.accepted ?? 0);
  await contender.settled();
  const counts = differenceOf(await countsOf(contender), before);
  const billed = await billedAt(contender);
  const cpu = cpuSeconds(contender.pid) - cpuBefore;
  const megabytes = memory(contender.pid);
  await sleep(SETTLE_MS);
  const { least, most, messages, lost } = await audience.run({
    ...{ kind: "watch", to, path: QUESTION },
    viewers: 0,
  });
  const rate = (name: keyof Counts) => counts[name] / seconds;
  return {
    viewers,
    shardRequests: rate("shardRequests"),
    feedRequests: rate("feedRequests"),
    rowsWritten: rate("rowsWritten"),
    awake: (billed.milliseconds - billedBefore.milliseconds) / 1000 / seconds,
    dollarsADay: ((billed.dollars - billedBefore.dollars) / seconds) * SECONDS_A_DAY,
    messages: messages / seconds,
    least: least / seconds,
    most: most / seconds,
    lost,
    told: pushed?.told,
    cpu: cpu / seconds,
    megabytes,
  };
}

/** What the deployment itself says of the view. */
async function billedAt({ runtime }: Contender): Promise<{ milliseconds: number; dollars: number }> {
  const text = await (await fetch(new URL("/metrics", runtime.directUrl))).text();
  const sum = (metric: string) => {
    const samples = text.matchAll(new RegExp(`^${metric}\\{part="page-views".*\\} (\\S+)$`, "gm"));
    return [...samples].reduce((total, [, value]) => total + Number(value), 0);
  };
  return {
    milliseconds: sum("millrace_billed_object_milliseconds_total"),
    dollars: sum("millrace_cost_dollars_total"),
  };
}
