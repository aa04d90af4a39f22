/** Verdict: compares what a job came to, once everything has settled, with the recount. */
import { channelProducer, parseDestination } from "../../../src/engine/shard/outbox.ts";
import { readRange, readTop, readTotals } from "../../../src/engine/shard/reader.ts";
import type { Content, Expected } from "./expected.ts";
import type { Datum } from "./semantics.ts";
import { weightOf } from "./semantics.ts";
import type { Settled } from "./settled.ts";
import type { SimulatedShard } from "./shards.ts";
import type { NodeSpec } from "./spec.ts";
import { compareTimed } from "./timed-verdict.ts";
import { listed, same, Violation } from "./violation.ts";

/** @param atMost what would be expected of what was retired. @throws Violation that says where the two differ. */
export function compare(world: Settled, expected: Expected, atMost: Expected): void {
  for (const node of world.spec.nodes) {
    if (node.until !== undefined) {
      if (node.kind === "sink" && atMost.contents.has(node.name))
        neverTwice(world, node, atMost.contents.get(node.name));
      continue;
    }
    const content = expected.contents.get(node.name);
    if (content !== undefined) compareContent(world, node, content);
    compareLetters(world, node, expected.letters.get(node.name) ?? []);
  }
  compareRuns(world, expected);
  for (const shard of world.shards.all.values()) channelsAreClosed(world, shard);
}

function compareContent(world: Settled, node: NodeSpec, content: Content): void {
  const { name } = node;
  switch (content.kind) {
    case "ids":
    case "sums": {
      const written = world.target.written(name);
      const ids = new Map<string, number>();
      const sums = new Map<string, number>();
      for (const datum of written) {
        if (datum.id === undefined) sums.set(datum.key, (sums.get(datum.key) ?? 0) + weightOf(datum));
        else ids.set(datum.id, (ids.get(datum.id) ?? 0) + 1);
      }
      same(`${name}: written`, listed(ids), content.kind === "ids" ? listed(content.counts) : []);
      same(`${name}: written`, listed(sums), content.kind === "sums" ? listed(content.byKey) : []);
      for (const shard of world.shards.of(name)) {
        same(`${shard.name}: buffered keys`, readRange(shard.stored(), { limit: 1 }).length, 0);
      }
      return;
    }
    case "nothing":
      same(`${name}: view`, entriesOf(world, name), []);
      return;
    case "numbers":
      if (node.kind === "aggregate") compareAggregate(world, node, content.byKey);
      else same(`${name}: view`, entriesOf(world, name).map(numberOf), listed(content.byKey));
      return;
    case "sets":
      same(
        `${name}: view`,
        entriesOf(world, name).map(([key, value]) => [
          key,
          (value as { seen: [string, 1][] }).seen.map(([v]) => v).sort(),
        ]),
        listed(content.byKey).map(([key, values]) => [key, [...values].sort()]),
      );
      return;
    case "timed":
      compareTimed(world, content);
      return;
    case "latest":
      same(
        `${name}: table`,
        entriesOf(world, name).map(([key, value]) => [key, (value as { latest: [number] }).latest[0]]),
        listed(content.byKey),
      );
  }
}

function compareAggregate(world: Settled, node: NodeSpec, byKey: ReadonlyMap<string, number>): void {
  const { name } = node;
  const shards = world.shards.of(name).map((shard) => shard.stored());
  same(`${name}: view`, entriesOf(world, name), listed(byKey));
  const totals = shards.map(readTotals);
  same(
    `${name}: total`,
    totals.reduce((sum, { total }) => sum + total, 0),
    [...byKey.values()].reduce((sum, value) => sum + value, 0),
  );
  same(
    `${name}: keys`,
    totals.reduce((sum, { keys }) => sum + keys, 0),
    byKey.size,
  );
  const byRank = (a: { key: string; value: number }, b: { key: string; value: number }) =>
    b.value - a.value || (a.key < b.key ? -1 : 1);
  const all = [...byKey].map(([key, value]) => ({ key, value }));
  const top = shards.flatMap((shard) => readTop(shard, 3));
  same(`${name}: top`, top.sort(byRank).slice(0, 3), all.sort(byRank).slice(0, 3));
}

/** Letters of weights are not counted: how many there were depends on what was committed together. */
function compareLetters({ shards }: Settled, { name, kind }: NodeSpec, expected: readonly string[]): void {
  const letters: string[] = [];
  let n = 0;
  let dead = 0;
  for (const shard of shards.of(name)) {
    for (const { letter } of shard.letters()) {
      n += letter.n;
      const id = (letter.event?.data as Datum | undefined)?.id;
      letters.push(`${letter.operator} ${id}${letter.released === true ? " (released)" : ""}`);
    }
    for (const flow of Object.values(shard.stored().counters.flows)) dead += flow.dead;
  }
  same(`${name} (${kind}): dead letters`, letters.sort(), [...expected].sort());
  same(`${name}: dead events and those of letters`, dead, n);
}

/** Wherever a stage's item went, it is the outcome of one run. */
function compareRuns({ target }: Settled, { stageRuns }: Expected): void {
  const seen = new Map<string, Set<number>>();
  for (const { events } of target.batches.values()) {
    for (const [stage, [id, run]] of events.flatMap(({ runs = {} }) => Object.entries(runs))) {
      const pass = `${stage} ${id}`;
      seen.set(pass, (seen.get(pass) ?? new Set()).add(run));
    }
  }
  for (const [pass, runs] of seen) {
    const most = stageRuns.get(pass);
    if (most !== undefined && runs.size > most) {
      throw new Violation(
        `stage and item ${pass}: outcomes of runs ${[...runs].join(", ")} went on, not of ${most}`,
      );
    }
  }
}

/** What is retired loses what was on its way to it, but doubles nothing. */
function neverTwice({ target }: Settled, { name }: NodeSpec, content: Content | undefined): void {
  const counts = content?.kind === "ids" ? content.counts : new Map<string, number>();
  const written = new Map<string, number>();
  for (const { id } of target.written(name)) {
    if (id === undefined) continue;
    const times = (written.get(id) ?? 0) + 1;
    written.set(id, times);
    const most = counts.get(id) ?? 0;
    if (times > most)
      throw new Violation(`${name}: ${id} was written ${times} times, the recount says ${most}`);
  }
}

/** Channels come in order and without gaps, so what remembers them is one number; and both ends count the same. */
function channelsAreClosed({ shards, spec }: Settled, from: SimulatedShard): void {
  const retired = new Set(spec.nodes.filter(({ until }) => until !== undefined).map(({ name }) => name));
  for (const [destination, { next, events }] of Object.entries(from.stored().counters.channels ?? {})) {
    const { operator, shard } = parseDestination(destination);
    if (retired.has(operator)) continue;
    const { applied } = shards.get(operator, shard).stored();
    const {
      prefix = 0,
      counted = 0,
      settled = 0,
    } = applied.record(channelProducer(1, from.name, destination)) ?? {};
    same(
      `${from.name} to ${destination}: prefix, counted, settled`,
      [prefix, counted, settled],
      [next, events, events],
    );
  }
}

function entriesOf({ shards }: Settled, name: string): [string, unknown][] {
  return shards
    .of(name)
    .flatMap((shard) => readRange(shard.stored(), { limit: 1e9 }))
    .map(({ key, value }): [string, unknown] => [key, value])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What is left of a process function's state is one number. */
function numberOf([key, value]: [string, unknown]): [string, unknown] {
  const { n, total, set, waiting } = value as Record<string, unknown>;
  if (waiting !== undefined) return [key, `${String(waiting)} still waits`];
  return [key, n ?? total ?? (set === true ? 1 : undefined)];
}
