/** Pull: asks a pull source for events and commits them together with the offset that they end at. */
import { parseTime } from "../../duration.ts";
import { InvalidEventError } from "../../errors.ts";
import type { PullPlan, SourceEventTime } from "../../plan.ts";
import type { Pulled, PulledEvent, PullRequest } from "../../source.ts";
import { storable } from "../accumulator.ts";
import { watermarkOf } from "./counters.ts";
import type { StoredOffset } from "./processors/pull.ts";
import { OFFSET_KEY } from "./processors/pull.ts";
import type { Shard } from "./shard.ts";

/** When the source is to be asked, as far as storage says: epoch milliseconds, 0 before the first time. */
export function pullDueAt(shard: Shard): number {
  return storedOffset(shard)?.next ?? 0;
}

/**
 * Asks once and commits the answer. Must not run twice at the same time for one shard.
 *
 * @param guard runs what changes the shard.
 * @returns when to ask next, epoch milliseconds. An answer without events and with the offset of before is not stored:
 * an idle source costs no rows.
 * @throws what the source throws, or InvalidEventError when its answer is none: the offset stays where it was.
 */
export async function pullOnce(
  shard: Shard,
  env: PullRequest<unknown>["env"],
  guard: <T>(work: () => T) => T,
): Promise<number> {
  const { clock, operator } = shard.options;
  const { source, limit, everyMs } = operator as PullPlan;
  const stored = storedOffset(shard);
  const now = clock.now();
  const answer = await source.getEvents({ offset: stored?.offset ?? undefined, now, limit, env });
  const next = nextOf(source.name, answer, now + everyMs);
  const idle =
    answer.events.length === 0 &&
    JSON.stringify(answer.offset ?? null) === JSON.stringify(stored?.offset ?? null);
  if (idle) return next;
  // An answer that is none is the source's failure, not the shard's.
  const commit = prepare(shard, stored, answer, now, next);
  guard(commit);
  return next;
}

function prepare(
  shard: Shard,
  stored: StoredOffset | undefined,
  { events, offset, watermark }: Pulled<unknown, unknown>,
  now: number,
  next: number,
): () => void {
  const { name, limit, sourceTime } = shard.options.operator as PullPlan;
  if (events.length > limit) {
    throw new InvalidEventError(
      `source ${name}: getEvents gave ${events.length} events; the limit is ${limit}`,
    );
  }
  const pulls = (stored?.pulls ?? 0) + 1;
  const after: StoredOffset = { offset: storable([offset ?? null])[0], next, pulls };
  const emissions = events.map((event: PulledEvent<unknown>, n) => {
    if (!isObject(event)) throw new InvalidEventError(`source ${name}: event ${n} is no object with data`);
    const { id, time, data } = event;
    if (id !== undefined && typeof id !== "string")
      throw new InvalidEventError(`source ${name}: the id of event ${n} is no text`);
    return { id: id ?? `${name}.${pulls}.${n}`, time: time === undefined ? now : timeOf(name, time), data };
  });
  return () =>
    shard.transact([OFFSET_KEY], (commit) => {
      for (const event of emissions) commit.emit(undefined, event);
      commit.put(OFFSET_KEY, after);
      const { counters } = commit;
      const reached = reachedBy(sourceTime, emissions, watermark);
      if (reached > watermarkOf(counters)) counters.watermark = reached;
    });
}

/** Up to where, in event time, a pull source has come by its last answer. Epoch milliseconds; −1 before the first. */
function reachedBy(
  { watermarks, outOfOrderness }: SourceEventTime,
  events: readonly { readonly time: number }[],
  stated: number | undefined,
): number {
  if (watermarks === "explicit") return stated ?? -1;
  return events.reduce((latest, { time }) => Math.max(latest, time), -1) - outOfOrderness - 1;
}

/** The watermark of a pull source's shard, before what it has emitted and nobody has committed. Epoch milliseconds. */
export function pullWatermark(shard: Shard): number {
  const { sourceTime } = shard.options.operator as PullPlan;
  // What it is going to be asked for comes after now.
  if (sourceTime.watermarks === "arrival") return shard.options.clock.now() - sourceTime.outOfOrderness - 1;
  return watermarkOf(shard.counters);
}

/** @throws InvalidEventError when the answer is none: a source that is never asked again would be silent for ever. */
function nextOf(source: string, answer: Pulled<unknown, unknown>, otherwise: number): number {
  if (!isObject(answer) || !Array.isArray(answer.events))
    throw new InvalidEventError(
      `source ${source}: getEvents gave no list of events; give { events, offset }`,
    );
  const { next = otherwise } = answer;
  if (Number.isFinite(next)) return next;
  throw new InvalidEventError(`source ${source}: next is epoch milliseconds, not ${String(next)}`);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function storedOffset(shard: Shard): StoredOffset | undefined {
  return shard.state.get(OFFSET_KEY) as StoredOffset | undefined;
}

function timeOf(source: string, time: number | string): number {
  const parsed = parseTime(time);
  // No shard takes a time before 1970: it would refuse its whole segment for ever.
  if (parsed !== undefined && parsed >= 0) return parsed;
  throw new InvalidEventError(`source ${source}: not a time: ${JSON.stringify(time)}`);
}
