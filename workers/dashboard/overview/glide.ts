/** Glide: lets the rows of a list go from where they were to where they belong, when their order changes. */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

const GLIDE_MS = 450;

/** Children that move have a `data-row`, which names them. Read while rendering, the list still is as it was. */
export function useGlide(list: RefObject<HTMLElement | null>): void {
  const before = placesOf(list.current);
  const running = useRef(new Map<string, Animation>());
  useLayoutEffect(() => {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const animation of running.current.values()) animation.cancel();
    running.current.clear();
    if (still) return;
    const after = placesOf(list.current);
    for (const [id, { row, top }] of after) {
      const from = before.get(id);
      // New rows appear in place: only what was there can have moved.
      if (from === undefined || Math.abs(from.top - top) < 1) continue;
      const animation = row.animate(
        [{ transform: `translateY(${from.top - top}px)` }, { transform: "none" }],
        {
          duration: GLIDE_MS,
          easing: "cubic-bezier(0.2, 0, 0, 1)",
        },
      );
      running.current.set(id, animation);
    }
  });
}

interface Place {
  readonly row: HTMLElement;
  readonly top: number;
}

/** Against the list itself, so that scrolling is no movement; in the middle of a glide, where it is seen. */
function placesOf(list: HTMLElement | null): ReadonlyMap<string, Place> {
  if (list === null) return new Map();
  const { top } = list.getBoundingClientRect();
  const rows = [...list.children].filter((row): row is HTMLElement => row instanceof HTMLElement);
  return new Map(
    rows.flatMap((row) => {
      const id = row.dataset.row;
      return id === undefined ? [] : [[id, { row, top: row.getBoundingClientRect().top - top }] as const];
    }),
  );
}
