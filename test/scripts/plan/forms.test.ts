import { describe, expect, it } from "vitest";
import { describePlan } from "../../../scripts/plan/describe.ts";
import { planMermaid } from "../../../scripts/plan/mermaid.ts";
import { planText } from "../../../scripts/plan/text.ts";
import { count, Job, planJobs } from "../../../src/index.ts";
import { Orders, smallPlan } from "./jobs.ts";

const description = { ...describePlan(smallPlan()), fingerprint: "0123456789abcdef" };

describe("the plan", () => {
  it("is drawn as trees and tables", () => {
    expect(planText(description)).toMatchInlineSnapshot(`
      "Plan of 2 jobs: generation 1, fingerprint 0123456789abcdef (bundled for Workers, it is another)

      sales
        web-orders (source)
        └─ paid (filter)
           └─ paid.key-by (keyBy)
              ├─ revenue (aggregate)
              └─ orders-per-shop (aggregate)

        source      queue                dead-letter queue         binding
        web-orders  millrace-web-orders  millrace-web-orders-dead  QUEUE_WEB_ORDERS

        view             shards  keys a shard  signature  sources
        orders-per-shop       4     2,000,000  count@1    web-orders
        revenue               2     2,000,000  sum@1      web-orders

      visits
        arrivals (source)
        └─ arrivals.key-by (keyBy)
           └─ visits-per-shop (aggregate)

        source    queue              dead-letter queue       binding
        arrivals  millrace-arrivals  millrace-arrivals-dead  QUEUE_ARRIVALS

        view             shards  keys a shard  signature  sources
        visits-per-shop       1     2,000,000  count@1    arrivals
      "
    `);
  });

  it("is drawn as a flowchart", () => {
    expect(planMermaid(description)).toMatchInlineSnapshot(`
      "flowchart LR
        subgraph j0["sales"]
          j0n0[/"web-orders"/]
          j0n1["paid"]
          j0n2["paid.key-by"]
          j0n3[("revenue<br>2 shards")]
          j0n4[("orders-per-shop<br>4 shards")]
          j0n0 --> j0n1
          j0n1 --> j0n2
          j0n2 -->|"millrace-web-orders"| j0n3
          j0n2 -->|"millrace-web-orders"| j0n4
        end
        subgraph j1["visits"]
          j1n0[/"arrivals"/]
          j1n1["arrivals.key-by"]
          j1n2[("visits-per-shop<br>1 shard")]
          j1n0 --> j1n1
          j1n1 -->|"millrace-arrivals"| j1n2
        end
      "
    `);
  });

  it("is plain data", () => {
    const [sales] = JSON.parse(JSON.stringify(description)).jobs;
    expect(sales.nodes.map((node: { name: string }) => node.name)).toEqual([
      "web-orders",
      "paid",
      "paid.key-by",
      "revenue",
      "orders-per-shop",
    ]);
    expect({ ...sales, nodes: undefined }).toEqual({
      job: "sales",
      sources: [
        {
          name: "web-orders",
          queue: "millrace-web-orders",
          deadLetterQueue: "millrace-web-orders-dead",
          binding: "QUEUE_WEB_ORDERS",
        },
      ],
      operators: [
        {
          name: "orders-per-shop",
          shards: 4,
          maxKeys: 2_000_000,
          signature: "count@1",
          sources: ["web-orders"],
        },
        { name: "revenue", shards: 2, maxKeys: 2_000_000, signature: "sum@1", sources: ["web-orders"] },
      ],
    });
  });

  it("draws a shared operator in each tree, and names all its queues", () => {
    const job = new Job("all");
    const orders = job.addSource(new Orders("a")).keyBy((it) => it.shop);
    orders.aggregate("both", count());
    const shared = describePlan(planJobs([job]));
    const [all] = shared.jobs;
    const joined = {
      ...shared,
      jobs: [
        {
          ...all!,
          nodes: [
            { name: "a", kind: "source", inputs: [] },
            { name: "b", kind: "source", inputs: [] },
            { name: "m", kind: "map", inputs: ["a", "b"] },
            { name: "both", kind: "aggregate", inputs: ["m"] },
          ],
          sources: [...all!.sources, { ...all!.sources[0]!, name: "b", queue: "millrace-b" }],
        },
      ],
    };
    expect(planText(joined)).toContain(
      "  a (source)\n  └─ m (map)\n     └─ both (aggregate)\n  b (source)\n  └─ m (map, continued above)\n",
    );
    expect(planMermaid(joined)).toContain('j0n2 -->|"millrace-a<br>millrace-b"| j0n3\n');
  });
});
