import { describe, expect, it } from "vitest";
import { planMermaid } from "../../../scripts/plan/mermaid.ts";
import { planText } from "../../../scripts/plan/text.ts";
import { count, Job, planJobs } from "../../../src/index.ts";
import { describePlan } from "../../../src/plan.ts";
import { largePlan, Orders, smallPlan } from "./jobs.ts";

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

        fused into  where they run  steps              hands on to
        web-orders  ingest          paid, paid.key-by  revenue, orders-per-shop

        operator         kind       shards  keys a shard  signature  fed by
        revenue          aggregate       2     2,000,000  sum@1      web-orders
        orders-per-shop  aggregate       4     2,000,000  count@1    web-orders

        queue of    queue                dead-letter queue         binding           batch
        web-orders  millrace-web-orders  millrace-web-orders-dead  QUEUE_WEB_ORDERS  100 or 0 s

      visits
        arrivals (source)
        └─ arrivals.key-by (keyBy)
           └─ visits-per-shop (aggregate)

        fused into  where they run  steps            hands on to
        arrivals    ingest          arrivals.key-by  visits-per-shop

        operator         kind       shards  keys a shard  signature  fed by
        visits-per-shop  aggregate       1     2,000,000  count@1    arrivals

        queue of  queue              dead-letter queue       binding         batch
        arrivals  millrace-arrivals  millrace-arrivals-dead  QUEUE_ARRIVALS  100 or 0 s
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
    const unread = { steps: [], targets: [], sideOutputs: [] };
    expect({ ...sales, nodes: undefined }).toEqual({
      job: "sales",
      onError: "dead-letter",
      sources: [
        {
          name: "web-orders",
          queue: {
            queue: "millrace-web-orders",
            deadLetterQueue: "millrace-web-orders-dead",
            binding: "QUEUE_WEB_ORDERS",
            batchSize: 100,
            batchSeconds: 0,
          },
          steps: ["paid", "paid.key-by"],
          targets: ["revenue", "orders-per-shop"],
          sideOutputs: [],
        },
      ],
      operators: [
        {
          ...{ name: "orders-per-shop", kind: "aggregate", shards: 4, keyed: true, maxKeys: 2_000_000 },
          ...{ signature: "count@1", sources: ["web-orders"], ...unread },
        },
        {
          ...{ name: "revenue", kind: "aggregate", shards: 2, keyed: true, maxKeys: 2_000_000 },
          ...{ signature: "sum@1", sources: ["web-orders"], ...unread },
        },
      ],
    });
  });

  it("shows every kind of operator, what is fused into what, and what lies between", () => {
    const large = { ...describePlan(largePlan({ retired: ["old"] })), fingerprint: "0123456789abcdef" };
    expect(planText(large)).toMatchInlineSnapshot(`
      "Plan of 1 job: generation 1, fingerprint 0123456789abcdef (bundled for Workers, it is another)

      shop (an event that fails stops its message)
        orders (source)
        └─ sizes (split)
           ├─ sizes.output.large (sideOutput)
           │  └─ score (stage)
           └─ sizes.union (union)
              └─ sizes.union.key-by (keyBy)
                 └─ sessions (process)
                    ├─ sessions.output.late (sideOutput)
                    │  └─ late-files (sink)
                    └─ locate (stage)
                       └─ locate.key-by (keyBy)
                          └─ per-shop (aggregate)
                             └─ per-shop.key-by (keyBy)
                                └─ shops (aggregate)
                                   └─ billing (sink)
        ticks (pull)
        └─ sizes.union (union, continued above)

        fused into  where they run   steps                      hands on to
        orders      ingest           sizes, sizes.union.key-by  sessions, score (sizes.large)
        ticks       pull shard       sizes.union.key-by         sessions
        sessions    process shard                               locate, late-files (sessions.late)
        locate      stage shard      locate.key-by              per-shop
        per-shop    aggregate shard  per-shop.key-by            shops
        shops       aggregate shard                             billing

        operator    kind       shards  keys a shard  signature           fed by
        score       stage           1                stage@1             orders
        ticks       pull            1                pull:Ticks@1
        sessions    process         2     2,000,000  process:Sessions@1  orders, ticks
        late-files  sink            1                sink:sink@1         sessions
        locate      stage           1                stage@1             sessions
        per-shop    aggregate       1     2,000,000  count@1             locate
        shops       aggregate       1     2,000,000  sum@1               per-shop
        billing     sink            1                sink:sink@1         shops

        queue of  queue            dead-letter queue     binding       batch
        orders    millrace-orders  millrace-orders-dead  QUEUE_ORDERS  100 or 5 s
        score     millrace-score   millrace-score-dead   QUEUE_SCORE   20 or 0 s, 4 at once
        locate    millrace-locate  millrace-locate-dead  QUEUE_LOCATE  10 or 0 s

      Queue billing: BILLING
      R2 bucket late-orders: FILES
      Retired: old
      "
    `);
    expect(planMermaid(large)).toMatchInlineSnapshot(`
      "flowchart LR
        subgraph j0["shop"]
          j0n0[/"orders"/]
          j0n1["sizes"]
          j0n2("sizes.output.large")
          j0n3[["score<br>stage, 1 shard"]]
          j0n4[/"ticks<br>pull, 1 shard"/]
          j0n5["sizes.union"]
          j0n6["sizes.union.key-by"]
          j0n7[("sessions<br>process, 2 shards")]
          j0n8("sessions.output.late")
          j0n9>"late-files<br>sink, 1 shard"]
          j0n10[["locate<br>stage, 1 shard"]]
          j0n11["locate.key-by"]
          j0n12[("per-shop<br>1 shard")]
          j0n13["per-shop.key-by"]
          j0n14[("shops<br>1 shard")]
          j0n15>"billing<br>sink, 1 shard"]
          j0n0 --> j0n1
          j0n1 --> j0n2
          j0n2 -->|"millrace-orders, millrace-score"| j0n3
          j0n1 --> j0n5
          j0n4 --> j0n5
          j0n5 --> j0n6
          j0n6 -->|"millrace-orders<br>outbox"| j0n7
          j0n7 --> j0n8
          j0n8 -->|"outbox"| j0n9
          j0n7 -->|"outbox, millrace-locate"| j0n10
          j0n10 --> j0n11
          j0n11 -->|"outbox"| j0n12
          j0n12 --> j0n13
          j0n13 -->|"outbox"| j0n14
          j0n14 -->|"outbox"| j0n15
        end
      "
    `);
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
          sources: [
            ...all!.sources,
            { ...all!.sources[0]!, name: "b", queue: { ...all!.sources[0]!.queue, queue: "millrace-b" } },
          ],
        },
      ],
    };
    expect(planText(joined)).toContain(
      "  a (source)\n  └─ m (map)\n     └─ both (aggregate)\n  b (source)\n  └─ m (map, continued above)\n",
    );
    expect(planMermaid(joined)).toContain('j0n2 -->|"millrace-a<br>millrace-b"| j0n3\n');
  });
});
