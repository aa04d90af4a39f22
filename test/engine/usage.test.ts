/** Usage: sums, and a ledger that keeps what could not be handed over. */
import { expect, test } from "vitest";
import type { Usage, Usages } from "../../src/engine/usage.ts";
import { addUsages, sumOf, UsageLedger } from "../../src/engine/usage.ts";

test("a sum has the fields of both, of code to come as well, and changes neither", () => {
  const left: Usage = { requests: 1, queue: 3 };
  const right = { queue: 6, read: 2, written: 0, unheard: 4 } as Usage;
  expect(sumOf(left, right)).toEqual({ requests: 1, queue: 9, read: 2, unheard: 4 });
  expect(left).toEqual({ requests: 1, queue: 3 });
});

test("usages are added part by part", () => {
  const sums: Usages = { clicks: { requests: 1 } };
  addUsages(sums, { clicks: { requests: 2 }, counts: { objects: 1 } });
  addUsages(sums, undefined);
  expect(sums).toEqual({ clicks: { requests: 3 }, counts: { objects: 1 } });
});

test("what is handed over is gone, what was not taken comes again with what came meanwhile", async () => {
  const ledger = new UsageLedger();
  expect(await ledger.handOver(async (used) => used)).toBeUndefined();
  ledger.add("clicks", { requests: 1 });
  const failed = ledger.handOver(async () => {
    ledger.add("clicks", { requests: 10 });
    throw new Error("down");
  });
  await expect(failed).rejects.toThrow("down");
  expect(await ledger.handOver(async (used) => used)).toEqual({ clicks: { requests: 11 } });
  expect(ledger.take()).toBeUndefined();
});

test("two calls at once do not hand the same over", async () => {
  const ledger = new UsageLedger();
  ledger.add("clicks", { queue: 3 });
  const [one, other] = await Promise.all([
    ledger.handOver(async (used) => used),
    ledger.handOver(async (used) => used),
  ]);
  expect([one, other]).toEqual([{ clicks: { queue: 3 } }, undefined]);
});
