/**
 * Live: a view as server-sent events: a snapshot, then what has changed, at most once a second.
 *
 * Each viewer's stream looks at the view itself, once a second while somebody listens: few viewers are cheap, many are not.
 * When it breaks off, a viewer connects again and begins with a snapshot, so nothing is missing.
 */
import { messageOf } from "../../errors.ts";
import { Problem } from "../http/problem.ts";

/** An entry as the view's own address gives it; of a view of windows with its window. */
export interface LiveEntry {
  readonly key: string;
  readonly window?: { readonly start: string; readonly end: string };
}

export interface LiveOptions {
  readonly view: string;
  /** The entries as they are when it begins. */
  readonly first: readonly LiveEntry[];
  /** The entries as they are now. */
  readonly read: () => Promise<readonly LiveEntry[]>;
  /** Between two looks, ms. */
  readonly every: number;
}

/** Looks without a change after which a comment shows that the stream is alive. */
const QUIET_LOOKS = 15;

/** The stream. It ends when nobody listens any more. */
export function liveEvents({ view, first, read, every }: LiveOptions): Response {
  let known = byId(first);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(eventOf("snapshot", { view, entries: first })));
    },
    async pull(controller) {
      controller.enqueue(encoder.encode(await nextText()));
    },
  });

  async function nextText(): Promise<string> {
    for (let look = 0; look < QUIET_LOOKS; look++) {
      await new Promise((resolve) => setTimeout(resolve, every));
      const before = known;
      try {
        known = byId(await read());
      } catch (error) {
        return eventOf("problem", { detail: error instanceof Problem ? error.detail : messageOf(error) });
      }
      const change = changeOf(before, known);
      if (change !== undefined) return eventOf("change", { view, ...change });
    }
    return ": nothing new\n\n";
  }

  return new Response(body, {
    headers: { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" },
  });
}

/** Entries that are new or have another value, and those that are there no more; undefined when there are none. */
function changeOf(before: ReadonlyMap<string, LiveEntry>, after: ReadonlyMap<string, LiveEntry>) {
  const entries = [...after.values()].filter(
    (entry) => JSON.stringify(before.get(idOf(entry))) !== JSON.stringify(entry),
  );
  const gone = [...before.values()]
    .filter((entry) => !after.has(idOf(entry)))
    .map(({ key, window }) => (window === undefined ? { key } : { key, window }));
  return entries.length + gone.length === 0 ? undefined : { entries, gone };
}

function byId(entries: readonly LiveEntry[]): Map<string, LiveEntry> {
  return new Map(entries.map((entry) => [idOf(entry), entry]));
}

function idOf({ key, window }: LiveEntry): string {
  return JSON.stringify([key, window?.start, window?.end]);
}

/** JSON has no line breaks of its own, so one line of data is enough. */
function eventOf(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
