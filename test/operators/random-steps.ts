/** Random steps: elements on both sides and watermarks, in any order, for joins to be compared with a plain recount. */
import { Random } from "../../src/testing/random.ts";

export interface RandomElement {
  readonly side: "L" | "R";
  readonly name: string;
  readonly time: number;
  readonly key: string;
}

/** A watermark or an element, and how `play` writes it. */
export type RandomStep = { readonly text: string } & (
  | { readonly watermark: number }
  | { readonly element: RandomElement }
);

export const SEEDS: readonly number[] = Array.from({ length: 5 }, (_, n) => n + 1);

const KEYS = ["k", "x"];

/** Elements of two keys, no two of one time, around a watermark that follows them; the last step ends the stream. */
export function randomSteps(seed: number, count = 60): RandomStep[] {
  const random = new Random(seed);
  const steps: RandomStep[] = [];
  const taken = new Set<number>();
  let watermark = 0;
  while (steps.length < count) {
    if (random.below(5) === 0) {
      watermark += random.below(12);
      steps.push({ text: `W${watermark}`, watermark });
      continue;
    }
    const time = Math.max(1, watermark - 8) + random.below(40);
    if (taken.has(time)) continue;
    taken.add(time);
    const side = random.below(2) === 0 ? "L" : "R";
    const key = KEYS[random.below(KEYS.length)] as string;
    const element = { side, name: `e${steps.length}`, time, key } as const;
    steps.push({ text: `${side}:${element.name}@${time}#${key}`, element });
  }
  return [...steps, { text: "Wend", watermark: Number.POSITIVE_INFINITY }];
}

/** What the oracle of a join has heard, as `play` tells it: steps without output left out, output sorted. */
export function recount(
  steps: readonly RandomStep[],
  on: {
    /** @returns what it gives at once. */
    element(element: RandomElement, watermark: number): readonly string[];
    /** @returns what the watermark gives that has come to here. */
    watermark?(watermark: number): readonly string[];
  },
): string[][] {
  const heard: string[][] = [];
  let watermark = 0;
  for (const step of steps) {
    if ("watermark" in step) watermark = step.watermark;
    const given = "element" in step ? on.element(step.element, watermark) : (on.watermark?.(watermark) ?? []);
    if (given.length > 0) heard.push([step.text, ...given.toSorted()]);
  }
  return heard;
}

export const lateOf = ({ name, time }: RandomElement) => `late ${name}@${time}`;

/** What was heard, in the order of `recount`. */
export function sortedSteps(steps: readonly (readonly unknown[])[]): string[][] {
  return steps.map(([step, ...given]) => [String(step), ...given.map(String).toSorted()]);
}
