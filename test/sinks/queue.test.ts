/** queueSink: events as messages within the platform's limits, again as a whole when a send fails. */
import { expect, test } from "vitest";
import { queueSink } from "../../src/index.ts";
import type { EventJson } from "../../src/sinks/event-json.ts";
import { call, segment } from "../engine/support.ts";
import type { Click } from "./support.ts";
import { clicksOf, SinkRun } from "./support.ts";

/** Takes what the platform takes, and keeps it; fails when it is told to. */
class RecordingQueue {
  readonly sends: EventJson<Click>[][] = [];
  failing = 0;

  async sendBatch(
    messages: Iterable<{ readonly body: unknown; readonly contentType: "json" }>,
  ): Promise<void> {
    const bodies = [...messages].map(({ body }) => body as EventJson<Click>);
    const sizes = bodies.map((body) => Buffer.byteLength(JSON.stringify(body)));
    if (bodies.length > 100) throw new Error("too many messages");
    if (sizes.some((size) => size > 128_000)) throw new Error("a message is too large");
    if (sizes.reduce((sum, size) => sum + size, 0) > 256_000) throw new Error("the batch is too large");
    if (this.failing-- > 0) throw new Error("queue overloaded (10250)");
    this.sends.push(bodies);
  }

  get urls(): string[] {
    return this.sends.flat().map(({ data }) => data.url);
  }
}

const sink = () => queueSink("to-billing", { binding: "BILLING", batchTime: "1 second" });

test("sends each event as a message with id, time, key and data", async () => {
  const BILLING = new RecordingQueue();
  const run = new SinkRun(sink(), { env: { BILLING }, keyed: true });
  await run.send(clicksOf(1));
  await run.settle();
  expect(BILLING.sends).toEqual([
    [
      {
        id: expect.stringMatching(/./),
        time: "2026-11-26T08:15:30.000Z",
        key: "user-0",
        data: { user: "user-0", url: "/0" },
      },
    ],
  ]);
  expect(sink().bindings).toEqual([{ kind: "queue", binding: "BILLING", name: "billing" }]);
});

test("keeps within the platform's limits of number and size, in order", async () => {
  const BILLING = new RecordingQueue();
  const run = new SinkRun(sink(), { env: { BILLING } });
  const clicks = [
    ...clicksOf(250),
    ...clicksOf(10).map(({ user }, n) => ({ user, url: `${n}${"ü".repeat(30_000)}` })),
  ];
  await run.send(clicks);
  await run.settle();
  expect(BILLING.urls).toEqual(clicks.map(({ url }) => url));
  expect(BILLING.sends.slice(0, 2).map((messages) => messages.length)).toEqual([100, 100]);
  expect(run.errors).toEqual([]);
});

test("an event over a message's size is a dead letter with the size in it; its neighbours are sent", async () => {
  const BILLING = new RecordingQueue();
  const run = new SinkRun(sink(), { env: { BILLING } });
  // Behind the ingest's own limit nothing is that large: what an operator makes may be.
  const large = { user: "a", url: "x".repeat(90_000) };
  const records = [
    { user: "a", url: "/1" },
    { user: "a", url: large.url + large.url },
    { user: "a", url: "/2" },
  ].flatMap((data, n) => ["", [`e${n}`, 0, data], 1]);
  await run.starter.shards.apply(call([segment(0, {}, { records })], { operator: "to-billing" }));
  await run.settle();
  expect(BILLING.urls).toEqual(["/1", "/2"]);
  expect(
    run.starter.deadLetters().map(({ operator, error, event, n }) => [operator, error, event?.id, n]),
  ).toEqual([
    [
      "to-billing",
      expect.stringMatching(/^it has 180\d{3} bytes as a queue message; the limit is 127000$/),
      "e1",
      0,
    ],
  ]);
  expect(run.starter.shards.shard("to-billing", 0).counters.sink).toMatchObject({ last: 3, delivered: 2 });
});

test("what failed is sent again, with what had arrived of its batch, under the same ids", async () => {
  const BILLING = new RecordingQueue();
  const run = new SinkRun(sink(), { env: { BILLING } });
  BILLING.sendBatch = failingOnce(BILLING, 2);
  await run.send(clicksOf(150));
  await run.pass(1_000);
  expect(run.errors).toEqual(["queue overloaded (10250)"]);
  await run.settle();
  expect(BILLING.sends.map((messages) => messages.length)).toEqual([100, 100, 50]);
  expect(BILLING.sends[1]).toEqual(BILLING.sends[0]);
  expect(new Set(BILLING.sends.flat().map(({ id }) => id)).size).toBe(150);
});

test("a rejection is forgotten when the write fails, and told once when it has not", async () => {
  const BILLING = new RecordingQueue();
  BILLING.failing = 3;
  const run = new SinkRun(sink(), { env: { BILLING } });
  const records = ["x".repeat(130_000), "/1"].flatMap((url, n) => ["", [`e${n}`, 0, { user: "a", url }], 1]);
  await run.starter.shards.apply(call([segment(0, {}, { records })], { operator: "to-billing" }));
  await run.settle();
  expect(run.errors).toHaveLength(3);
  expect(run.starter.deadLetters().map(({ event }) => event?.id)).toEqual(["e0"]);
  expect(BILLING.urls).toEqual(["/1"]);
});

test("without the queue it says what to do, and waits", async () => {
  const run = new SinkRun(sink());
  await run.send(clicksOf(1));
  await run.pass(1_000);
  expect(run.errors[0]).toMatch(/sink to-billing: there is no queue "BILLING" here; run "npm run plan/);
  expect(run.starter.deadLetters()).toEqual([]);
});

/** Fails in the nth call. */
function failingOnce(queue: RecordingQueue, nth: number): RecordingQueue["sendBatch"] {
  const send = queue.sendBatch.bind(queue);
  let calls = 0;
  return async (messages) => {
    if (++calls === nth) throw new Error("queue overloaded (10250)");
    await send(messages);
  };
}
