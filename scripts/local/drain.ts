/**
 * Drain: waits until everything that was accepted is applied, by the last operator behind it.
 *
 * What is on its way is in a request, in a queue, in a delivery, or in the outbox of a shard. A look at all of these
 * takes a while, in which something may move from a place that is still to be looked at to one that was: so only several
 * looks in a row that find nothing, and nothing moved between them, are an answer.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { shardNames } from "../../src/cloudflare/rpc.ts";
import type { Plan } from "../../src/plan.ts";
import { stagesOf } from "../../src/plan.ts";
import type { LedgerQuestion, LedgerState, ValveState } from "./instruments.ts";

/** What is accepted and not applied yet. */
export interface Remainder {
  /** Requests that are being answered. */
  readonly requests: number;
  /** Messages in queues, in delivery or waiting for a retry. The local queue is memory: a stop loses them. */
  readonly messages: number;
  /** Segments in the outboxes of shards: in the state folder, and still to be handed over. */
  readonly outputs: number;
}

/** How the runtime asks its instruments. */
export interface DrainPorts {
  /** Closes the valve; undefined where there is none. */
  readonly valve: () => Promise<ValveState | undefined>;
  readonly ledger: (shards: LedgerQuestion) => Promise<LedgerState | undefined>;
}

export interface DrainOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (left: Remainder) => void;
}

/** Between two looks. A message on its way from a queue to a Worker is in neither for less than this. */
const LOOK_MS = 60;
const QUIET_LOOKS = 2;

/**
 * @param plan what the Workers run; without one there are no outboxes to look into.
 * @returns what is left: zeros, unless it was aborted. @throws when the Workers do not answer.
 */
export async function drain(
  plan: Plan | undefined,
  ports: DrainPorts,
  { signal, onProgress }: DrainOptions = {},
): Promise<Remainder> {
  const emitters = plan === undefined ? [] : emittersOf(plan);
  // Only with stages does something go from an outbox into a queue again.
  const circular = plan !== undefined && stagesOf(plan).length > 0;
  let last = await look(emitters, ports);
  for (let quiet = 0; quiet < QUIET_LOOKS && !signal?.aborted; ) {
    onProgress?.(last.left);
    await sleep(LOOK_MS);
    const now = await look(emitters, ports);
    const { requests, messages, outputs } = now.left;
    // It may have been in an outbox while the queues were looked at, and the other way round, but not without a commit.
    const moved = circular && now.commits !== last.commits;
    quiet = requests + messages + outputs === 0 && !moved ? quiet + 1 : 0;
    last = now;
  }
  return last.left;
}

async function look(emitters: LedgerQuestion, ports: DrainPorts) {
  const valve = await ports.valve();
  const ledger = await ports.ledger(emitters);
  const { backlog = 0, unsettled = 0, outputs = 0, commits = 0 } = ledger ?? {};
  return { left: { requests: valve?.inFlight ?? 0, messages: backlog + unsettled, outputs }, commits };
}

/** The names of the shards that others read. */
function emittersOf(plan: Plan): string[] {
  const emitting = [...plan.operators.values()].filter(({ outputs }) => outputs.targets.length > 0);
  return emitting.flatMap((operator) => shardNames(plan.generation, operator));
}
