/** useShape: what the values of a view are, learned from the first that are seen and kept while the page is open. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { View } from "../api/types.ts";
import type { LiveState } from "../state/live.ts";
import { useLive } from "../state/live.ts";
import type { Shape } from "./shape.ts";
import { shapeOf } from "./shape.ts";

const shapes = signal<ReadonlyMap<string, Shape>>(new Map());

/** What the view itself says, or what was seen of it; undefined while nothing is known. */
export function useShape({ view, kind, numeric }: View): Shape | undefined {
  const seen = shapes.value.get(view);
  return numeric === true && kind === "keyed" ? "numbers" : seen;
}

/** Looks at a view of which nothing is known, until there is something. */
export function useLookout({ view }: View): LiveState {
  const live = useLive(view, { limit: 3 });
  const { entries } = live;
  useEffect(() => {
    const shape = shapeOf(entries.map(({ value }) => value));
    if (shape !== undefined) shapes.value = new Map([...shapes.value, [view, shape]]);
  }, [view, entries]);
  return live;
}
