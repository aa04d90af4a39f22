/** Feed: snapshots and changes for those who watch, one look for all of them, and rest when there is nothing to do. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Look } from "../../src/cloudflare/live/feed.ts";
import { Feed } from "../../src/cloudflare/live/feed.ts";
import type { LiveEntry, LiveState } from "../../src/cloudflare/live/message.ts";

class Viewer {
  readonly topic: string;
  readonly heard: unknown[] = [];

  constructor(topic: string) {
    this.topic = topic;
  }
}

/** A feed over a world of which a test says what is in it. */
class World {
  readonly viewers = new Set<Viewer>();
  readonly values = new Map<string, number>();
  readonly feed: Feed<Viewer, string>;
  looks = 0;
  subscriptions = 0;
  /** Topics that cannot be read. */
  readonly down = new Set<string>();
  waits = false;
  /** Shards commit all the time. */
  again = false;
  /** What keeps the feed from sleeping. */
  atWork = 0;

  constructor(every = 100) {
    this.feed = new Feed<Viewer, string>(
      {
        topics: () => {
          const topics = new Map<string, { query: string; sockets: Viewer[] }>();
          for (const viewer of this.viewers) {
            const topic = topics.get(viewer.topic) ?? { query: viewer.topic, sockets: [] };
            topics.set(viewer.topic, topic);
            topic.sockets.push(viewer);
          }
          return topics;
        },
        send: (viewer, text) => viewer.heard.push(JSON.parse(text)),
        subscribe: async () => {
          if (this.down.has("subscribe")) throw new Error("no shard");
          this.subscriptions++;
        },
        read: async (topics) => {
          this.looks++;
          const looks = topics.map((topic) => this.#look(topic));
          return { looks, again: this.again };
        },
        during: async (work) => {
          this.atWork++;
          await work;
          this.atWork--;
        },
      },
      { about: { view: "v" }, every },
    );
  }

  join(topic: string): Viewer {
    const viewer = new Viewer(topic);
    this.viewers.add(viewer);
    this.feed.join(viewer, topic);
    return viewer;
  }

  /** A commit that changes these. */
  commit(values: Readonly<Record<string, number>>): number | undefined {
    for (const [key, value] of Object.entries(values)) this.values.set(key, value);
    return this.feed.changed();
  }

  #look(topic: string): Look {
    if (this.down.has(topic)) return { error: "out of order" };
    return { answer: this.#state(topic) };
  }

  #state(topic: string): LiveState {
    if (topic === "total") {
      const total = [...this.values.values()].reduce((sum, value) => sum + value, 0);
      return { kind: "total", total: { keys: this.values.size, total } };
    }
    if (topic === "health") {
      const still = JSON.stringify([...this.values]);
      return { kind: "health", health: { still, look: this.looks }, still, waits: this.waits };
    }
    const entries = [...this.values].filter(([key]) => key.startsWith(topic));
    return { kind: "entries", entries: entries.map(([key, value]) => ({ key, value }) as LiveEntry) };
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const wait = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const entries = (values: Readonly<Record<string, number>>) =>
  Object.entries(values).map(([key, value]) => ({ key, value }));

test("a snapshot, then what has changed; those who come later begin with what the others know", async () => {
  const world = new World();
  const first = world.join("a");
  await wait(0);
  expect(first.heard).toEqual([{ type: "snapshot", view: "v", entries: [] }]);
  await wait(100);
  world.commit({ a1: 1, b1: 1 });
  await wait(0);
  const second = world.join("a");
  expect(first.heard[1]).toEqual({ type: "change", view: "v", entries: entries({ a1: 1 }), gone: [] });
  expect(second.heard).toEqual([{ type: "snapshot", view: "v", entries: entries({ a1: 1 }) }]);
  world.values.delete("a1");
  world.commit({ a2: 5 });
  await wait(100);
  const change = { type: "change", view: "v", entries: entries({ a2: 5 }), gone: [{ key: "a1" }] };
  expect(first.heard[2]).toEqual(change);
  expect(second.heard[1]).toEqual(change);
  expect(world.subscriptions).toBe(1);
});

test("commits as often as you like cost a look now and then, and nothing is left out", async () => {
  const world = new World(100);
  const viewers = Array.from({ length: 50 }, () => world.join("total"));
  await wait(0);
  expect(world.looks).toBe(1);
  for (let n = 1; n <= 1000; n++) {
    expect(world.commit({ k: n })).toBe(100);
    await wait(1);
  }
  await wait(100);
  expect(world.looks).toBeGreaterThan(8);
  expect(world.looks).toBeLessThanOrEqual(13);
  for (const { heard } of viewers) {
    expect(heard.at(-1)).toEqual({ type: "change", view: "v", total: { keys: 1, total: 1000 } });
    expect(heard).toEqual(viewers[0]?.heard);
  }
  await wait(60_000);
  expect(world.looks).toBeLessThanOrEqual(13);
});

test("where shards commit faster than it looks it looks again by itself, and rests when they no longer do", async () => {
  const world = new World(100);
  const viewer = world.join("k");
  await wait(1_000);
  expect([world.looks, world.atWork]).toEqual([1, 0]);
  world.again = true;
  world.commit({ k: 1 });
  for (let n = 2; n <= 10; n++) {
    await wait(100);
    // Nobody says so, and between two looks it does not sleep.
    world.values.set("k", n);
    expect(world.atWork).toBe(1);
  }
  world.again = false;
  await wait(10_000);
  expect(viewer.heard.at(-1)).toMatchObject({ entries: entries({ k: 10 }) });
  expect([world.looks, world.atWork]).toEqual([12, 0]);
  world.commit({ k: 11 });
  await wait(0);
  expect(world.looks).toBe(13);
});

test("when nobody watches any more there is nothing left that keeps it from sleeping", async () => {
  const world = new World(1_000);
  const viewer = world.join("a");
  await wait(0);
  world.commit({ a: 1 });
  expect(world.atWork).toBe(1);
  world.viewers.delete(viewer);
  expect(world.commit({ a: 2 })).toBeUndefined();
  await wait(0);
  expect([world.looks, world.atWork]).toEqual([1, 0]);
});

test("a new question is looked at at once, and the others with it", async () => {
  const world = new World(1_000);
  const old = world.join("a");
  await wait(0);
  world.commit({ a: 1 });
  const young = world.join("total");
  await wait(0);
  expect(young.heard).toEqual([{ type: "snapshot", view: "v", total: { keys: 1, total: 1 } }]);
  expect(old.heard).toHaveLength(2);
});

test("when nobody watches, shards are told so; who watches then has them told anew", async () => {
  const world = new World();
  const viewer = world.join("a");
  await wait(0);
  world.viewers.delete(viewer);
  expect(world.commit({ a: 1 })).toBeUndefined();
  await wait(1_000);
  expect(world.looks).toBe(1);
  const next = world.join("a");
  await wait(0);
  expect(next.heard).toEqual([{ type: "snapshot", view: "v", entries: entries({ a: 1 }) }]);
  expect(world.subscriptions).toBe(2);
});

test("what cannot be read is said once, does not hold up what can, and is shown whole when it can be read again", async () => {
  const world = new World();
  const [bad, good] = [world.join("a"), world.join("b")];
  await wait(0);
  world.down.add("a");
  await wait(100);
  world.commit({ a: 1, b: 1 });
  await wait(3_000);
  expect(bad.heard.slice(1)).toEqual([{ type: "problem", detail: "out of order" }]);
  expect(good.heard[1]).toMatchObject({ type: "change", entries: entries({ b: 1 }) });
  const late = world.join("a");
  await wait(0);
  world.down.clear();
  await wait(10_000);
  expect(bad.heard.at(-1)).toEqual({ type: "snapshot", view: "v", entries: entries({ a: 1 }) });
  expect(late.heard.at(-1)).toEqual({ type: "snapshot", view: "v", entries: entries({ a: 1 }) });
  expect(good.heard).toHaveLength(2);
});

test("shards that cannot be told to say when they commit are told later", async () => {
  const world = new World();
  world.down.add("subscribe");
  const viewer = world.join("a");
  await wait(0);
  expect(viewer.heard).toEqual([{ type: "problem", detail: "no shard" }]);
  world.down.clear();
  await wait(2_000);
  expect(viewer.heard[1]).toEqual({ type: "snapshot", view: "v", entries: [] });
});

test("the health is looked at while something moves or waits, once more, and then no more", async () => {
  const world = new World(1_000);
  const viewer = world.join("health");
  await wait(10_000);
  const atRest = world.looks;
  expect(atRest).toBe(2);
  world.waits = true;
  world.commit({ a: 1 });
  await wait(5_000);
  expect(world.looks).toBeGreaterThanOrEqual(atRest + 5);
  expect(viewer.heard.at(-1)).toMatchObject({ type: "health", health: { look: world.looks } });
  world.waits = false;
  await wait(1_000);
  const quiet = world.looks;
  expect(viewer.heard.at(-1)).toMatchObject({ health: { look: quiet } });
  await wait(60_000);
  expect(world.looks).toBeLessThanOrEqual(quiet + 1);
});
