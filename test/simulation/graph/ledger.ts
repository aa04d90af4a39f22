/**
 * Ledger: accepted (or emitted) = applied + late + dead + in flight, for each edge of the graph, at any moment.
 *
 * What is accepted is known from what was sent, what is in flight is counted where it really is: in queues, in stored
 * outboxes, and in dead letters that are being sent again. Only what is applied, late and dead is the engine's own word.
 */
import { unseal } from "../../../src/engine/envelope.ts";
import type { ShardContent } from "../../../src/engine/segment.ts";
import { ProducerKind, RECORD_WIDTH } from "../../../src/engine/segment.ts";
import { channelProducer, parseDestination } from "../../../src/engine/shard/outbox.ts";
import { readProgress } from "../../../src/engine/shard/reader.ts";
import type { Plan } from "../../../src/index.ts";
import { fingerprintOf, type Ingest, type Sent } from "./ingest.ts";
import type { SimulatedQueue } from "./queue.ts";
import type { Redrives } from "./redrives.ts";
import type { SimulatedShards } from "./shards.ts";
import type { JobSpec, Version } from "./spec.ts";
import type { Unit } from "./units.ts";
import { Violation } from "./violation.ts";

export interface LedgerWorld {
  readonly spec: JobSpec;
  readonly plans: Readonly<Record<Version, Plan>>;
  readonly ingest: Ingest;
  readonly queues: ReadonlyMap<string, SimulatedQueue>;
  readonly shards: SimulatedShards;
  readonly redrives: Redrives;
  readonly claims: ReadonlyMap<string, string>;
}

interface Weight {
  readonly total: number;
  /** By position, of the records. */
  readonly records: readonly number[];
}

export class Ledger {
  readonly #world: LedgerWorld;
  readonly #weights = new Map<string, Weight>();
  /** The content that each segment has had for each shard: it must never change. */
  readonly #fixed = new Map<string, string>();
  readonly #retired: ReadonlySet<string>;

  constructor(world: LedgerWorld) {
    this.#world = world;
    this.#retired = world.plans.new.retired;
  }

  /** @throws Violation when an edge does not add up. */
  check(): void {
    const inFlight = this.#inFlight();
    const settled = this.#settled();
    for (const [edge, emitted] of this.#emitted()) {
      const flying = inFlight.get(edge) ?? 0;
      const done = settled.get(edge) ?? 0;
      if (emitted === flying + done) continue;
      throw new Violation(
        `${edge}: ${emitted} were emitted, ${done} are applied, late or dead, ${flying} are in flight`,
      );
    }
  }

  #emitted(): Map<string, number> {
    const { plans, ingest, shards } = this.#world;
    const emitted = new Map<string, number>();
    const routed = new Map<string, number>();
    for (const sent of ingest.sent) {
      const version = ingest.routedBy(sent);
      if (version !== undefined)
        add(routed, `${sent.source}|${version}`, sent.stored.get(version)?.length ?? 0);
    }
    for (const [key, events] of routed) {
      const [source = "", version = "old"] = key.split("|");
      for (const { name } of plans[version as Version].sources.get(source)?.targets ?? []) {
        if (!this.#retired.has(name)) add(emitted, `${source} -> ${name}`, events);
      }
    }
    for (const shard of shards.all.values()) {
      for (const [destination, { events }] of Object.entries(shard.stored().counters.channels ?? {})) {
        const { operator } = parseDestination(destination);
        if (!this.#retired.has(operator)) add(emitted, `${shard.operator} -> ${operator}`, events);
      }
    }
    return emitted;
  }

  #settled(): Map<string, number> {
    const settled = new Map<string, number>();
    for (const shard of this.#world.shards.all.values()) {
      for (const [source, { applied, late, dead }] of Object.entries(shard.stored().counters.flows)) {
        add(settled, `${source} -> ${shard.operator}`, applied + late + dead);
      }
    }
    return settled;
  }

  #inFlight(): Map<string, number> {
    const units = new Map<string, Unit>();
    for (const unit of [...this.#queued(), ...this.#outgoing(), ...this.#released()]) {
      const { operator, shard, producer, sequence } = unit;
      units.set(`${producer}.${sequence} ${operator}/${shard}`, unit);
    }
    const inFlight = new Map<string, number>();
    for (const unit of units.values())
      add(inFlight, `${unit.source} -> ${unit.operator}`, this.#missing(unit));
    for (const { source, operator, n } of this.#world.redrives.unsent())
      add(inFlight, `${source} -> ${operator}`, n);
    return inFlight;
  }

  /** What queues hold, of the copies that count. */
  *#queued(): IterableIterator<Unit> {
    const { queues, ingest, plans } = this.#world;
    const requests = new Map(
      ingest.sent.filter(({ client }) => client).map((sent) => [`${sent.producer}.${sent.sequence}`, sent]),
    );
    for (const queue of queues.values()) {
      for (const { source, fingerprint, segments } of queue.messages) {
        for (const { producer, sequence, kind, parts } of segments) {
          if (kind === ProducerKind.client) {
            const version = ingest.routedBy(requests.get(`${producer}.${sequence}`) as Sent);
            if (version === undefined || fingerprint !== fingerprintOf(plans[version], version)) continue;
          }
          for (const { operator, byShard } of parts) {
            for (const { shard, content } of byShard) {
              const unit = { source, operator, shard, producer, sequence, content };
              if (kind !== ProducerKind.client) this.#mustNotChange(unit);
              yield unit;
            }
          }
        }
      }
    }
  }

  *#outgoing(): IterableIterator<Unit> {
    for (const from of this.#world.shards.all.values()) {
      const { outbox } = from.stored();
      const entries = outbox.destinations.flatMap((one) => outbox.pending(one, Number.POSITIVE_INFINITY));
      for (const { destination, sequence, content } of entries) {
        const { operator, shard } = parseDestination(destination);
        const producer = channelProducer(1, from.name, destination);
        const unit = { source: from.operator, operator, shard, producer, sequence, content };
        this.#mustNotChange(unit);
        yield unit;
      }
    }
  }

  *#released(): IterableIterator<Unit> {
    for (const unit of this.#world.redrives.sent()) {
      this.#mustNotChange(unit);
      yield unit;
    }
  }

  /** How many of a unit's events its shard does not have yet. */
  #missing({ operator, shard, producer, sequence, content }: Unit): number {
    if (this.#retired.has(operator)) return 0;
    const stored = this.#world.shards.get(operator, shard).stored();
    const { total, records } = this.#weigh(content);
    if (stored.options.operator.kind !== "stage") {
      return stored.applied.status(producer, sequence) === "new" ? total : 0;
    }
    const [done = []] = readProgress(stored, [{ producer, sequence }]);
    if (done === "all") return 0;
    return done.reduce((left, position) => left - (records[position] ?? 0), total);
  }

  #weigh(content: string): Weight {
    let weight = this.#weights.get(content);
    if (weight === undefined) {
      weight = weigh(unseal(content));
      this.#weights.set(content, weight);
    }
    return weight;
  }

  #mustNotChange({ operator, shard, producer, sequence, content }: Unit): void {
    const id = `${producer}.${sequence} for ${operator}/${shard}`;
    const known = this.#fixed.get(id);
    if (known === undefined) this.#fixed.set(id, content);
    else if (known !== content) throw new Violation(`segment ${id} was ${known}, and is now ${content}`);
  }
}

function weigh({ records, dropped, dead }: ShardContent): Weight {
  const own: number[] = [];
  for (let at = 2; at < records.length; at += RECORD_WIDTH) own.push(records[at] as number);
  const total = own.reduce((sum, n) => sum + n, dropped) + dead.reduce((sum, { n }) => sum + n, 0);
  return { total, records: own };
}

function add(map: Map<string, number>, key: string, n: number): void {
  map.set(key, (map.get(key) ?? 0) + n);
}
