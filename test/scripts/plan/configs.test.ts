import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { checkConfigs, writeConfigs } from "../../../scripts/plan/config-files.ts";
import { generatedPart, MARKER, queueNamesOf, workers } from "../../../scripts/plan/configs.ts";
import { difference } from "../../../scripts/plan/difference.ts";
import { plan as registered } from "../../../workers/jobs/index.ts";
import { configFolder, largePlan, planOf } from "./jobs.ts";

const operator = "workers/operator/wrangler.toml";

describe("the generated part", () => {
  it("gives the operator Worker a consumer of each queue and dead-letter queue, sorted", () => {
    const text = generatedPart("operator", planOf("visits", "orders"));
    expect(text.match(/(?<=\n|^)(queue|dead_letter_queue|binding) = .*/g)).toEqual([
      'binding = "QUEUE_ORDERS"',
      'queue = "millrace-orders"',
      'binding = "QUEUE_VISITS"',
      'queue = "millrace-visits"',
      'queue = "millrace-orders"',
      'dead_letter_queue = "millrace-orders-dead"',
      'queue = "millrace-orders-dead"',
      'queue = "millrace-visits"',
      'dead_letter_queue = "millrace-visits-dead"',
      'queue = "millrace-visits-dead"',
    ]);
  });

  it.each(["ingest", "query"] as const)("gives the %s Worker producers only", (worker) => {
    expect(generatedPart(worker, planOf("orders"))).toBe(
      '[[queues.producers]]\nbinding = "QUEUE_ORDERS"\nqueue = "millrace-orders"\n',
    );
  });

  it("gives each Worker what sinks need there, and the operator Worker the settings of stages and a trigger", () => {
    const text = generatedPart("operator", largePlan());
    expect(text).toContain(
      '[[queues.consumers]]\nqueue = "millrace-score"\nmax_batch_size = 20\nmax_batch_timeout = 0\nmax_concurrency = 4\nmax_retries = 100\ndead_letter_queue = "millrace-score-dead"\n',
    );
    expect(text).toContain(
      'queue = "millrace-orders"\nmax_batch_size = 100\nmax_batch_timeout = 5\nmax_retries',
    );
    expect(text).toContain('[[queues.producers]]\nbinding = "BILLING"\nqueue = "billing"\n');
    expect(text).toContain('[[r2_buckets]]\nbinding = "FILES"\nbucket_name = "late-orders"\n');
    expect(text).toMatch(/\n\[triggers\]\ncrons = \["\* \* \* \* \*"\]\n$/);
    // Nobody consumes what a sink sends.
    expect(text).not.toContain('[[queues.consumers]]\nqueue = "billing"');
    const bindings = (worker: "ingest" | "query") =>
      generatedPart(worker, largePlan()).match(/(?<=binding = ").*(?=")/g);
    expect(bindings("ingest")).toEqual(["QUEUE_LOCATE", "QUEUE_ORDERS", "QUEUE_SCORE"]);
    expect(bindings("query")).toEqual(["QUEUE_LOCATE", "QUEUE_ORDERS", "QUEUE_SCORE", "FILES"]);
  });

  it("takes the trigger away when nothing pulls any more", () => {
    expect(generatedPart("operator", planOf("orders"))).toMatch(/\n\[triggers\]\ncrons = \[\]\n$/);
  });

  it("is what wrangler reads it as", () => {
    const root = configFolder('name = "mine"\ncompatibility_date = "2026-11-01"\n');
    writeConfigs(root, largePlan());
    const config = unstable_readConfig({ config: path.join(root, operator) });
    expect(config.queues.producers?.map(({ binding }: { binding: string }) => binding).sort()).toEqual([
      "BILLING",
      "QUEUE_LOCATE",
      "QUEUE_ORDERS",
      "QUEUE_SCORE",
    ]);
    expect(
      config.queues.consumers?.find(({ queue }: { queue: string }) => queue === "millrace-score"),
    ).toMatchObject({
      max_concurrency: 4,
      dead_letter_queue: "millrace-score-dead",
    });
    expect(config.r2_buckets).toMatchObject([{ binding: "FILES", bucket_name: "late-orders" }]);
    expect(config.triggers.crons).toEqual(["* * * * *"]);
  });

  it("is refused when a source's queue is another's dead-letter queue", () => {
    expect(() => queueNamesOf(planOf("orders", "orders-dead"))).toThrow(
      'the source "orders" and the source "orders-dead" both need the queue millrace-orders-dead; rename one',
    );
  });
});

describe("the configs on disk", () => {
  it("are those of the registered jobs", () => {
    expect(checkConfigs(path.join(import.meta.dirname, "../../.."), registered)).toEqual([]);
  });

  it("are written once, and above the marker stay byte for byte", () => {
    const root = configFolder();
    expect(writeConfigs(root, planOf("orders"))).toEqual(workers.map(({ config }) => config));
    expect(checkConfigs(root, planOf("orders"))).toEqual([]);
    expect(writeConfigs(root, planOf("orders"))).toEqual([]);
    expect(readFileSync(path.join(root, operator), "utf8")).toBe(
      `name = "mine"\r\n\n${MARKER}\n${generatedPart("operator", planOf("orders"))}`,
    );
    writeConfigs(root, planOf("visits"));
    expect(readFileSync(path.join(root, operator), "utf8")).not.toContain("orders");
  });

  it("are shown with what differs", () => {
    const root = configFolder();
    writeConfigs(root, planOf("clicks"));
    const file = path.join(root, operator);
    writeFileSync(file, readFileSync(file, "utf8").replace("max_batch_size = 100", "max_batch_size = 50"));
    const [problem, ...others] = checkConfigs(root, planOf("clicks"));
    expect(others).toEqual([]);
    expect(problem).toMatchInlineSnapshot(`
      "workers/operator/wrangler.toml is not what the plan asks for: npm run plan -- --write
        …
        [[queues.consumers]]
        queue = "millrace-clicks"
      - max_batch_size = 50
      + max_batch_size = 100
        max_batch_timeout = 0
        max_retries = 100
        …"
    `);
  });

  it("get a marker when they have none, unless they have queues", () => {
    const root = configFolder();
    const file = path.join(root, operator);
    writeFileSync(file, 'name = "mine"\n');
    expect(checkConfigs(root, planOf("orders"))).toContainEqual(
      `${operator} has no marker line, so nothing in it follows from the plan: npm run plan -- --write\n+ ${MARKER}`,
    );
    writeConfigs(root, planOf("orders"));
    expect(checkConfigs(root, planOf("orders"))).toEqual([]);
    expect(readFileSync(file, "utf8")).toContain(`name = "mine"\n\n${MARKER}\n[[queues.producers]]`);

    writeFileSync(file, readFileSync(file, "utf8").replace(MARKER, ""));
    expect(checkConfigs(root, planOf("orders"))).toHaveLength(1);
    expect(() => writeConfigs(root, planOf("visits"))).toThrow(`${operator} has queues but no marker line`);
    expect(readFileSync(path.join(root, "wrangler.toml"), "utf8")).toContain("orders");
  });

  it("that have a sink's binding above the marker already are neither right nor written over", () => {
    for (const above of [
      '[[d1_databases]]\nbinding = "FILES"\n',
      '[vars]\nFILES = "x"\n',
      'bindings = [{ name = "FILES" }]\n',
    ]) {
      const root = configFolder(above);
      const problem = `${operator} has something else under FILES already, which the sink "late-files" wants for itself`;
      expect(checkConfigs(root, largePlan()).join("\n")).toContain(problem);
      expect(() => writeConfigs(root, largePlan())).toThrow(problem);
    }
  });

  it("may end with the marker, without a line break", () => {
    const root = configFolder();
    writeFileSync(path.join(root, operator), MARKER);
    writeConfigs(root, planOf("orders"));
    expect(checkConfigs(root, planOf("orders"))).toEqual([]);
  });

  it("that are missing are named", () => {
    expect(() => checkConfigs(path.join(configFolder(), "nowhere"), planOf("a"))).toThrow(
      "wrangler.toml cannot be read",
    );
  });
});

it("a difference leaves out what is far from a change", () => {
  expect(difference("a\nb\nc\nd\ne\nf\ng\nh", "a\nb\nc\nd\nE\nf\ng\nh")).toEqual([
    "  …",
    "  c",
    "  d",
    "- e",
    "+ E",
    "  f",
    "  g",
    "  …",
  ]);
});
