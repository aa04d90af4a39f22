/** SpanChoice: which time a page of windows shows, as its address says it. */
import type { Params } from "../routes.ts";

export interface Chosen {
  /** For the API: a span from now, or a moment. */
  readonly from: string;
  readonly to?: string;
  /** Whether it ends now, so that it can be live. */
  readonly live: boolean;
  /** Bounds of the chart, epoch ms. */
  readonly bounds: (now: number) => readonly [from: number, until: number];
}

const MINUTE = 60_000;

export const SPANS = [
  { text: "15 min", ms: 15 * MINUTE },
  { text: "1 h", ms: 60 * MINUTE },
  { text: "6 h", ms: 360 * MINUTE },
  { text: "24 h", ms: 1440 * MINUTE },
] as const;

const DEFAULT_MS = 60 * MINUTE;

/** `?last=` milliseconds that end now, or `?from=` and `?to=` by the clock; whatever is none of these is the last hour. */
export function chosenSpan({ last, from, to }: Params): Chosen {
  const begin = timeOf(from);
  const end = timeOf(to);
  if (begin !== undefined && (end === undefined || end > begin)) {
    return {
      from: new Date(begin).toISOString(),
      ...(end === undefined ? {} : { to: new Date(end).toISOString() }),
      live: false,
      bounds: (now) => [begin, end ?? now],
    };
  }
  const ms = SPANS.find((span) => String(span.ms) === last)?.ms ?? DEFAULT_MS;
  return { from: `-${ms / 1000}s`, live: true, bounds: (now) => [now - ms, now] };
}

function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** For an `<input type="datetime-local">`, by this device's clock. */
export function localText(time: number): string {
  const date = new Date(time);
  return new Date(time - date.getTimezoneOffset() * MINUTE).toISOString().slice(0, 16);
}
