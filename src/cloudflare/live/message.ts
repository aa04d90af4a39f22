/** Message: what viewers of a live view are told: a snapshot, then what has changed. */

/** An entry as the view's own address gives it; of a view of windows with its window. */
export interface LiveEntry {
  readonly key: string;
  readonly value: unknown;
  readonly window?: { readonly start: string; readonly end: string };
}

/** What a viewer who asked for entries, a total or the health has to know at one moment. */
export type LiveState =
  | { readonly kind: "entries"; readonly entries: readonly LiveEntry[] }
  | { readonly kind: "total"; readonly total: LiveTotal }
  | {
      readonly kind: "health";
      readonly health: object;
      /** Its part that stands still when nothing happens, as text: ages and lags are not in it. */
      readonly still: string;
      /** Something is on its way, so that it changes without anybody saying so. */
      readonly waits: boolean;
    };

export interface LiveTotal {
  readonly keys: number;
  readonly total: number;
  readonly overflow?: number;
}

/** As JSON on a WebSocket; as server-sent events `type` is the name of the event. */
export interface LiveMessage {
  readonly type: "snapshot" | "change" | "health" | "problem";
  readonly [member: string]: unknown;
}

/** Everything anew. @param about what is the same in each message of a feed: its view. */
export function snapshotOf(about: object, state: LiveState): LiveMessage {
  switch (state.kind) {
    case "entries":
      return { type: "snapshot", ...about, entries: state.entries };
    case "total":
      return { type: "snapshot", ...about, total: state.total };
    case "health":
      return { type: "health", ...about, health: state.health };
  }
}

/** What has become of `before`; undefined when nothing has. */
export function changeOf(about: object, before: LiveState, after: LiveState): LiveMessage | undefined {
  switch (after.kind) {
    case "entries": {
      const change = entriesChange(before.kind === "entries" ? before.entries : [], after.entries);
      return change === undefined ? undefined : { type: "change", ...about, ...change };
    }
    case "total": {
      const same = before.kind === "total" && JSON.stringify(before.total) === JSON.stringify(after.total);
      return same ? undefined : { type: "change", ...about, total: after.total };
    }
    case "health": {
      const same = before.kind === "health" && before.still === after.still;
      return same ? undefined : snapshotOf(about, after);
    }
  }
}

function entriesChange(before: readonly LiveEntry[], after: readonly LiveEntry[]) {
  const known = byId(before);
  const now = byId(after);
  const entries = after.filter((entry) => JSON.stringify(known.get(idOf(entry))) !== JSON.stringify(entry));
  const gone = before
    .filter((entry) => !now.has(idOf(entry)))
    .map(({ key, window }) => (window === undefined ? { key } : { key, window }));
  return entries.length + gone.length === 0 ? undefined : { entries, gone };
}

export function problemOf(detail: string): LiveMessage {
  return { type: "problem", detail };
}

function byId(entries: readonly LiveEntry[]): Map<string, LiveEntry> {
  return new Map(entries.map((entry) => [idOf(entry), entry]));
}

function idOf({ key, window }: LiveEntry): string {
  return JSON.stringify([key, window?.start, window?.end]);
}
