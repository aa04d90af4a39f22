/** The event-time simulation: many seeds agree with the recount; and with a guard of the engine taken out it notices. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { Commit } from "../../../src/engine/shard/commit.ts";
import { Outbox } from "../../../src/engine/shard/outbox.ts";
import { WindowProcessor } from "../../../src/engine/shard/processors/window.ts";
import { Shard } from "../../../src/engine/shard/shard.ts";
import { Coordinator } from "../../../src/engine/watermark/coordinator.ts";
import { Frontier } from "../../../src/engine/watermark/frontier.ts";
import { Holds } from "../../../src/engine/watermark/holds.ts";
import { LATE } from "../../../src/windows/trigger.ts";
import type { EventTimeOutcome } from "./simulate.ts";
import { EventTimeViolation, simulateEventTime } from "./simulate.ts";

const SEEDS = 120;

describe("event time", () => {
  test(`${SEEDS} seeds agree with the recount`, { timeout: 240_000 }, async () => {
    const total: Record<string, number> = {};
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome: EventTimeOutcome = await simulateEventTime(seed);
      for (const [what, n] of Object.entries(outcome)) total[what] = (total[what] ?? 0) + n;
    }
    // A simulation in which nothing happens proves nothing.
    for (const [what, least] of Object.entries({
      ...{ accepted: 100, late: 10, windows: 20, pairs: 20, crashes: 2, duplicates: 5, lostReports: 5 },
      ...{ delayedHolds: 20, deadIsolates: 5, restarts: 3, failedAdvances: 3 },
    })) {
      expect(total[what], what).toBeGreaterThan(least * SEEDS);
    }
  });

  test("a seed replays to the same outcome", async () => {
    expect(await simulateEventTime(7)).toEqual(await simulateEventTime(7));
  });
});

interface Sabotage {
  readonly what: string;
  readonly apply: () => unknown;
  /** What the violation must say, where others are found too easily. */
  readonly found?: RegExp;
}

const SABOTAGES: readonly Sabotage[] = [
  {
    what: "a frontier that waits for nobody",
    apply: () =>
      vi.spyOn(Frontier.prototype, "at").mockImplementation(function (this: Frontier, now) {
        this.state.published = now;
        return now;
      }),
  },
  {
    what: "isolates that hold nothing back",
    apply: () => {
      const { enter } = Holds.prototype;
      vi.spyOn(Holds.prototype, "enter").mockImplementation(function (this: Holds, now) {
        return enter.call(this, now, () => undefined);
      });
    },
  },
  {
    what: "commits that nobody reports",
    apply: () => vi.spyOn(Coordinator.prototype, "committed").mockReturnValue(undefined),
    found: /windows are still open|is undefined|is null/,
  },
  {
    what: "a watermark that overtakes what is on its way",
    apply: () => vi.spyOn(Outbox.prototype, "earliest").mockReturnValue(undefined),
  },
  {
    what: "timers that are not stored",
    apply: () => vi.spyOn(Commit.prototype, "setTimer").mockReturnValue(undefined),
  },
  {
    what: "late events that nobody gets",
    apply: () => {
      const { emit } = Commit.prototype;
      vi.spyOn(Commit.prototype, "emit").mockImplementation(function (this: Commit, output, event) {
        if (output !== LATE) emit.call(this, output, event);
      });
    },
    found: /late for/,
  },
  {
    what: "late events that are not counted",
    apply: () => {
      const { apply } = WindowProcessor.prototype;
      vi.spyOn(WindowProcessor.prototype, "apply").mockImplementation(function (
        this: WindowProcessor,
        record,
        scratch,
      ) {
        return apply.call(this, record, scratch) === "late" ? ("skipped" as never) : "applied";
      });
    },
    found: /accounts for/,
  },
  {
    what: "shards that judge by their own clocks",
    apply: () => {
      const { apply } = Shard.prototype;
      vi.spyOn(Shard.prototype, "apply").mockImplementation(function (this: Shard, call) {
        const now = this.options.clock.now();
        const segments = call.segments.map((segment) => ({ ...segment, front: now }));
        return apply.call(this, { ...call, segments });
      });
    },
  },
  {
    what: "sessions that do not merge",
    apply: () => {
      const { get } = Commit.prototype;
      vi.spyOn(Commit.prototype, "get").mockImplementation(function (this: Commit, key) {
        return key.startsWith("s\0") ? undefined : get.call(this, key);
      });
    },
    found: /sessions/,
  },
];

describe("the simulation notices", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test.each(SABOTAGES)("$what", { timeout: 120_000 }, async ({ apply, found }) => {
    apply();
    let caught: unknown;
    for (let seed = 1; seed <= 200 && caught === undefined; seed++) {
      await simulateEventTime(seed).catch((error: unknown) => {
        if (found === undefined || found.test(String(error))) caught = error;
      });
    }
    expect(caught).toBeInstanceOf(EventTimeViolation);
  });
});
