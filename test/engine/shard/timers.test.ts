/** Timers of a process function: set, moved, deleted and fired in order of time, once, and what happens when one throws. */
import { describe, expect, test } from "vitest";
import { readStats } from "../../../src/engine/shard/reader.ts";
import { Redrive } from "../../../src/engine/shard/redrive.ts";
import { fireTimers, nextTimerOf } from "../../../src/engine/shard/timers.ts";
import { ShardRefusedError } from "../../../src/errors.ts";
import type { FailurePolicy } from "../../../src/index.ts";
import { Random } from "../../simulation/random.ts";
import { NOW } from "../support.ts";
import type { Hook, TimerHook } from "./process-bench.ts";
import { ProcessBench } from "./process-bench.ts";
import { emittedBy, lettersOf } from "./support.ts";

describe("timers", () => {
  /** `set name at`, `delete name`, `get name`; times count from NOW. */
  const TIMING: Hook = (data, { timers }, collector) => {
    const [what, name = "", at] = data.split(" ");
    if (what === "set") timers.set(name, NOW + Number(at));
    if (what === "delete") timers.delete(name);
    if (what === "get") collector.emit((timers.get(name) ?? NOW - 1) - NOW);
  };
  const FIRING: TimerHook = ({ name, key, time }, { now }, collector) =>
    collector.emit(`${name}@${time - NOW} of ${key} at ${now - NOW}`);

  test("fire at their time, in order of time, and once", () => {
    const bench = new ProcessBench(TIMING, FIRING);
    bench.give("b:set x 30", "a:set y 10", "a:set x 20", "a:get x", "a:get z");
    expect([nextTimerOf(bench.shard), readStats(bench.shard).nextTimer]).toEqual([NOW + 10, NOW + 10]);
    bench.pass(9);
    expect(bench.emitted).toEqual([20, -1]);
    bench.pass(1);
    bench.pass(0);
    bench.reopen().pass(5);
    bench.pass(85);
    expect(bench.emitted.slice(2)).toEqual(["y@10 of a at 10", "x@20 of a at 100", "x@30 of b at 100"]);
    expect([nextTimerOf(bench.shard), bench.timers, bench.view]).toEqual([undefined, 0, {}]);
  });

  test("carry an id of their own and their own time as the event's", () => {
    const bench = new ProcessBench(TIMING, ({ name }, _context, collector) => {
      collector.emit(name);
      collector.emit(name);
    });
    bench.give("k:set x 10");
    bench.pass(50);
    expect(emittedBy(bench.shard)).toEqual([
      { key: "", id: `scripted/k/x@${NOW + 10}`, time: NOW + 10, data: "x", n: 1 },
      { key: "", id: `scripted/k/x@${NOW + 10}/1`, time: NOW + 10, data: "x", n: 1 },
    ]);
  });

  test("move when they are set again, earlier or later, and go when they are deleted", () => {
    const bench = new ProcessBench(TIMING, FIRING);
    bench.give("k:set x 10", "k:set y 10", "k:set z 10");
    bench.give("k:set x 30", "k:set y 5", "k:delete z", "k:delete never", "k:get x", "k:get z");
    expect([bench.emitted, bench.timers]).toEqual([[30, -1], 2]);
    bench.pass(20);
    expect(bench.emitted.slice(2)).toEqual(["y@5 of k at 20"]);
    bench.pass(10);
    expect(bench.emitted.slice(3)).toEqual(["x@30 of k at 30"]);
  });

  test("in the past are due at once, before 1970 too, and between two milliseconds at the later", () => {
    const bench = new ProcessBench((data, { timers }) => timers.set(data, Number(data)), FIRING);
    bench.give("k:-5", "k:0", `k:${NOW + 0.25}`);
    expect(nextTimerOf(bench.shard)).toBe(0);
    bench.pass(0);
    expect(bench.emitted.length).toBe(2);
    bench.pass(1);
    expect(bench.emitted.at(-1)).toBe(`${NOW + 0.25}@1 of k at 1`);
  });

  test("of any name but those that an index cannot hold; a bad name or time fails its event only", () => {
    const names = [
      "",
      " ",
      "a\n",
      "__proto__",
      "constructor",
      "toString",
      "\u{1f600}",
      "\u0001",
      "é".repeat(500),
    ];
    const bench = new ProcessBench(
      (data, { timers }) => {
        if (data === "names") for (const name of names) timers.set(name, NOW + 1);
        if (data === "nul") timers.set("a\0b", NOW);
        if (data === "half") timers.set("\ud83d", NOW);
        if (data === "reserved") timers.set("\u0001ttl", NOW);
        if (data === "type") timers.set(7 as never, NOW);
        if (data === "nan") timers.set("a", Number.NaN);
        if (data === "never") timers.set("a", Number.POSITIVE_INFINITY);
        if (data === "late") timers.set("a", 8.64e15 + 1);
      },
      ({ name, key }, _context, collector) => collector.emit([name, key]),
    );
    const bad = ["nul", "half", "reserved", "type", "nan", "never", "late"];
    bench.give("k\0ey:names", ...bad.map((one) => `k:${one}`));
    expect(lettersOf(bench.shard).map(({ event }) => event?.data)).toEqual(bad);
    expect(bench.timers).toBe(names.length);
    bench.reopen().pass(1);
    expect(bench.emitted.toSorted()).toEqual(names.map((name) => [name, "k\0ey"]).toSorted());
    expect([bench.timers, bench.view]).toEqual([0, {}]);
  });

  test("set by a timer, at the same moment too, are neither lost nor fired twice in a commit", () => {
    const rounds: Record<string, number> = { again: 0, late: 0 };
    const bench = new ProcessBench(TIMING, ({ name, time }, { timers, now }, collector) => {
      collector.emit(name);
      const round = ++(rounds as { [name: string]: number })[name]!;
      if (round < 4) timers.set(name, name === "again" ? time : now);
    });
    bench.give("k:set again 10", "k:set late 10");
    bench.pass(10);
    for (let round = 1; round <= 5; round++) {
      expect(bench.emitted.filter((name) => name === "again").length).toBe(Math.min(round, 4));
      expect(bench.emitted.filter((name) => name === "late").length).toBe(Math.min(round, 4));
      expect(bench.timers).toBe(round < 4 ? 2 : 0);
      bench.reopen().pass(0);
    }
    expect(bench.view).toEqual({});
  });

  test("that another timer of the same commit moves or deletes do not fire", () => {
    const bench = new ProcessBench(TIMING, ({ name }, { timers, now }, collector) => {
      collector.emit(name);
      if (name !== "first") return;
      timers.delete("second");
      timers.set("third", now + 10);
    });
    bench.give("k:set first 1", "k:set second 2", "k:set third 3");
    bench.pass(10);
    expect([bench.emitted, bench.timers]).toEqual([["first"], 1]);
    bench.pass(10);
    expect([bench.emitted, bench.timers]).toEqual([["first", "third"], 0]);
  });

  test("fire in commits of a bounded size", () => {
    const bench = new ProcessBench(
      (_data, { timers, key }) => timers.set("t", NOW + Number(key)),
      ({ key }, _context, collector) => collector.emit(Number(key)),
    );
    bench.give(...Array.from({ length: 1_200 }, (_, n) => `${n}:x`));
    const { lsn } = bench.shard;
    expect([bench.pass(1_100), bench.pass(0), bench.pass(0), bench.pass(0)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(bench.shard.lsn).toBe(lsn + 3);
    expect(bench.emitted).toEqual(Array.from({ length: 1_101 }, (_, n) => n));
    expect(nextTimerOf(bench.shard)).toBe(NOW + 1_101);
  });

  test.each(Array.from({ length: 20 }, (_, n) => n + 1))(
    "agree with a list of who is due, under moves, deletes and sleep (seed %i)",
    (seed) => {
      const random = new Random(seed);
      const bench = new ProcessBench(TIMING, ({ key, name, time }, _context, collector) =>
        collector.emit(`${key}.${name}@${time - NOW}`),
      );
      const due = new Map<string, number>();
      const fired: string[] = [];
      for (let step = 0; step < 120; step++) {
        const [key, name] = [random.pick(["a", "b", "c\0d"]), random.pick(["x", "y", "z"])];
        const at = bench.clock.now() - NOW + random.int(-5, 40);
        if (random.chance(0.5)) {
          bench.give(`${key}:set ${name} ${at}`);
          due.set(`${key}.${name}`, Math.max(at, -NOW));
        } else if (random.chance(0.3)) {
          bench.give(`${key}:delete ${name}`);
          due.delete(`${key}.${name}`);
        } else {
          bench.pass(random.int(0, 20));
          const now = bench.clock.now() - NOW;
          for (const [timer, time] of [...due].filter(([, time]) => time <= now)) {
            fired.push(`${timer}@${time}`);
            due.delete(timer);
          }
        }
        if (random.chance(0.1)) bench.shard.checkpoint();
        if (random.chance(0.2)) bench.reopen();
        expect(bench.emitted.toSorted()).toEqual(fired.toSorted());
        const next = due.size === 0 ? undefined : Math.min(...due.values()) + NOW;
        expect([nextTimerOf(bench.shard), bench.timers]).toEqual([next, due.size]);
        expect(Object.keys(bench.view)).toEqual(
          [...new Set([...due.keys()].map((id) => id.slice(0, -2)))].sort(),
        );
      }
    },
  );
});

describe("a timer that throws", () => {
  let broken = true;
  const failing = (onError: FailurePolicy = "dead-letter") => {
    broken = true;
    return new ProcessBench(
      (data, { timers, state }) => {
        if (data === "later") timers.set("bad", NOW + 99);
        else for (const name of ["bad", "good"]) timers.set(name, NOW + 10);
        state.value("v").set(data);
      },
      ({ name }, { state, timers }, collector) => {
        state.value("v").set(name);
        collector.emit(name);
        timers.set("more", NOW + 500);
        if (name === "bad" && broken) throw new Error("bad timer");
      },
      { onError },
    );
  };

  test("is a letter that names it and counts no event; what it had done is undone, and others fire", () => {
    const bench = failing();
    bench.give("k:x");
    bench.pass(10);
    expect(bench.emitted).toEqual(["good"]);
    expect(bench.view).toEqual({ k: { v: "good" } });
    expect(bench.timers).toBe(1);
    expect(lettersOf(bench.shard)).toEqual([
      {
        source: "scripted",
        operator: "scripted",
        error: "bad timer",
        n: 0,
        time: NOW + 10,
        timer: { key: "k", name: "bad", time: NOW + 10 },
      },
    ]);
    expect(bench.shard.counters.flows.scripted).toMatchObject({ applied: 0, dead: 0 });
    bench.pass(10);
    expect(lettersOf(bench.shard).length).toBe(1);
  });

  test("is armed again by a redrive, due at once, and once", () => {
    const bench = failing();
    bench.give("k:x");
    bench.pass(10);
    broken = false;
    const redrive = new Redrive(bench.plan, bench.shard, [1]);
    expect([redrive.sends, redrive.calls]).toEqual([[], []]);
    // A crash before the letter is forgotten: it is not armed a second time.
    bench.pass(5);
    expect(bench.emitted).toEqual(["good", "bad"]);
    const again = new Redrive(bench.plan, bench.reopen().shard, [1]);
    expect(again.finish()).toBe(1);
    bench.pass(5);
    expect(bench.emitted).toEqual(["good", "bad"]);
    expect(lettersOf(bench.shard)).toEqual([]);
  });

  test("is not armed over another that has taken its name", () => {
    const bench = failing();
    bench.give("k:x");
    bench.pass(10);
    bench.give("k:later");
    new Redrive(bench.plan, bench.shard, [1]).finish();
    broken = false;
    bench.pass(5);
    expect(bench.emitted).toEqual(["good"]);
    bench.pass(90);
    expect(bench.emitted).toEqual(["good", "bad"]);
  });

  test("refuses the commit where the policy is to fail, and fires once the code is mended", () => {
    const bench = failing("fail");
    bench.give("k:x");
    const { lsn } = bench.shard;
    bench.clock.advance(10);
    for (const one of [bench, bench.reopen()]) {
      expect(() => fireTimers(one.shard, bench.clock.now())).toThrow(ShardRefusedError);
      expect([one.shard.lsn, one.timers, one.emitted]).toEqual([lsn, 2, []]);
    }
    broken = false;
    bench.pass(0);
    expect(bench.emitted.toSorted()).toEqual(["bad", "good"]);
  });
});
