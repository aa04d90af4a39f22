/** Throughput: how fast events are accepted, and how fast the views hold all of them. */
import type { Contender } from "./contender.ts";
import type { LoadGenerator } from "./load/driver.ts";
import { withSink } from "./load/driver.ts";
import type { Workload } from "./load/protocol.ts";
import { cpuSeconds, memory, peakMemory, resetPeak } from "./process.ts";
import { CONNECTIONS } from "./workloads.ts";

/** Events a second that are enough to keep a call and a row per event busy: more would only lengthen the wait. */
const NAIVE_RATE = 3_000;

export interface Spread {
  readonly median: number;
  /** (highest − lowest) / median. */
  readonly spread: number;
}

/** Of one contender under one workload, over all rounds. */
export interface Throughput {
  readonly workload: string;
  readonly eventsARequest: number;
  readonly contender: string;
  readonly requestsPerSecond: Spread;
  readonly acceptedPerSecond: Spread;
  readonly endToEndPerSecond: Spread;
  /** Answers 429 over all rounds. */
  readonly refused: number;
  /** CPU of its workerd beyond what it takes at rest. */
  readonly cpuSecondsPerMillion: number;
  /** Peak resident MB of its workerd beyond what it took at the start. */
  readonly peakMegabytes: number;
}

interface Round {
  readonly requests: number;
  readonly accepted: number;
  readonly endToEnd: number;
  readonly refused: number;
  readonly cpu: number;
  readonly peak: number;
}

/** Rounds go over all contenders in turn, so that noise hits all alike. */
export async function measureThroughput(
  contenders: readonly Contender[],
  generator: LoadGenerator,
  workload: Workload,
  options: { readonly rounds: number; readonly seconds: number },
): Promise<Throughput[]> {
  const rounds = contenders.map((): Round[] => []);
  const sent = contenders.map(() => 0);
  for (let round = 0; round < options.rounds; round++) {
    for (const [n, contender] of contenders.entries()) {
      const { requests, result } = await flood(contender, generator, workload, options.seconds, sent[n] ?? 0);
      sent[n] = (sent[n] ?? 0) + requests;
      rounds[n]?.push(result);
    }
  }
  return contenders.map(({ name }, n) => summary(workload, name, rounds[n] ?? []));
}

async function flood(
  contender: Contender,
  generator: LoadGenerator,
  workload: Workload,
  seconds: number,
  from: number,
): Promise<{ requests: number; result: Round }> {
  const { pid, name, idle } = contender;
  resetPeak(pid);
  const cpuBefore = cpuSeconds(pid);
  const { accepted, requests, refused, startedAt, ...result } = await generator.run({
    kind: "flood",
    to: contender.address,
    ...{ workload, seconds, from },
    connections: workload.connections ?? CONNECTIONS,
    maxEvents: name === "naive" ? NAIVE_RATE * seconds : Number.MAX_SAFE_INTEGER,
  });
  contender.accepted += accepted;
  const acceptedIn = result.seconds;
  // `limit` keeps nothing: what it has answered is all that there is.
  const appliedIn =
    name === "limit" ? acceptedIn : Math.max(acceptedIn, ((await contender.settled()) - startedAt) / 1000);
  const cpu = cpuSeconds(pid) - cpuBefore - idle.cpu * appliedIn;
  return {
    requests,
    result: {
      requests: requests / acceptedIn,
      accepted: accepted / acceptedIn,
      endToEnd: accepted / appliedIn,
      refused,
      cpu: (cpu / accepted) * 1e6,
      peak: Math.max(peakMemory(pid), memory(pid)) - idle.memory,
    },
  };
}

function summary(workload: Workload, contender: string, rounds: readonly Round[]): Throughput {
  return {
    workload: workload.name,
    eventsARequest: workload.events,
    contender,
    requestsPerSecond: spreadOf(rounds.map(({ requests }) => requests)),
    acceptedPerSecond: spreadOf(rounds.map(({ accepted }) => accepted)),
    endToEndPerSecond: spreadOf(rounds.map(({ endToEnd }) => endToEnd)),
    refused: rounds.reduce((sum, { refused }) => sum + refused, 0),
    cpuSecondsPerMillion: spreadOf(rounds.map(({ cpu }) => cpu)).median,
    peakMegabytes: Math.max(...rounds.map(({ peak }) => peak)),
  };
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
  return { median, spread: ((sorted.at(-1) ?? Number.NaN) - (sorted[0] ?? Number.NaN)) / median };
}

/** What the load generator itself can do, in requests a second, against a server that only answers. */
export async function measureCeiling(generator: LoadGenerator, workload: Workload): Promise<number> {
  return withSink(async (to) => {
    const job = { kind: "flood", to, workload, connections: CONNECTIONS, from: 0 } as const;
    await generator.run({ ...job, seconds: 0.3, maxEvents: Number.MAX_SAFE_INTEGER });
    const { requests, seconds } = await generator.run({
      ...job,
      seconds: 1,
      maxEvents: Number.MAX_SAFE_INTEGER,
    });
    return requests / seconds;
  });
}
