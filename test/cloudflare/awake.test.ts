/** Awake: wall-clock time at work, by a clock of the test's own. */
import { expect, test } from "vitest";
import { VirtualClock } from "../../src/clock.ts";
import { Awake } from "../../src/cloudflare/objects/awake.ts";

function awake() {
  const clock = new VirtualClock(1_000);
  const counted: number[] = [];
  const timer = new Awake(clock, ({ awake = 0 }) => counted.push(awake));
  const total = () => counted.reduce((sum, ms) => sum + ms, 0);
  return { clock, timer, counted, total };
}

/** Work, and what ends it. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { promise, resolve, reject };
}

test("time between two pieces of work is not counted", async () => {
  const { clock, timer, total } = awake();
  for (const ms of [30, 12]) {
    const one = work();
    const done = timer.during(one.promise);
    clock.advance(ms);
    one.resolve("done");
    expect(await done).toBe("done");
    clock.advance(10_000);
  }
  expect(total()).toBe(42);
});

test("what goes on at a time counts once, and as soon as some of it ends", async () => {
  const { clock, timer, counted } = awake();
  const [long, short] = [work(), work()];
  const both = [timer.during(long.promise), timer.during(short.promise)];
  clock.advance(5);
  short.resolve("");
  await both[1];
  expect(counted).toEqual([5]);
  clock.advance(7);
  long.resolve("");
  await both[0];
  expect(counted).toEqual([5, 7]);
});

test("work that fails has taken its time as well, and what moved no clock is no row of zeros", async () => {
  const { clock, timer, counted } = awake();
  const failing = work();
  const done = timer.during(failing.promise);
  clock.advance(8);
  failing.reject(new Error("no"));
  await expect(done).rejects.toThrow("no");
  await timer.during(Promise.resolve());
  expect(counted).toEqual([8]);
});
