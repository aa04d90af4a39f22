/** Watchers: when a shard tells a feed of its commits, and when it need not; by a clock of the test's own. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { Awake } from "../../src/cloudflare/objects/awake.ts";
import { Watchers } from "../../src/cloudflare/objects/watchers.ts";

const FEED = "1/view/v";

/** A shard's watchers, and a feed that answers what a test says. */
function shard(answer: () => Promise<number | null> = async () => 250) {
  const rows = new Map<string, Uint8Array>();
  let told = 0;
  let awake = 0;
  const changed = () => {
    told++;
    return answer();
  };
  const watchers = new Watchers(
    {
      readMeta: (name) => rows.get(name),
      writeMeta: (name, data) => void rows.set(name, data),
    },
    { getByName: () => ({ changed, fetch: () => Promise.reject(new Error("no sockets here")) }) },
    new Awake(systemClock, (usage) => {
      awake += usage.awake ?? 0;
    }),
  );
  watchers.add(FEED);
  const kept = () => new TextDecoder().decode(rows.get("watchers"));
  return { watchers, kept, told: () => told, awake: () => awake };
}

/** Lets everything happen that needs no time. */
const settled = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("a feed is told of the first commit after each of its looks, and of no other before the next", async () => {
  const { watchers, told } = shard();
  for (const looks of [1, 2, 3]) {
    watchers.committed();
    await settled();
    expect(told()).toBe(looks);
    expect(watchers.seen(FEED, true)).toBe(false);
  }
});

test("where commits come faster than looks the feed looks again by itself, and is told nothing", async () => {
  const { watchers, told, awake } = shard();
  watchers.committed();
  await settled();
  for (let look = 0; look < 20; look++) {
    for (let commit = 0; commit < 5; commit++) watchers.committed();
    await vi.advanceTimersByTimeAsync(250);
    expect(watchers.seen(FEED, true)).toBe(true);
  }
  expect(told()).toBe(1);
  // Nor does the shard wait for anything.
  expect(awake()).toBe(0);
  // It was the last look: what comes then is told.
  expect(watchers.seen(FEED, true)).toBe(false);
  watchers.committed();
  await settled();
  expect(told()).toBe(2);
});

test("a feed that does not ask whether it is to look again is told", async () => {
  const { watchers, told } = shard();
  for (const looks of [1, 2]) {
    watchers.committed();
    watchers.committed();
    await settled();
    expect(told()).toBe(looks);
    expect(watchers.seen(FEED, false)).toBe(false);
  }
});

test("one that was to look and does not is told again after five seconds, with the next commit", async () => {
  const { watchers, told } = shard();
  watchers.committed();
  watchers.committed();
  await settled();
  expect([watchers.seen(FEED, true), told()]).toEqual([true, 1]);
  await vi.advanceTimersByTimeAsync(4_999);
  watchers.committed();
  await settled();
  expect(told()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  watchers.committed();
  await settled();
  expect(told()).toBe(2);
});

test("a commit that comes while the feed, having looked, has not answered yet is told as well", async () => {
  const answers: ((pause: number) => void)[] = [];
  const { watchers, told } = shard(() => new Promise((resolve) => answers.push(resolve)));
  watchers.committed();
  await settled();
  expect(watchers.seen(FEED, true)).toBe(false);
  watchers.committed();
  await settled();
  expect(told()).toBe(1);
  answers[0]?.(250);
  await settled();
  expect(told()).toBe(2);
});

test("one that fails is told again, later and later, and then with the next commit", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  let broken = true;
  const { watchers, told, awake } = shard(async () => {
    if (broken) throw new Error("out of order");
    return 250;
  });
  watchers.committed();
  await vi.advanceTimersByTimeAsync(60_000);
  // At once, and after 0.5, 2, 8 and 30 seconds.
  expect([told(), awake()]).toEqual([5, 40_500]);
  broken = false;
  watchers.committed();
  await settled();
  expect(told()).toBe(6);
});

test("one that nobody watches any more is forgotten, unless it was added again meanwhile", async () => {
  const answers: ((pause: null) => void)[] = [];
  const { watchers, told, kept } = shard(() => new Promise((resolve) => answers.push(resolve)));
  watchers.committed();
  await settled();
  watchers.add(FEED);
  answers[0]?.(null);
  await settled();
  expect(kept()).toContain(FEED);
  watchers.committed();
  await settled();
  answers[1]?.(null);
  await settled();
  expect(kept()).not.toContain(FEED);
  watchers.committed();
  await settled();
  expect([told(), watchers.seen(FEED, true)]).toEqual([2, false]);
});
