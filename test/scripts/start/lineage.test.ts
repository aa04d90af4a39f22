/** Lineage: where lines go in the clickstream job, in the exercises, and in a job whose views cannot be reached. */
import { expect, test } from "vitest";
import { chooseJob, firstSource } from "../../../scripts/start/jobs.ts";
import { Lineage } from "../../../scripts/start/lineage.ts";
import { plan as chain } from "../../e2e/jobs/chain.ts";

async function lineageOf(name?: string): Promise<Lineage> {
  const job = await chooseJob(name);
  return new Lineage(job.plan, firstSource(job));
}

test("follows a line to the keys of views", async () => {
  const clickstream = await lineageOf();
  expect(clickstream.reachOf("/home")).toEqual({ views: [{ view: "page-views", key: "/home" }], others: [] });
  expect(clickstream.title("page-views")).toBe("PageViewCounter");
  expect(clickstream.view).toBe("page-views");
  expect(clickstream.reachOf({ url: 5 })).toEqual({ views: [], others: [] });

  const products = await lineageOf("exercise-1");
  expect(products.reachOf("/home").views).toEqual([]);
  expect(products.reachOf("/products/1").views).toEqual([{ view: "product-views", key: "/products/1" }]);

  const minutes = await lineageOf("exercise-2");
  const time = "2026-01-31T12:00:59Z";
  expect(minutes.reachOf({ url: "/home", time }).views).toEqual([
    { view: "views-per-minute", key: "2026-01-31T12:00 /home" },
  ]);
});

test("follows it to stages and sinks, and names a view of the job that is further on", async () => {
  const streams = await lineageOf("exercise-4");
  const views = [{ view: "page-views", key: "/home" }];
  expect(streams.reachOf("/home")).toEqual({ views, others: ["click-log"] });
  expect(streams.buckets).toEqual(["FILES"]);

  const slow = await lineageOf("exercise-6");
  expect(slow.reachOf("/home")).toEqual({ views: [], others: ["slow"] });
  expect(slow.title("slow")).toBe("slow");
  expect(slow.view).toBe("page-views");
  expect(slow.buckets).toEqual([]);
});

test("stops at what keeps state: what that emits is not known here", () => {
  const lineage = new Lineage(chain, "orders");
  const order = { id: "1", customer: "ann", product: "lamp" };
  expect(lineage.reachOf(order)).toEqual({
    views: [{ view: "per-customer", key: "ann" }],
    others: ["checked"],
  });
  expect(lineage.title("per-customer")).toBe("Numbered");
});

test("names the jobs and sources that there are", async () => {
  await expect(chooseJob("nosuch")).rejects.toThrow(
    "--job nosuch: there is no such job; there are: clickstream, slow-lane, exercise-1, exercise-2, exercise-3, exercise-4, exercise-5, exercise-6, sensors, ysb, nexmark-q5, nexmark-q7, nexmark-q8, nexmark-q11.",
  );
  const { plan, register } = await chooseJob("exercise-5");
  expect(register?.module).toMatch(/workers.jobs.exercises.5-after-a-restart\.ts$/);
  expect(() => new Lineage(plan, "robots")).toThrow(
    "--source robots: there is no such source; there are: clicks.",
  );
  expect((await chooseJob("clickstream")).register).toBeUndefined();
});
