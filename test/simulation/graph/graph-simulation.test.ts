/** The simulation of graphs: many seeds of everything going wrong with any job, each compared with a plain recount. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { FaultCounts } from "./faults.ts";
import { FAULT_KINDS, noFaults, TIMED_FAULTS } from "./faults.ts";
import { FIXED_SPECS } from "./fixed-specs.ts";
import { simulateGraph, specOf } from "./simulate.ts";
import type { NodeSpec } from "./spec.ts";
import { isInEventTime } from "./spec.ts";

const SEEDS = 240;

describe("exactly once, through any graph", () => {
  test(`${SEEDS} seeds agree with the recount, and each fault strikes in a fifth of those that it can`, {
    timeout: 240_000,
  }, async () => {
    const struck: FaultCounts = noFaults();
    let timed = 0;
    let accepted = 0;
    let written = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome = await simulateGraph(seed);
      accepted += outcome.accepted;
      written += outcome.written;
      if (specOf(seed).nodes.some(isInEventTime)) timed++;
      for (const kind of FAULT_KINDS) if (outcome.faults[kind] > 0) struck[kind]++;
    }
    // A simulation in which nothing happens proves nothing.
    expect(accepted).toBeGreaterThan(SEEDS * 30);
    expect(written).toBeGreaterThan(SEEDS * 15);
    expect(timed).toBeGreaterThan(SEEDS / 4);
    const least = (kind: string) => (kind in TIMED_FAULTS ? timed : SEEDS) / 5;
    expect(Object.entries(struck).filter(([kind, seeds]) => seeds < least(kind))).toEqual([]);
  });

  test("a seed replays to the same outcome", { timeout: 60_000 }, async () => {
    for (const seed of [1, 2, 3, 10, 12, 15]) {
      expect(await simulateGraph(seed), `seed ${seed}`).toEqual(await simulateGraph(seed));
    }
  });

  test("the jobs that are drawn have operators of every kind", () => {
    const drawn = Array.from({ length: 100 }, (_, seed) => specOf(seed));
    const kinds = new Set(drawn.flatMap(({ nodes }) => nodes).map(nameOf));
    expect([...kinds].sort()).toEqual([
      "aggregate count",
      "aggregate fragile",
      "aggregate sum",
      "enrich",
      "filter",
      "flatMap",
      "join interval",
      "join window",
      "map",
      "process dedupe",
      "process fleeting",
      "process number",
      "process once",
      "process total",
      "pull",
      "sink",
      "source",
      "split",
      "stage",
      "timed alarm",
      "timed sorted",
      "union",
      "window hopping",
      "window session",
      "window tumbling",
    ]);
    for (const spec of FIXED_SPECS) expect(drawn).toContain(spec);
    const changing = drawn.flatMap(({ nodes }) => nodes).filter(({ since, until }) => since ?? until);
    expect(changing.length).toBeGreaterThan(100);
  });
});

test("the recount imports nothing from the engine", () => {
  const seen = new Set<string>();
  const visit = (file: URL) => {
    if (seen.has(file.href)) return;
    seen.add(file.href);
    for (const [, path = ""] of readFileSync(file, "utf8").matchAll(/^(?:import|export) .* from "(.*)";$/gm))
      visit(new URL(path, file));
  };
  visit(new URL("./recount.ts", import.meta.url));
  expect([...seen].map((href) => href.split("/").at(-1)).sort()).toEqual([
    "expected.ts",
    "recount.ts",
    "semantics.ts",
    "spec.ts",
  ]);
});

function nameOf(node: NodeSpec): string {
  return "fn" in node ? `${node.kind} ${node.fn}` : node.kind;
}
