/** The reference cases whose results cannot depend on the order of elements, with all elements under way at once. */
import { describe, expect, test } from "vitest";
import type { WindowResult } from "../../src/index.ts";
import { hopping, session, sum, tumbling } from "../../src/index.ts";
import type { Element } from "../operators/steps.ts";
import { begin } from "../operators/steps.ts";

const element = (text: string): Element => {
  const [, name = "", time, key = ""] = /^(\d+)@(\d+)#(\w+)$/.exec(text) ?? [];
  return { key, name, time: Number(time) };
};

const TUMBLING =
  "1@3999#key2 1@3000#key2 1@20#key1 1@0#key1 1@999#key1 1@1998#key2 1@1999#key2 1@1000#key2".split(" ");
const SESSIONS =
  "1@0#key2 2@1000#key2 3@2500#key2 1@10#key1 2@1000#key1 3@2500#key1 4@5501#key2 5@6000#key2 5@6000#key2 6@6050#key2".split(
    " ",
  );

const CASES = [
  ["tumbling 3 s", tumbling(3_000), TUMBLING, 2_999, ["key1=3 [0,3000)", "key2=3 [0,3000)"]],
  [
    "tumbling 3 s, to the end",
    tumbling(3_000),
    TUMBLING,
    5_999,
    ["key1=3 [0,3000)", "key2=3 [0,3000)", "key2=2 [3000,6000)"],
  ],
  ["sliding 3 s by 1 s", hopping(3_000, 1_000), TUMBLING, 999, ["key1=3 [-2000,1000)"]],
  [
    "sessions",
    session(3_000),
    SESSIONS,
    12_000,
    ["key1=6 [10,5500)", "key2=6 [0,5500)", "key2=20 [5501,9050)"],
  ],
] as const;

describe.each([...Array(10).keys()])("shuffled by seed %i", (seed) => {
  test.each(CASES)("%s", async (_, assigner, elements, watermark, expected) => {
    for (const shards of [1, 4, 16]) {
      const faults = { shuffle: seed, duplicates: true, restarts: true };
      const { driver, results, lates } = begin<WindowResult<number>>(
        (left) => {
          const out = left.window(assigner).aggregate(
            "sums",
            sum<Element>(({ name }) => Number(name)),
          );
          return { out, late: out.late };
        },
        { shards, faults },
      );
      await driver.send("left", ...elements.map(element));
      await driver.restart();
      expect(results.read()).toEqual([]);
      await driver.watermark(watermark);
      const rows = results.read().map(({ time, data: { key, value, window } }) => {
        expect(time).toBe(window.end - 1);
        return `${key}=${value} [${window.start},${window.end})`;
      });
      expect(rows.toSorted()).toEqual([...expected].toSorted());
      expect(lates?.read()).toEqual([]);
    }
  });
});
