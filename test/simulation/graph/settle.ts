/** Settle: the faults stop, what can be mended is mended and sent again, and everything goes on until nothing is left. */
import { watermarkOf } from "../../../src/engine/shard/counters.ts";
import type { StoredOffset } from "../../../src/engine/shard/processors/pull.ts";
import { OFFSET_KEY } from "../../../src/engine/shard/processors/pull.ts";
import { queuesOf } from "../../../src/plan.ts";
import { TAIL_MS } from "./coordinator.ts";
import { OperatorIsolate } from "./operators.ts";
import type { SimulatedQueue } from "./queue.ts";
import { isInEventTime } from "./spec.ts";
import { same, Violation } from "./violation.ts";
import type { GraphWorld } from "./world.ts";

const MOST_ROUNDS = 5_000;
const CLOSING_ROUNDS = 5;
const MOST_IDLE_ROUNDS = 6;
const HOUR = 3_600_000;

/** @throws Violation when it never comes to an end, or something is left that should not be. */
export async function settle(world: GraphWorld): Promise<void> {
  const { faults, shards, ledger } = world;
  if (hasMoved(world)) faults.happened("watermark moved among faults");
  faults.calm = true;
  world.version = "mended";
  if (!world.steady) {
    world.coordinator.evict();
    for (const isolate of world.operators) isolate.die();
    world.operators = [new OperatorIsolate(world, "mended")];
    for (const shard of shards.all.values()) {
      shard.crashing.calm();
      shard.evict();
    }
  }
  await drain(world);
  nothingIsMissing(world);
  if (world.steady) await closePrefixes(world);
  // Whatever dead isolates may have sent is given up, and all windows end.
  world.advance(TAIL_MS + HOUR);
  // No isolate lives that long.
  world.operators = [new OperatorIsolate(world, "mended")];
  await drain(world);
  ledger.check();
  same("messages that are left", liveQueues(world).flatMap(({ messages }) => messages).length, 0);
}

function hasMoved({ spec, shards }: GraphWorld): boolean {
  const timed = spec.nodes.filter(isInEventTime).flatMap(({ name }) => shards.of(name));
  return timed.some((shard) => watermarkOf(shard.stored().counters) >= 0);
}

/** Frontiers wait for nothing but what isolates that died, or lost an answer, may have sent. */
function nothingIsMissing({ coordinator, holdReports }: GraphWorld): void {
  for (const [source, { holds }] of Object.entries(coordinator.status().sources)) {
    const most = holdReports.mayBeHeld(source);
    if (holds > most)
      throw new Violation(`${source}: its frontier waits for ${holds} holds, not for ${most}`);
  }
}

async function drain(world: GraphWorld): Promise<void> {
  const { shards, network, clock, ingest, redrives, ledger, plans, coordinator, holdReports } = world;
  const patience = new Patience(world);
  for (let round = 0; ; round++) {
    if (round > MOST_ROUNDS) throw new Violation(`does not settle: ${leftOf(world)}`);
    ingest.sendAllSlow();
    for (const sent of ingest.waiting()) ingest.retry(sent);
    ingest.closeHolds();
    holdReports.drain();
    coordinator.alarm();
    for (const queue of liveQueues(world)) world.random.pick(world.operators).consume(queue, 100);
    for (const shard of shards.all.values()) shards.alarm(shard);
    while (network.step());
    await world.tick();
    if (round % 20 === 0) ledger.check();
    if (network.size > 0 && (network.nextDue ?? 0) <= clock.now()) continue;
    if (advance(world, patience)) continue;
    const candidates = redrives.candidates().filter(({ operator }) => plans.mended.operators.has(operator));
    if (candidates.length === 0) return;
    for (const shard of candidates) redrives.start(shard);
  }
}

/** Moves the clock to when there is something to do. @returns false when there never is. */
function advance(world: GraphWorld, patience: Patience): boolean {
  const { clock, network, shards, ingest } = world;
  const visible = liveQueues(world).flatMap(({ messages }) =>
    messages.filter(({ out }) => out === 0).map(({ visibleAt }) => visibleAt),
  );
  const own = shards.nextDue(exhausted(world));
  const due = [network.nextDue, own, ingest.nextClosing, patience.due, ...visible].filter(
    (at) => at !== undefined,
  );
  // What is due already may be under way, and wait for something that is not.
  const later = due.filter((at) => at > clock.now());
  if (later.length > 0) world.advance(Math.min(...later) - clock.now());
  return due.length > 0;
}

/** Whether the coordinator's rounds still bring something: an exhausted pull source leaves windows that never end. */
class Patience {
  readonly #world: GraphWorld;
  #state = "";
  #since = 0;

  constructor(world: GraphWorld) {
    this.#world = world;
  }

  /** When the next round is due, epoch milliseconds; undefined when many have brought nothing, or it waits for what died. */
  get due(): number | undefined {
    const { coordinator, shards, clock } = this.#world;
    const wanted = Object.values(coordinator.status().operators).map((operator) => operator.wanted);
    const outboxes = [...shards.all.values()].map((shard) => shard.unconfirmed);
    const state = JSON.stringify([wanted, outboxes]);
    if (state !== this.#state) this.#since = coordinator.rounds;
    this.#state = state;
    const due = coordinator.nextDue();
    const isSoon = due !== undefined && due < clock.now() + HOUR;
    return isSoon && coordinator.rounds - this.#since < MOST_IDLE_ROUNDS ? due : undefined;
  }
}

/** Pull sources that have given all they have, and have handed it over: they are asked for ever. */
function exhausted({ spec, shards }: GraphWorld): ReadonlySet<string> {
  const done = spec.nodes.filter((node) => {
    if (node.kind !== "pull") return false;
    const shard = shards.get(node.name, 0);
    const stored = shard.stored().state.get(OFFSET_KEY) as StoredOffset | undefined;
    return stored?.offset === node.total && shard.host().shard.outbox.size === 0;
  });
  return new Set(done.map(({ name }) => name));
}

/** The queues of what is not retired. */
function liveQueues({ plans, queues }: GraphWorld): SimulatedQueue[] {
  return queuesOf(plans.mended).map(({ queue }) => queues.get(queue.queue) as SimulatedQueue);
}

/** Whoever has sent without gaps is remembered by one number in the end, not by a bitmap. */
async function closePrefixes(world: GraphWorld): Promise<void> {
  for (let round = 1; ; round++) {
    const touched = sendToAll(world);
    await drain(world);
    const open = openPrefixes(world, touched);
    if (open.length === 0) return;
    // A shard that was busy is told later.
    if (round === CLOSING_ROUNDS) throw new Violation(`no closed prefix: ${open.join("; ")}`);
  }
}

/**
 * One more wide request of each isolate, to each of the operator isolates: they tell what they have still to tell.
 *
 * @returns each source with a shard that what it sent touches. One that only another source touches may be called before it
 * can be told of this, and then not before that sends again.
 */
function sendToAll({ ingest, queues, operators, plans }: GraphWorld): ReadonlySet<string> {
  const touched = new Set<string>();
  for (const isolate of ingest.isolates) ingest.isolateSends(isolate, 60);
  for (const { name, queue } of plans.mended.sources.values()) {
    const own = queues.get(queue.queue) as SimulatedQueue;
    const bodies = own.messages.map(({ body }) => body);
    for (const part of own.messages.flatMap(({ segments }) => segments).flatMap(({ parts }) => parts)) {
      for (const { shard } of part.byShard) touched.add(`${name} ${part.operator}/${shard}`);
    }
    operators.forEach((operator, n) => {
      if (n > 0) for (const body of bodies) own.put(body);
      operator.consume(own, bodies.length);
    });
  }
  return touched;
}

/** The prefixes that are not what has been sent. @param touched see sendToAll. */
function openPrefixes({ ingest, shards, plans }: GraphWorld, touched: ReadonlySet<string>): string[] {
  const open: string[] = [];
  for (const { source, producer, sequence, gap } of ingest.everyIsolate) {
    if (gap || sequence === 0) continue;
    for (const target of plans.mended.sources.get(source)?.targets ?? []) {
      if (target.kind === "stage") continue;
      for (const shard of shards.of(target.name)) {
        if (!touched.has(`${source} ${shard.name}`)) continue;
        const prefix = shard.host().shard.applied.record(producer)?.prefix ?? 0;
        if (prefix !== sequence) open.push(`${shard.name} has ${prefix} of ${sequence} of ${producer}`);
      }
    }
  }
  return open;
}

function leftOf(world: GraphWorld): string {
  const { network, clock, shards, plans } = world;
  const queues = liveQueues(world).map(({ name, messages }) => `${messages.length} in ${name}`);
  const own = [...shards.all.values()]
    .filter((shard) => plans.mended.operators.has(shard.operator))
    .map((shard) => `${shard.name} due ${shard.host().nextDue()}, outbox ${shard.host().shard.outbox.size}`);
  return [`${network.size} under way`, `now ${clock.now()}`, ...queues, ...own].join("; ");
}
