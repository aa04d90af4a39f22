/** ProcessProcessor: state of a key, its time to live, and what a hook may and may not do. */
import { describe, expect, test } from "vitest";
import { readKey } from "../../../src/engine/shard/reader.ts";
import { fireTimers, nextTimerOf } from "../../../src/engine/shard/timers.ts";
import { NOW } from "../support.ts";
import type { Hook } from "./process-bench.ts";
import { ProcessBench } from "./process-bench.ts";
import { lettersOf } from "./support.ts";

describe("state", () => {
  test("of values, lists and maps is each key's own and survives sleep", () => {
    const bench = new ProcessBench((data, { state, key }, collector) => {
      const value = state.value<string>("value");
      const list = state.list<string>("list");
      const map = state.map<number>("map");
      collector.emit([key, value.get(), list.get(), map.entries(), map.has(data), map.get(data)]);
      value.set(data);
      list.add(data);
      map.set(data, (map.get(data) ?? 0) + 1);
    });
    bench.give("a:x", "b:y", "a:x").reopen().give("a:z");
    expect(bench.emitted).toEqual([
      ["a", null, [], [], false, null],
      ["b", null, [], [], false, null],
      ["a", "x", ["x"], [["x", 1]], true, 1],
      ["a", "x", ["x", "x"], [["x", 2]], false, null],
    ]);
    expect(bench.view).toEqual({
      a: {
        value: "z",
        list: ["x", "x", "z"],
        map: [
          ["x", 2],
          ["z", 1],
        ],
      },
      b: { value: "y", list: ["y"], map: [["y", 1]] },
    });
    expect(readKey(bench.shard, "b")?.value).toEqual(bench.view.b);
  });

  test("can be set whole, cleared and deleted by name, and falsy values are values", () => {
    const bench = new ProcessBench((data, { state }, collector) => {
      const [value, list, map] = [state.value("v"), state.list("l"), state.map("m")];
      if (data === "set") {
        list.set([1, 2]);
        for (const key of ["", "__proto__", "constructor", "a"]) map.set(key, key);
        for (const [n, falsy] of [0, "", false, null].entries()) state.value(`falsy ${n}`).set(falsy);
      }
      if (data === "delete") {
        map.delete("a");
        map.delete("never");
      }
      if (data === "clear") for (const one of [value, list, map]) one.clear();
      collector.emit([list.get(), map.entries().map(([key]) => key), map.get("__proto__")]);
    });
    bench.give("k:set", "k:delete", "k:clear");
    expect(bench.emitted).toEqual([
      [[1, 2], ["", "__proto__", "constructor", "a"], "__proto__"],
      [[1, 2], ["", "__proto__", "constructor"], "__proto__"],
      [[], [], null],
    ]);
    expect(bench.view).toEqual({ k: { "falsy 0": 0, "falsy 1": "", "falsy 2": false, "falsy 3": null } });
  });

  test("that would not come back as it is fails its event, not the shard", () => {
    const values: Record<string, unknown> = {
      undefined,
      nan: Number.NaN,
      date: new Date(0),
      function: () => 0,
      bigint: 1n,
      large: "x".repeat(1_000_001),
    };
    const bench = new ProcessBench((data, { state }) => state.value("v").set(values[data]));
    bench.give(...Object.keys(values).map((name) => `k:${name}`));
    expect([bench.view, lettersOf(bench.shard).length, bench.shard.counters.keys]).toEqual([
      {},
      Object.keys(values).length,
      0,
    ]);
  });

  test("of a key is gone when nothing is left of it, and the key is not counted", () => {
    const bench = new ProcessBench((data, { state, timers }) => {
      const value = state.value("v");
      if (data === "set") value.set(1);
      if (data === "clear") value.clear();
      if (data === "timer") timers.set("t", NOW + 10);
      if (data === "stop") timers.delete("t");
    });
    bench.give("k:nothing", "k:clear");
    expect([bench.view, bench.shard.counters.keys]).toEqual([{}, 0]);
    bench.give("k:set", "l:set");
    expect(bench.shard.counters.keys).toBe(2);
    bench.give("k:clear", "k:clear");
    expect([bench.view, bench.shard.counters.keys]).toEqual([{ l: { v: 1 } }, 1]);
    // A timer is something: the key stays for it, and goes with it.
    bench.give("k:timer");
    expect([bench.view.k, bench.shard.counters.keys]).toEqual([{}, 2]);
    bench.give("k:stop", "l:clear");
    expect([bench.view, bench.shard.counters.keys, bench.timers]).toEqual([{}, 0, 0]);
    bench.shard.checkpoint();
    expect([...bench.reopen().shard.state.entries()]).toEqual([]);
  });

  test("is limited to maxKeys: an event of a key beyond goes to dead letters, until there is room", () => {
    const bench = new ProcessBench(
      (data, { state }, collector) => {
        collector.emit(data);
        if (data === "clear") state.value("v").clear();
        if (data === "set") state.value("v").set(data);
      },
      undefined,
      { maxKeys: 2 },
    );
    bench.give("a:set", "b:set", "c:set", "c:look", "a:set");
    expect(Object.keys(bench.view)).toEqual(["a", "b"]);
    expect(bench.emitted).toEqual(["set", "set", "look", "set"]);
    expect(lettersOf(bench.shard)).toMatchObject([{ error: /2 keys; raise maxKeys/, event: { key: "c" } }]);
    bench.give("a:clear", "c:set");
    expect(Object.keys(bench.view)).toEqual(["b", "c"]);
  });
});

describe("time to live", () => {
  const LIVING: Hook = (data, { state }, collector) => {
    if (data === "forever") state.value("forever").set(1);
    if (data === "set") state.value<number>("short", { ttl: 1_000 }).set(1);
    if (data === "long") state.list<number>("long", { ttl: "1 minute" }).add(1);
    collector.emit([state.value("short").get() ?? null, state.list("long").get().length]);
  };

  test("ends for readers at its time, whether or not the timer has fired", () => {
    const bench = new ProcessBench(LIVING);
    bench.give("k:set");
    bench.clock.advance(999);
    bench.give("k:look");
    bench.clock.advance(1);
    bench.give("k:look");
    expect(bench.emitted).toEqual([
      [1, 0],
      [1, 0],
      [null, 0],
    ]);
  });

  test("is counted from the last write", () => {
    const bench = new ProcessBench(LIVING);
    bench.give("k:set");
    bench.clock.advance(900);
    bench.give("k:set");
    bench.clock.advance(900);
    bench.give("k:look");
    expect(bench.emitted.at(-1)).toEqual([1, 0]);
    expect(bench.timers).toBe(1);
    expect(nextTimerOf(bench.shard)).toBe(NOW + 1_900);
  });

  test("takes a key away that nobody touches any more, each state in its turn", () => {
    const bench = new ProcessBench(LIVING);
    bench.give("k:set", "k:long", "l:set", "m:set", "m:forever");
    bench.pass(999);
    expect(bench.shard.counters.keys).toBe(3);
    bench.pass(1);
    expect(bench.view).toEqual({ k: { long: [1] }, m: { forever: 1 } });
    expect(bench.shard.counters.keys).toBe(2);
    bench.reopen().pass(59_000);
    expect([bench.view, bench.shard.counters.keys, bench.timers]).toEqual([{ m: { forever: 1 } }, 1, 0]);
    expect(bench.emitted.length).toBe(5);
  });

  test("of a part of a millisecond, or of ages, still comes in the order of time", () => {
    const bench = new ProcessBench((data, { state }) => state.value(data, { ttl: Number(data) }).set(1));
    bench.give("k:0.5", "k:1e300", "l:20", "m:1.25");
    bench.pass(1);
    expect(Object.keys(bench.view)).toEqual(["k", "l", "m"]);
    expect(bench.view.k).toEqual({ "1e300": 1 });
    bench.pass(1);
    expect(Object.keys(bench.view)).toEqual(["k", "l"]);
    bench.pass(18);
    expect(Object.keys(bench.view)).toEqual(["k"]);
    expect(bench.timers).toBe(1);
  });

  test("of nothing is over at once, and one that is none fails its event", () => {
    const bench = new ProcessBench((data, { state }) => state.value("v", { ttl: data }).set(1));
    bench.give("k:0 ms", "k:never", "l:-1 s");
    expect(lettersOf(bench.shard).map(({ error }) => error.slice(0, 16))).toEqual([
      "not a duration: ",
      "not a duration: ",
    ]);
    bench.pass(0);
    expect([bench.view, bench.timers]).toEqual([{}, 0]);
  });

  test("is not undone by a clock that goes back", () => {
    const bench = new ProcessBench(LIVING);
    bench.give("k:set");
    // The alarm says that it is due; by the commit's own clock it is not yet.
    fireTimers(bench.shard, NOW + 5_000);
    expect([bench.view, bench.timers]).toEqual([{ k: { short: 1 } }, 1]);
    bench.pass(1_000);
    expect([bench.view, bench.timers]).toEqual([{}, 0]);
  });
});

describe("a hook", () => {
  test("that returns a Promise fails its event: nothing waits for it", async () => {
    const bench = new ProcessBench((async () => {
      await Promise.reject(new Error("nobody hears of it"));
    }) as unknown as Hook);
    bench.give("k:x");
    expect(lettersOf(bench.shard)).toMatchObject([{ error: /needs a stage/ }]);
    await new Promise((resolve) => setImmediate(resolve));
  });

  test("sees the same time for all events of a commit, and its own name and key", () => {
    const seen: unknown[] = [];
    const bench = new ProcessBench((_data, { now, operator, key }, _collector, event) => {
      bench.clock.advance(1);
      seen.push([now, operator, key, event.key]);
    });
    bench.give("a:x", "b:x");
    expect(seen).toEqual([
      [NOW, "scripted", "a", "a"],
      [NOW, "scripted", "b", "b"],
    ]);
  });

  test("may emit to a name that every object has, and to any that nobody reads", () => {
    const bench = new ProcessBench((data, { state }, collector) => {
      state.value("v").set(data);
      for (const output of ["constructor", "__proto__", "toString", "nobody"]) collector.emitTo(output, 1);
      collector.emit(data);
    });
    bench.give("k:x");
    expect([lettersOf(bench.shard), bench.emitted, bench.view]).toEqual([[], ["x"], { k: { v: "x" } }]);
  });
});
