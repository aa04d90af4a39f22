/** Backlog: how full the queue of the slow stage was, look by look, as a line that can be drawn. */

export interface Look {
  /** Epoch ms, by this device's clock. */
  readonly at: number;
  /** That waited. */
  readonly messages: number;
}

/** What the chart shows. */
export const SPAN_MS = 90_000;

/** Keeps what can still be seen, and the look before it, where the line comes from. */
export function withLook(looks: readonly Look[], look: Look): readonly Look[] {
  const begin = looks.findLastIndex(({ at }) => at <= look.at - SPAN_MS);
  return [...looks.slice(Math.max(0, begin)), look];
}

export interface Scale {
  readonly now: number;
  readonly width: number;
  readonly height: number;
  /** The number at the upper edge. */
  readonly top: number;
}

export function topOf(looks: readonly Look[], highWater: number): number {
  return Math.max(highWater * 1.5, ...looks.map(({ messages }) => messages * 1.1));
}

export function xOf(at: number, { now, width }: Scale): number {
  return round(width * (1 + (at - now) / SPAN_MS));
}

export function yOf(messages: number, { height, top }: Scale): number {
  return round(height * (1 - Math.min(1, messages / top)));
}

/**
 * The line, for an SVG path. Between two looks nobody knows: it is drawn straight, but level where nothing was looked at
 * for long, since nothing changed then.
 */
export function pathOf(looks: readonly Look[], scale: Scale): string {
  const points: (readonly [number, number])[] = [];
  for (const [n, { at, messages }] of looks.entries()) {
    const before = looks[n - 1];
    const y = yOf(messages, scale);
    if (before !== undefined && at - before.at > 2 * USUAL_MS) {
      points.push([xOf(at - USUAL_MS, scale), yOf(before.messages, scale)]);
    }
    points.push([xOf(at, scale), y]);
  }
  const last = looks.at(-1);
  if (last !== undefined) points.push([scale.width, yOf(last.messages, scale)]);
  return points.map(([x, y], n) => `${n === 0 ? "M" : "L"}${x},${y}`).join("");
}

/** While something changes, a look comes about as often. */
const USUAL_MS = 1_000;

function round(n: number): number {
  return Math.round(n * 10) / 10;
}
