/** A state folder remembers the plan it was run with, and refuses one that its state cannot follow. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { StartError } from "../../../scripts/start/failure.ts";
import { followLastPlan } from "../../../scripts/start/last-plan.ts";
import { planJobs } from "../../../src/index.ts";
import { largePlan, planOf } from "../plan/jobs.ts";

function stateFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "state-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it("goes on with the same plan, and with one that adds to it", () => {
  const folder = stateFolder();
  followLastPlan(folder, planOf("orders"));
  followLastPlan(folder, planOf("orders"));
  followLastPlan(folder, planOf("orders", "visits"));
  expect(readdirSync(folder)).toEqual(["plan.json"]);
});

it("refuses what would lose something, names it, and keeps to the plan that it has", () => {
  const folder = stateFolder();
  followLastPlan(folder, planOf("orders", "visits"));
  const before = readFileSync(path.join(folder, "plan.json"), "utf8");
  const attempt = () => followLastPlan(folder, planOf("orders"));
  expect(attempt).toThrow(StartError);
  expect(attempt).toThrow(
    /REFUSED removed source visits: .*REFUSED removed aggregate visits-count: .*Undo the change; or set STATE_DIR/s,
  );
  expect(readFileSync(path.join(folder, "plan.json"), "utf8")).toBe(before);
  // The ways out that it names.
  followLastPlan(stateFolder(), planOf("orders"));
  rmSync(path.join(folder, "plan.json"));
  followLastPlan(folder, planOf("orders"));
});

it("drops what is retired, and refuses another generation", () => {
  const folder = stateFolder();
  followLastPlan(folder, planOf("orders"));
  followLastPlan(folder, planJobs([], { retired: ["orders", "orders-count"] }));
  const other = stateFolder();
  followLastPlan(other, largePlan());
  expect(() => followLastPlan(other, largePlan({ generation: 2 }))).toThrow("REFUSED moved generation 1 → 2");
});

it("does not guess when its record cannot be read", () => {
  const folder = stateFolder();
  writeFileSync(path.join(folder, "plan.json"), "{}");
  expect(() => followLastPlan(folder, planOf("orders"))).toThrow(
    /^Not started: what the state was last run with cannot be told\. .*plan\.json is no plan.*Delete the file to start all the same\.$/s,
  );
});
