import { describe, expect, it } from "vitest";
import { estimate, estimateText } from "../../../scripts/plan/estimate.ts";
import { smallPlan } from "./jobs.ts";

const workload = { source: "web-orders", events: 1_000_000, batch: 100, keys: 200 };

describe("an estimate", () => {
  it("shows its arithmetic", () => {
    expect(estimateText(estimate(smallPlan(), workload))).toMatchInlineSnapshot(`
      "Estimate, at list prices of November 2026: 1,000,000 events into web-orders, 100 a request, 200 keys

                          arithmetic                                                                  count  $ a million       $
        Worker requests   10,000 requests + 100 batches of 100 messages                              10,100         0.30  0.0030
        queue operations  10,000 requests × 1 message × 3                                            30,000         0.40  0.0120
        object requests   100 batches × 6 shards                                                        600         0.15  0.0001
        rows written      600 commits + 4 checkpoints × (1 page + 1) + 7 checkpoints × (1 page + 1)     622         1.00  0.0006
        total                                                                                                             0.0157

        $0.0157 per million events

      It assumes full batches (slow traffic makes smaller ones, so more calls and commits), keys of 60 bytes spread evenly, and no retries.
      It leaves out CPU time, the duration of objects, rows read, alarms, storage, queries, and requests under an idempotency key.
      "
    `);
  });

  it("counts a message for each 64 KB, and pages for many keys", () => {
    const lines = estimate(smallPlan(), { ...workload, batch: 10_000, keys: 10_000_000 }).lines;
    // 10,000 records for each of two operators are 1.2 MB.
    expect(lines[1]).toMatchObject({ arithmetic: "100 requests × 20 messages × 3", count: 6000 });
    // So many keys change with each commit that checkpoints come early.
    expect(lines[3]?.arithmetic).toBe(
      "120 commits + 20 checkpoints × (8,139 pages + 1) + 16 checkpoints × (4,070 pages + 1)",
    );
  });

  it("is for one source, which must be clear", () => {
    const { source: _, ...unclear } = workload;
    expect(() => estimate(smallPlan(), unclear)).toThrow("say --source NAME, one of arrivals, web-orders");
    expect(() => estimate(smallPlan(), { ...workload, source: "x" })).toThrow("--source x: there is none");
  });
});
