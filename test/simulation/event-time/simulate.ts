/** simulate: one seed of the event-time world, from its first step to the comparison with the recount. */
import { MemoryView } from "../../../src/engine/job-starter.ts";
import { readStats } from "../../../src/engine/shard/reader.ts";
import { BOUND, GAP, HOP, QUIET, SIZE } from "./jobs.ts";
import { recount } from "./recount.ts";
import { type Faults, World } from "./world.ts";

export class EventTimeViolation extends Error {}

export interface EventTimeOutcome extends Faults {
  accepted: number;
  late: number;
  windows: number;
  pairs: number;
}

/** @throws EventTimeViolation that names the seed and the first disagreement. */
export async function simulateEventTime(seed: number, steps = 220): Promise<EventTimeOutcome> {
  const world = new World(seed);
  for (let n = 0; n < steps; n++) await world.step();
  await world.finish().catch((error: unknown) => {
    throw new EventTimeViolation(`seed ${seed}: ${String(error)}`);
  });
  const expected = recount(world.accepted, { bound: BOUND, size: SIZE, hop: HOP, gap: GAP, quiet: QUIET });
  const view = (name: string) => new MemoryView(world.shards, name);
  const keyed = (name: string) =>
    Object.fromEntries(
      view(name)
        .entries()
        .map(({ key, value }) => [key, value]),
    );
  const windowed = (name: string, size = (value: unknown) => value) =>
    Object.fromEntries(
      view(name)
        .windows()
        .map(({ key, window, value }) => [`${window.start} ${key}`, size(value)]),
    );
  const compare = (what: string, got: unknown, wanted: unknown) => {
    const [left, right] = [sorted(got), sorted(wanted)];
    if (left !== right)
      throw new EventTimeViolation(`seed ${seed}: ${what}: ${firstDifference(got, wanted)}`);
  };
  compare("tumbling windows", windowed("tumbled"), expected.tumbled);
  compare("combined windows", windowed("combined"), expected.tumbled);
  compare("panes", keyed("panes"), expected.panes);
  compare("totals of windows", windowed("totals"), expected.totals);
  compare("hopping windows", windowed("hopped"), expected.hopped);
  compare("what hopping windows said last", keyed("hopped-last"), expected.hopped);
  compare("sessions", windowed("sessions"), expected.sessions);
  const seen = Object.entries(keyed("sorted")).map(([key, state]) => [
    key,
    (state as { seen: string[] }).seen,
  ]);
  compare("sorted input", Object.fromEntries(seen), expected.sorted);
  compare("event-time timers", keyed("quieted"), expected.quieted);
  compare("pairs", keyed("pairs"), expected.pairs);
  for (const name of ["tumbled", "hopped", "sorted", "joined"] as const) {
    compare(`late for ${name}`, keyed(`late-${name}`), expected.late[name]);
  }
  conserve(seed, world);
  return {
    ...world.faults,
    accepted: world.accepted.length,
    late: Object.keys(expected.late.tumbled).length,
    windows: Object.keys(expected.tumbled).length,
    pairs: Object.keys(expected.pairs).length,
  };
}

/** accepted = applied + late + dead, for each operator and source. */
function conserve(seed: number, world: World): void {
  for (const operator of world.plan.operators.values()) {
    for (const side of ["left", "right"] as const) {
      if (!operator.sources.includes(side)) continue;
      const accepted = world.accepted.filter((event) => event.side === side).length;
      const flows = world.shards.shardsOf(operator.name).map((shard) => readStats(shard).flows[side]);
      const counted = flows.reduce(
        (sum, flow) => sum + (flow === undefined ? 0 : flow.applied + flow.late + flow.dead),
        0,
      );
      if (counted !== accepted)
        throw new EventTimeViolation(
          `seed ${seed}: ${operator.name} accounts for ${counted} of ${accepted} events of ${side}`,
        );
    }
  }
}

function sorted(value: unknown): string {
  return JSON.stringify(Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function firstDifference(got: unknown, wanted: unknown): string {
  const [left, right] = [got as Record<string, unknown>, wanted as Record<string, unknown>];
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const [a, b] = [JSON.stringify(left[key]), JSON.stringify(right[key])];
    if (a !== b) return `${key} is ${a}, the recount says ${b}`;
  }
  return "in another order";
}
