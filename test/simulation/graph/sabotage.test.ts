/** The test of the test: each guard of the engine taken out by hand, and the simulation of graphs notices. */
import { afterEach, expect, test, vi } from "vitest";
import { ShardCalls } from "../../../src/engine/operator/shard-calls.ts";
import { Commit } from "../../../src/engine/shard/commit.ts";
import { watermarkOf } from "../../../src/engine/shard/counters.ts";
import type * as Door from "../../../src/engine/shard/door.ts";
import { Outbox } from "../../../src/engine/shard/outbox.ts";
import { OFFSET_KEY } from "../../../src/engine/shard/processors/pull.ts";
import { RelayProcessor } from "../../../src/engine/shard/processors/relay.ts";
import { SinkProcessor } from "../../../src/engine/shard/processors/sink.ts";
import { EVENT_PREFIX } from "../../../src/engine/shard/processors/timer-index.ts";
import { WindowProcessor } from "../../../src/engine/shard/processors/window.ts";
import type * as Entries from "../../../src/engine/shard/windows/window-entry.ts";
import { Frontier } from "../../../src/engine/watermark/frontier.ts";
import { Holds } from "../../../src/engine/watermark/holds.ts";
import { WATERMARK_VERSION } from "../../../src/engine/watermark/protocol.ts";
import { AppliedSegments } from "../../../src/state/applied-segments.ts";
import { CommitLog } from "../../../src/state/commit-log.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { simulateGraph } from "./simulate.ts";
import { Violation } from "./violation.ts";
import type { GraphOptions } from "./world.ts";

const SEEDS = 200;

/** What cannot be spied on, since it is no method. */
const broken = vi.hoisted(() => ({ door: false, merge: false }));

vi.mock("../../../src/engine/shard/door.ts", async (original) => {
  const real = await original<typeof Door>();
  const reachedBy: typeof real.reachedBy = (operator, segment, counters) =>
    broken.door ? watermarkOf(counters) : real.reachedBy(operator, segment, counters);
  return { ...real, reachedBy };
});

vi.mock("../../../src/engine/shard/windows/window-entry.ts", async (original) => {
  const real = await original<typeof Entries>();
  const merged: typeof real.merged = (aggregate, a, b) => (broken.merge ? a : real.merged(aggregate, a, b));
  return { ...real, merged };
});

interface Sabotage {
  readonly what: string;
  readonly options?: GraphOptions;
  /** What one of the violations must say, where others are found too easily. */
  readonly found?: RegExp;
  readonly apply?: () => void;
}

const SABOTAGES: readonly Sabotage[] = [
  {
    what: "shards that take every segment for new",
    apply: () => vi.spyOn(AppliedSegments.prototype, "status").mockReturnValue("new"),
  },
  {
    what: "shards that are not told of segments that hold nothing for them",
    options: { steady: true },
    found: /no closed prefix/,
    apply: () => {
      const regroup = ShardCalls.prototype.regroup;
      vi.spyOn(ShardCalls.prototype, "regroup").mockImplementation(function (this: ShardCalls, messages) {
        const outgoing = regroup.call(this, messages);
        for (const { call } of outgoing.values()) {
          const told = call.segments.filter(({ content }) => content !== null);
          call.segments.splice(0, call.segments.length, ...told);
        }
        return outgoing;
      });
    },
  },
  {
    what: "commits of which a crash leaves a half",
    apply: () =>
      vi.spyOn(MemoryStore.prototype, "transaction").mockImplementation(<T>(work: () => T): T => work()),
  },
  {
    what: "commits that are not written to the log",
    apply: () => vi.spyOn(CommitLog.prototype, "append").mockReturnValue(undefined),
  },
  {
    what: "a log that replays backwards",
    apply: () => {
      const replay = CommitLog.prototype.replay;
      vi.spyOn(CommitLog.prototype, "replay").mockImplementation(function (this: CommitLog, lsn: number) {
        return replay.call(this, lsn).reverse();
      });
    },
  },
  {
    what: "checkpoints without the outbox",
    apply: () => vi.spyOn(Outbox.prototype, "entries").mockReturnValue([]),
  },
  { what: "acknowledging before the commit", options: { sabotage: "acknowledge before commit" } },
  {
    what: "confirming outputs before their destination has committed them",
    options: { sabotage: "confirm before commit" },
  },
  { what: "claims that every plan wins", options: { sabotage: "claims always true" } },
  {
    what: "stages that do not remember what is half done",
    apply: () => vi.spyOn(RelayProcessor.prototype, "keysOf").mockReturnValue([]),
  },
  {
    what: "sink batches that are not fixed when they are first written",
    found: /seed \d+: batch /,
    apply: () => {
      const apply = SinkProcessor.prototype.apply;
      vi.spyOn(SinkProcessor.prototype, "apply").mockImplementation(function (
        this: SinkProcessor,
        record,
        scratch,
      ) {
        const applied = apply.call(this, record, scratch);
        const { sink } = scratch.counters;
        if (sink?.batch !== undefined) sink.batch = { ...sink.batch, upTo: sink.last };
        return applied;
      });
    },
  },
  {
    what: "pull sources whose offset is not committed with their events",
    apply: () => {
      const put = Commit.prototype.put;
      vi.spyOn(Commit.prototype, "put").mockImplementation(function (this: Commit, key, value) {
        if (key === OFFSET_KEY && this.lsn % 3 === 0) return;
        put.call(this, key, value);
      });
    },
  },
  {
    what: "timers that are not stored",
    apply: () => vi.spyOn(Commit.prototype, "setTimer").mockReturnValue(undefined),
  },
  {
    what: "a frontier that waits for no hold",
    apply: () => {
      const at = Frontier.prototype.at;
      vi.spyOn(Frontier.prototype, "at").mockImplementation(function (this: Frontier, now) {
        at.call(this, now);
        return now;
      });
    },
  },
  {
    what: "holds that are not opened",
    apply: () => {
      const enter = Holds.prototype.enter;
      vi.spyOn(Holds.prototype, "enter").mockImplementation(function (this: Holds, now, report) {
        return enter.call(this, now, ({ closed }) => report({ v: WATERMARK_VERSION, opened: [], closed }));
      });
    },
  },
  {
    what: "watermarks that pass outputs which nobody has confirmed",
    apply: () => vi.spyOn(Outbox.prototype, "earliest").mockReturnValue(undefined),
  },
  {
    what: "timers in event time that stay when they have fired",
    found: /panes of/,
    apply: () => {
      const deleteTimer = Commit.prototype.deleteTimer;
      vi.spyOn(Commit.prototype, "deleteTimer").mockImplementation(function (this: Commit, timer) {
        // Not always: else it fires for ever.
        if (!timer.startsWith(EVENT_PREFIX) || this.lsn % 3 > 0) deleteTimer.call(this, timer);
      });
    },
  },
  {
    what: "messages that are acknowledged whether their commit was reported or not",
    options: { sabotage: "commit reports are not waited for" },
    found: /its frontier waits for/,
  },
  {
    what: "late events that count as applied",
    found: /were late, the recount says/,
    apply: () => {
      const apply = WindowProcessor.prototype.apply;
      vi.spyOn(WindowProcessor.prototype, "apply").mockImplementation(function (
        this: WindowProcessor,
        record,
        scratch,
      ) {
        apply.call(this, record, scratch);
        return "applied";
      });
    },
  },
  {
    what: "sessions of which one is lost when they merge",
    found: /session/,
    apply: () => {
      broken.merge = true;
    },
  },
  {
    what: "doors that nobody looks at",
    apply: () => {
      broken.door = true;
    },
  },
  {
    what: "dead letters that are sent as something else after a deploy",
    apply: () => {
      const release = Commit.prototype.releaseDeadLetter;
      vi.spyOn(Commit.prototype, "releaseDeadLetter").mockImplementation(function (
        this: Commit,
        number,
        { sent: _, ...letter },
      ) {
        release.call(this, number, letter);
      });
    },
  },
];

afterEach(() => {
  vi.restoreAllMocks();
  broken.door = false;
  broken.merge = false;
});

test.each(SABOTAGES)(
  "the simulation notices $what",
  { timeout: 120_000 },
  async ({ options, found, apply }) => {
    apply?.();
    let caught: unknown;
    for (let seed = 1; seed <= SEEDS && caught === undefined; seed++) {
      await simulateGraph(seed, options).catch((error: unknown) => {
        if (found === undefined || found.test(String(error))) caught = error;
      });
    }
    expect(caught).toBeInstanceOf(Violation);
  },
);
