/** The coordinator on a clock of its own, with shards that do what it says: when it wakes, whom it tells, what it stores. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../../src/clock.ts";
import type { AdvanceCall, AdvanceReply } from "../../../src/engine/shard/protocol.ts";
import type { CoordinatorState } from "../../../src/engine/watermark/coordinator.ts";
import { Coordinator } from "../../../src/engine/watermark/coordinator.ts";
import type { CommittedSegment } from "../../../src/engine/watermark/protocol.ts";
import { WATERMARK_VERSION } from "../../../src/engine/watermark/protocol.ts";
import type { EventTimeOptions, Stream } from "../../../src/index.ts";
import { count, generator, Job, planJobs, tumbling } from "../../../src/index.ts";
import { Records } from "../support.ts";

const v = WATERMARK_VERSION;
const NOW = 1_000_000;
const BOUND = 5_000;
const HANDSHAKE = 1_000;
const TAIL = 30_000;

/** A job of one window of two shards, which emits to a second one if `chained`. */
function setUp(time: EventTimeOptions, { chained = false } = {}) {
  const job = new Job("job");
  const windows = job
    .addSource(new Records("records", { outOfOrderness: BOUND, ...time }))
    .keyBy(({ key }) => key)
    .window(tumbling(1_000))
    .aggregate("first", count(), { shards: 2 });
  if (chained) {
    windows
      .keyBy(({ key }) => key)
      .window(tumbling(1_000))
      .aggregate("second", count(), { shards: 1 });
  }
  const plan = planJobs([job]);
  const clock = new VirtualClock(NOW);
  const told: string[] = [];
  let stored: string | undefined;
  let answer = ({ watermark }: AdvanceCall): AdvanceReply => ({ watermark });
  const wake = () =>
    new Coordinator({
      ...{ plan, job: "job", clock, handshake: HANDSHAKE, tail: TAIL },
      store: {
        load: () => (stored === undefined ? undefined : (JSON.parse(stored) as CoordinatorState)),
        save: (state) => {
          stored = JSON.stringify(state);
        },
      },
      advance: async (call) => {
        const reply = answer(call);
        told.push(`${call.operator}/${call.shard} ${call.watermark}`);
        return reply;
      },
    });
  return {
    clock,
    told,
    coordinator: wake(),
    wake,
    answerWith(how: typeof answer) {
      answer = how;
    },
  };
}

const source = "records";
const opened = (hold: string, start: number) => ({
  v,
  opened: [{ source, hold, start, until: start + 1_000 }],
  closed: [],
});
const closed = (hold: string, sent: number) => ({
  v,
  opened: [],
  closed: [{ source, hold, sent, lost: [], unsure: [] }],
});
const committed = (hold: string, n: number, arrival: number, watermark?: number) => {
  const segment: CommittedSegment = { source, hold, n, arrival };
  return { v, segments: [watermark === undefined ? segment : { ...segment, watermark }] };
};
const want = (shard: number, at: number, operator = "first") => ({ v, operator, shard, at });

describe("by arrival", () => {
  test("while nobody waits it sleeps; a want wakes it when the clock has come far enough, and that shard only is told", async () => {
    const { clock, coordinator, told } = setUp({});
    coordinator.holds(opened("h", NOW));
    coordinator.holds(closed("h", 0));
    expect(coordinator.nextDue()).toBeUndefined();
    coordinator.want(want(1, NOW + 999));
    expect(coordinator.nextDue()).toBe(NOW + 999 + BOUND + 1 + HANDSHAKE);
    clock.advance(999 + BOUND + HANDSHAKE);
    await coordinator.run();
    expect(told).toEqual([]);
    clock.advance(1);
    await coordinator.run();
    expect(told).toEqual([`first/1 ${NOW + 999}`]);
    expect(coordinator.nextDue()).toBeUndefined();
  });

  test("what is missing from before delays it until it is committed, or given up", async () => {
    const { clock, coordinator, told } = setUp({});
    coordinator.holds(opened("h", NOW));
    coordinator.want(want(0, NOW + 999));
    expect(coordinator.nextDue()).toBe(NOW + 1_000 + TAIL + 1);
    clock.advance(20_000);
    coordinator.holds(closed("h", 1));
    await coordinator.run();
    expect(told).toEqual([]);
    coordinator.committed(committed("h", 0, NOW + 10));
    expect(coordinator.nextDue()).toBe(clock.now() + 200);
    await coordinator.run();
    expect(told.length).toBe(1);
  });

  test("what came after delays nothing, though nobody ever closes it", () => {
    const { clock, coordinator } = setUp({});
    coordinator.want(want(0, NOW));
    clock.advance(BOUND + 500);
    coordinator.holds(opened("later", NOW + BOUND + 1));
    expect(coordinator.nextDue()).toBe(NOW + BOUND + 1 + HANDSHAKE);
    // One of the very moment that would make it late does.
    coordinator.holds(opened("before", NOW + BOUND));
    expect(coordinator.nextDue()).toBe(NOW + BOUND + 1_000 + TAIL + 1);
  });
});

describe("explicit", () => {
  const explicit = { watermarks: "explicit" } as const;

  test("a statement wakes it by itself once everything before it is committed for sure, and all shards are told", async () => {
    const { clock, coordinator, told } = setUp(explicit);
    coordinator.holds(opened("h", NOW));
    coordinator.want(want(0, 999));
    expect(coordinator.nextDue()).toBeUndefined();
    coordinator.holds(closed("h", 1));
    clock.advance(100);
    coordinator.committed(committed("h", 0, NOW, 999));
    // Nobody will report anything any more.
    expect(coordinator.nextDue()).toBe(NOW + HANDSHAKE + 1);
    clock.advance(HANDSHAKE - 99);
    await coordinator.run();
    expect(told.toSorted()).toEqual(["first/0 999", "first/1 999"]);
    expect(coordinator.nextDue()).toBeUndefined();
  });

  test("also when nobody waits: it says what is late", async () => {
    const { clock, coordinator, told } = setUp(explicit);
    coordinator.committed(committed("h", 0, NOW, 999));
    expect(coordinator.nextDue()).toBe(NOW + HANDSHAKE + 1);
    clock.advance(HANDSHAKE + 1);
    await coordinator.run();
    expect(told.length).toBe(2);
  });

  test("it waits for what came before it", () => {
    const { clock, coordinator } = setUp(explicit);
    coordinator.holds(opened("h", NOW - 10));
    coordinator.want(want(0, 999));
    coordinator.committed(committed("other", 0, NOW, 999));
    expect(coordinator.nextDue()).toBe(NOW - 10 + 1_000 + TAIL + 1);
    clock.advance(HANDSHAKE + 1);
    coordinator.holds(closed("h", 0));
    expect(coordinator.nextDue()).toBeLessThanOrEqual(clock.now());
  });
});

describe("rounds", () => {
  test("what comes behind is told the least that all shards before it have passed on", async () => {
    const { clock, coordinator, told, answerWith } = setUp({ watermarks: "explicit" }, { chained: true });
    answerWith(({ operator, shard, watermark }) => ({
      watermark: operator === "first" && shard === 1 ? watermark - 400 : watermark,
    }));
    coordinator.want(want(0, 500, "second"));
    coordinator.state(source, 1_000);
    await coordinator.run();
    expect(told).toEqual(["first/0 1000", "first/1 1000", "second/0 600"]);
    expect(coordinator.status().operators).toMatchObject({
      first: { watermark: 1_000 },
      second: { watermark: 600 },
    });
    expect(clock.now()).toBe(NOW);
  });

  test("a shard that cannot be told is told later, also by a coordinator that has woken anew", async () => {
    const { clock, coordinator, told, wake, answerWith } = setUp({});
    answerWith(() => {
      throw new Error("it is being deployed");
    });
    coordinator.want(want(0, NOW));
    clock.advance(BOUND + HANDSHAKE + 1);
    await coordinator.run();
    expect(told).toEqual([]);
    expect(coordinator.nextDue()).toBeGreaterThan(clock.now());
    answerWith(({ watermark }) => ({ watermark }));
    const woken = wake();
    expect(woken.nextDue()).toBeLessThanOrEqual(clock.now());
    await woken.run();
    expect(told).toEqual([`first/0 ${NOW}`]);
  });

  test("what a shard wants while it is told is not lost", async () => {
    const { clock, coordinator, answerWith } = setUp({});
    answerWith(({ watermark }) => {
      coordinator.want(want(0, NOW + 10));
      return { watermark };
    });
    coordinator.want(want(0, NOW));
    clock.advance(BOUND + HANDSHAKE + 1);
    await coordinator.run();
    expect(coordinator.status().operators.first?.wanted).toBe(NOW);
    clock.advance(10_000);
    answerWith(({ watermark }) => ({ watermark }));
    await coordinator.run();
    expect(coordinator.status().operators.first?.wanted).toBeUndefined();
  });

  test("what somebody downstream holds up is looked for less and less often", async () => {
    const { clock, coordinator, answerWith } = setUp({});
    answerWith(() => ({ watermark: -1, wanted: NOW }));
    coordinator.want(want(0, NOW));
    clock.advance(BOUND + HANDSHAKE + 1);
    const waits: number[] = [];
    for (let n = 0; n < 12; n++) {
      await coordinator.run();
      const due = coordinator.nextDue() ?? 0;
      waits.push(due - clock.now());
      clock.advance(due - clock.now());
    }
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits.at(-1)).toBe(5_000);
    // A commit may be what it waits for.
    coordinator.committed(committed("h", 0, NOW));
    expect((coordinator.nextDue() ?? 0) - clock.now()).toBeLessThan(1_000);
  });
});

test("a report of another version is refused", () => {
  const { coordinator } = setUp({});
  expect(() => coordinator.holds({ ...opened("h", NOW), v: 2 })).toThrow(/version 2; this code knows 1/);
  expect(() => coordinator.committed({ v: 0, segments: [] })).toThrow(/version 0/);
});

test("a source that is asked and has nothing more is asked for its watermark seldom, however others move on", async () => {
  const job = new Job("mixed");
  const per = (stream: Stream<{ readonly key: string }>, name: string) =>
    stream
      .keyBy(({ key }) => key)
      .window(tumbling(1_000))
      .aggregate(name, count(), { shards: 1 });
  per(job.addSource(generator("asked", { rate: 1, make: () => ({ key: "a" }) })), "behind");
  const first = per(job.addSource(new Records("records", { outOfOrderness: BOUND })), "first");
  per(first, "second");
  const plan = planJobs([job]);
  const clock = new VirtualClock(NOW);
  let told = 0;
  const coordinator = new Coordinator({
    ...{ plan, job: "mixed", clock, handshake: HANDSHAKE, tail: TAIL },
    store: { load: () => undefined, save: () => undefined },
    // What was asked has come to an end: its window never does.
    advance: async ({ operator, watermark }) => {
      told++;
      if (operator === "asked") return { watermark: NOW };
      return operator === "behind" ? { watermark: NOW, wanted: NOW + 999 } : { watermark };
    },
  });
  coordinator.want({ v, operator: "behind", shard: 0, at: NOW + 999 });
  for (let ms = 0; ms < 120_000; ms += 50) {
    clock.advance(50);
    if ((coordinator.nextDue() ?? Number.POSITIVE_INFINITY) <= clock.now()) await coordinator.run();
  }
  // Four shards, a round every five seconds, and some more at the beginning.
  expect(told).toBeGreaterThan(4);
  expect(told).toBeLessThan(4 * (120 / 5 + 12));
});
