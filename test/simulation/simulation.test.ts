/** The simulation: many seeds of everything going wrong, each compared with a plain recount; and proof that it bites. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { AppliedSegments } from "../../src/state/applied-segments.ts";
import { CommitLog } from "../../src/state/commit-log.ts";
import { KeyedState } from "../../src/state/keyed-state.ts";
import type { Outcome, WorldOptions } from "./world.ts";
import { simulate, Violation } from "./world.ts";

const SEEDS = 300;

/** A seed of the environment replays alone. */
function seeds(): number[] {
  const one = process.env.SEED;
  return one === undefined ? Array.from({ length: SEEDS }, (_, n) => n + 1) : [Number(one)];
}

/** Every tenth seed has shards with hardly any room for their bitmaps. */
function optionsOf(seed: number): WorldOptions {
  return { forgetful: seed % 10 === 0 };
}

describe("exactly once", () => {
  test(`${seeds().length} seeds agree with the recount`, { timeout: 240_000 }, async () => {
    const total: Outcome = {
      accepted: 0,
      crashes: 0,
      duplicates: 0,
      redriven: 0,
      retried: 0,
      buried: 0,
      checkpoints: 0,
    };
    for (const seed of seeds()) {
      const outcome = await simulate(seed, optionsOf(seed));
      for (const key of Object.keys(total) as (keyof Outcome)[]) total[key] += outcome[key];
    }
    if (process.env.SEED !== undefined) return;
    // A simulation in which nothing happens proves nothing.
    expect(total.accepted).toBeGreaterThan(SEEDS * 20);
    expect(total.crashes).toBeGreaterThan(SEEDS);
    expect(total.duplicates).toBeGreaterThan(SEEDS * 3);
    expect(total.redriven).toBeGreaterThan(SEEDS);
    expect(total.retried).toBeGreaterThan(SEEDS * 5);
    expect(total.checkpoints).toBeGreaterThan(SEEDS);
    expect(total.buried).toBeGreaterThan(0);
  });

  test("a seed replays to the same outcome", async () => {
    for (const seed of [1, 10])
      expect(await simulate(seed, optionsOf(seed))).toEqual(await simulate(seed, optionsOf(seed)));
  });
});

describe("the simulation notices", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const sabotages: readonly (readonly [what: string, options: WorldOptions, sabotage: () => void])[] = [
    [
      "shards that take every segment for new",
      {},
      () => {
        vi.spyOn(AppliedSegments.prototype, "status").mockReturnValue("new");
      },
    ],
    ["acknowledging before the commit", { sabotage: "acknowledge before commit" }, () => undefined],
    ["claims that every plan wins", { sabotage: "claims always true" }, () => undefined],
    [
      "a log that is not written",
      {},
      () => {
        vi.spyOn(CommitLog.prototype, "append").mockReturnValue(undefined);
      },
    ],
    [
      "a log that replays backwards",
      {},
      () => {
        const replay = CommitLog.prototype.replay;
        vi.spyOn(CommitLog.prototype, "replay").mockImplementation(function (this: CommitLog, lsn: number) {
          return replay.call(this, lsn).reverse();
        });
      },
    ],
    [
      "a checkpoint that is recorded before its pages are written",
      {},
      () => {
        vi.spyOn(KeyedState.prototype, "flush").mockReturnValue(true);
      },
    ],
    [
      "a log that gives back what no checkpoint holds",
      { wide: true },
      () => {
        const release = CommitLog.prototype.release;
        vi.spyOn(CommitLog.prototype, "release").mockImplementation(function (this: CommitLog) {
          release.call(this, Number.MAX_SAFE_INTEGER);
        });
      },
    ],
    [
      "bitmaps that are lost in a checkpoint",
      {},
      () => {
        const nothing = new AppliedSegments().encode();
        vi.spyOn(AppliedSegments.prototype, "encode").mockReturnValue(nothing);
      },
    ],
    [
      "forgotten segments that are taken for new",
      { forgetful: true },
      () => {
        const status = AppliedSegments.prototype.status;
        vi.spyOn(AppliedSegments.prototype, "status").mockImplementation(function (
          this: AppliedSegments,
          ...args
        ) {
          const known = status.apply(this, args);
          return known === "forgotten" ? "new" : known;
        });
      },
    ],
    [
      "forgotten segments that are acknowledged away",
      { forgetful: true },
      () => {
        const status = AppliedSegments.prototype.status;
        vi.spyOn(AppliedSegments.prototype, "status").mockImplementation(function (
          this: AppliedSegments,
          ...args
        ) {
          const known = status.apply(this, args);
          return known === "forgotten" ? "applied" : known;
        });
      },
    ],
  ];

  test.each(sabotages)("%s", { timeout: 60_000 }, async (_what, options, sabotage) => {
    sabotage();
    let found: unknown;
    for (let seed = 1; seed <= 200 && found === undefined; seed++) {
      await simulate(seed, options).catch((error: unknown) => {
        found = error;
      });
    }
    expect(found).toBeInstanceOf(Violation);
  });
});
