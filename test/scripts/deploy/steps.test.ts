import { describe, expect, it } from "vitest";
import { deploySteps } from "../../../scripts/deploy/steps.ts";
import { largePlan, planOf } from "../plan/jobs.ts";

const commands = (existing: string[], ...sources: string[]) =>
  deploySteps(planOf(...sources), new Set(existing)).map(({ args }) => args.join(" "));

const workers = [
  "deploy --config=workers/operator/wrangler.toml",
  "deploy --config=workers/query/wrangler.toml",
  "deploy --config=wrangler.toml",
];
const create = (queue: string) => `queues create ${queue} --message-retention-period-secs=1209600`;

describe("the steps of a deployment", () => {
  it("are all queues, then the Workers, those that others need first", () => {
    expect(commands([], "visits", "orders")).toEqual([
      create("millrace-orders-dead"),
      create("millrace-orders"),
      create("millrace-visits-dead"),
      create("millrace-visits"),
      ...workers,
    ]);
  });

  it("create queues of stages as well, and what sinks write to", () => {
    const steps = (existing: string[]) =>
      deploySteps(largePlan(), new Set(existing)).map(({ args }) => args.join(" "));
    const own = ["locate", "orders", "score"].flatMap((name) => [
      `millrace-${name}-dead`,
      `millrace-${name}`,
    ]);
    const bucket = "r2 bucket create late-orders";
    expect(steps([])).toEqual([...own.map(create), "queues create billing", bucket, ...workers]);
    expect(steps([...own, "billing"])).toEqual([bucket, ...workers]);
  });

  it("leave out the queues that exist, and touch no others", () => {
    expect(commands(["millrace-orders", "other"], "orders")).toEqual([
      create("millrace-orders-dead"),
      ...workers,
    ]);
    expect(commands(["millrace-orders", "millrace-orders-dead"], "orders")).toEqual(workers);
  });
});
