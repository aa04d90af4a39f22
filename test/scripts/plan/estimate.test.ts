import { describe, expect, it } from "vitest";
import { estimate, estimateText } from "../../../scripts/plan/estimate.ts";
import { count, Job, planJobs } from "../../../src/index.ts";
import { plan as clickstream } from "../../../workers/jobs/index.ts";
import { largePlan, Orders, smallPlan } from "./jobs.ts";

const workload = { source: "web-orders", events: 1_000_000, batch: 100, keys: 200, selectivity: {} };

describe("an estimate", () => {
  it("shows its arithmetic", () => {
    expect(estimateText(estimate(smallPlan(), workload))).toMatchInlineSnapshot(`
      "Estimate, at list prices of November 2026: 1,000,000 events into web-orders, 100 a request, 200 keys

                                                  arithmetic                                                count  $ a million       $
        web-orders       Worker requests          10,000 requests + 100 batches of 100 messages            10,100         0.30  0.0030
                         queue operations         10,000 requests × 1 message × 3                          30,000         0.40  0.0120
        revenue          object requests          100 batches × 2 shards                                      200         0.15  0.0000
                         rows written             200 commits + 4 checkpoints × (1 page + 1)                  208         1.00  0.0002
        orders-per-shop  object requests          100 batches × 4 shards                                      400         0.15  0.0001
                         rows written             400 commits + 7 checkpoints × (1 page + 1)                  414         1.00  0.0004
        in all           ~ CPU, ms                10,100 Worker requests × 0.3 + 1,000,000 events × 0.001   4,030         0.02  0.0001
                         ~ object duration, GB-s  600 object requests × 20 ms × 0.128 GB                    1.536        12.50  0.0000
                         ~ rows read              600 object requests × 1                                     600        0.001  0.0000
        total                                                                                                                   0.0158

        Per million events: 10,000 messages, 600 shard calls, 622 rows, $0.0158

      It assumes full batches (slow traffic makes smaller ones, so more calls and commits: say --rate N), keys of 60 bytes spread evenly, events of 200 bytes, and no retries.
      For each event an operator emits one, to each of its outputs that is read; an aggregate one for each key that a commit changes. A commit is handed on in a call to each shard that it touches, at most: under load several share one.
      What is marked ~ is no count: CPU time is what the bench found, on the high side; that an object is at work for 20 ms a call is a guess, and one that waits for a sink or a source is so for as long.
      It leaves out alarms and timers, storage, queries, what other sources send, and requests under an idempotency key.
      "
    `);
  });

  it("counts a message for each 64 KB, and pages for many keys", () => {
    const lines = estimate(smallPlan(), { ...workload, batch: 10_000, keys: 10_000_000 }).lines;
    // 10,000 records for each of two operators are 1.2 MB.
    expect(lines[1]).toMatchObject({ arithmetic: "100 requests × 20 messages × 3", count: 6000 });
    // So many keys change with each commit that checkpoints come early.
    const rows = lines.filter(({ what }) => what === "rows written").map(({ arithmetic }) => arithmetic);
    expect(rows).toEqual([
      "40 commits + 20 checkpoints × (8,139 pages + 1)",
      "80 commits + 16 checkpoints × (4,070 pages + 1)",
    ]);
  });

  it("follows events through all that is downstream", () => {
    const told = { "sizes.large": 0.1, sizes: 0.9, "sessions.late": 0.01 };
    const of = { ...workload, source: "orders", selectivity: told };
    expect(estimateText(estimate(largePlan(), of))).toMatchInlineSnapshot(`
      "Estimate, at list prices of November 2026: 1,000,000 events into orders, 100 a request, 200 keys

                                             arithmetic                                                 count  $ a million       $
        orders      Worker requests          10,000 requests + 100 batches of 100 messages             10,100         0.30  0.0030
                    queue operations         10,000 requests × 1 message × 3                           30,000         0.40  0.0120
        score       Worker requests          20 batches of 20 messages                                     20         0.30  0.0000
                    queue operations         400 messages × 3                                           1,200         0.40  0.0005
                    object requests          10,000 requests × 1 shard                                 10,000         0.15  0.0015
                    rows written             10,000 commits + 157 checkpoints × (0 pages + 1)          10,157         1.00  0.0102
        sessions    object requests          100 batches × 2 shards                                       200         0.15  0.0000
                    rows written             200 commits + 4 checkpoints × (1 page + 1)                   208         1.00  0.0002
        late-files  object requests          200 commits of sessions × 1 shard                            200         0.15  0.0000
                    rows written             200 commits + 4 checkpoints × (16 pages + 1)                 268         1.00  0.0003
                    rows written             9 files × (fixed + written)                                   18         1.00  0.0000
                    files written            9 files                                                        9         4.50  0.0000
        locate      Worker requests          300 batches of 10 messages                                   300         0.30  0.0001
                    queue operations         3,000 messages × 3                                         9,000         0.40  0.0036
                    object requests          200 commits of sessions × 1 shard × 15 pieces              3,000         0.15  0.0004
                    rows written             3,000 commits + 47 checkpoints × (0 pages + 1)             3,047         1.00  0.0030
        per-shop    object requests          3,000 commits of locate × 1 shard                          3,000         0.15  0.0004
                    rows written             3,000 commits + 47 checkpoints × (1 page + 1)              3,094         1.00  0.0031
        shops       object requests          3,000 commits of per-shop × 1 shard                        3,000         0.15  0.0004
                    rows written             3,000 commits + 47 checkpoints × (1 page + 1)              3,094         1.00  0.0031
        billing     object requests          3,000 commits of shops × 1 shard                           3,000         0.15  0.0004
                    rows written             3,000 commits + 29 checkpoints × (113 pages + 1)           6,306         1.00  0.0063
                    rows written             3,000 batches × (fixed + written)                          6,000         1.00  0.0060
                    queue operations         600,000 events × 1 write                                 600,000         0.40  0.2400
        in all      ~ CPU, ms                10,420 Worker requests × 0.3 + 1,000,000 events × 0.001    4,126         0.02  0.0001
                    ~ object duration, GB-s  22,400 object requests × 20 ms × 0.128 GB                 57.344        12.50  0.0007
                    ~ rows read              22,400 object requests × 1                                22,400        0.001  0.0000
        total                                                                                                               0.2956

        Per million events: 13,400 messages, 22,400 shard calls, 32,192 rows, $0.2956

      It assumes full batches (slow traffic makes smaller ones, so more calls and commits: say --rate N), keys of 60 bytes spread evenly, events of 200 bytes, and no retries.
      For each event an operator emits one (but sizes.large emits 0.1, sizes emits 0.9, sessions.late emits 0.01), to each of its outputs that is read; an aggregate one for each key that a commit changes. A commit is handed on in a call to each shard that it touches, at most: under load several share one.
      What is marked ~ is no count: CPU time is what the bench found, on the high side; that an object is at work for 20 ms a call is a guess, and one that waits for a sink or a source is so for as long.
      It leaves out alarms and timers, storage, queries, what other sources send, and requests under an idempotency key.
      "
    `);
  });

  it("adds up: the total is that of its lines, and figures are for a million events", () => {
    const half = { ...workload, source: "ticks", events: 500_000 };
    const { lines, dollars, perMillionEvents } = estimate(largePlan(), half);
    expect(lines.reduce((sum, line) => sum + line.dollars, 0)).toBeCloseTo(dollars, 10);
    expect(perMillionEvents.dollars).toBeCloseTo(dollars * 2, 10);
    const calls = lines.filter(({ what }) => what === "object requests");
    expect(perMillionEvents.shardCalls).toBe(2 * calls.reduce((sum, { count }) => sum + count, 0));
    // A pull source is asked for no more than its limit, and has neither requests nor a queue.
    expect(lines[0]).toMatchObject({ part: "ticks", what: "object requests", arithmetic: "5,000 answers" });
    const [asked] = estimate(largePlan(), { ...half, batch: 10_000 }).lines;
    expect(asked).toMatchObject({ arithmetic: "500 answers" });
  });

  it("makes a batch of each message of slow traffic, and says what a day of it costs", () => {
    const trickle = { source: "clicks", events: 432_000, batch: 5, keys: 1_000, selectivity: {}, rate: 5 };
    const { lines, dollars, dollarsADay } = estimate(clickstream, trickle);
    const of = (part: string) => lines.filter((line) => line.part === part).map(({ count }) => count);
    // Requests and batches; operations; what is told the coordinator: that a second begins and ends, and of each batch.
    expect(of("clicks")).toEqual([172_800, 259_200, 259_200, 259_200]);
    // Of four shards five keys fall into three, on average.
    expect(of("page-views")[0]).toBe(86_400 * 3.05);
    expect(dollarsADay).toBeCloseTo(dollars, 12);
    expect(estimateText(estimate(clickstream, trickle))).toContain("A day at 5 events a second: $1.10");
    // Ten times as fast, ten requests share what is told of a second.
    const faster = estimate(clickstream, { ...trickle, rate: 50 }).lines;
    expect(faster[2]).toMatchObject({
      arithmetic: "8,640 seconds × 2 + 86,400 batches × 1 report to the coordinator",
      count: 103_680,
    });
  });

  it("fills a batch for as long as the queue waits", () => {
    const job = new Job("sales");
    const orders = job.addSource(new Orders("orders", { batchSeconds: 10 }));
    orders.keyBy(({ shop }) => shop).aggregate("orders-per-shop", count());
    const plan = planJobs([job]);
    const slow = { events: 1_000, batch: 1, keys: 10, selectivity: {}, rate: 0.5 };
    const [requests] = estimate(plan, slow).lines;
    // The first, and five that come within ten seconds.
    expect(requests).toMatchObject({
      arithmetic: "1,000 requests + 167 batches of 6 messages",
      count: 1_167,
    });
    const [fast] = estimate(plan, { ...slow, rate: 1_000 }).lines;
    expect(fast).toMatchObject({ arithmetic: "1,000 requests + 10 batches of 100 messages" });
  });

  it("costs nothing where nothing arrives", () => {
    const none = { ...workload, source: "orders", selectivity: { "sizes.large": 0, sizes: 0 } };
    expect(new Set(estimate(largePlan(), none).lines.map(({ part }) => part))).toEqual(
      new Set(["orders", "in all"]),
    );
  });

  it("refuses to be told what a thing emits that does not", () => {
    const wrong = { ...workload, source: "orders", selectivity: { "per-shop": 2 } };
    expect(() => estimate(largePlan(), wrong)).toThrow(
      "--selectivity per-shop: nothing of that name emits events; use one of locate, score, sessions, sessions.late, sizes, sizes.large.",
    );
  });

  it("is for one source, which must be clear", () => {
    const { source: _, ...unclear } = workload;
    expect(() => estimate(smallPlan(), unclear)).toThrow("say --source NAME, one of arrivals, web-orders");
    expect(() => estimate(smallPlan(), { ...workload, source: "x" })).toThrow("--source x: there is none");
  });
});
