/** The recount of the event-time simulation: what must come out, by plain arithmetic; it imports nothing of the engine. */

export interface Accepted {
  readonly side: "left" | "right";
  readonly id: string;
  readonly key: string;
  readonly time: number;
  readonly arrival: number;
}

export interface Rules {
  readonly bound: { readonly left: number; readonly right: number };
  readonly size: number;
  readonly hop: { readonly size: number; readonly slide: number; readonly lateness: number };
  readonly gap: number;
  readonly quiet: number;
}

export type Counts = Readonly<Record<string, number>>;

/** By view: by `{start} {key}` for windows, else by key. */
export interface Expected {
  readonly tumbled: Counts;
  readonly panes: Counts;
  readonly totals: Counts;
  readonly hopped: Counts;
  readonly sessions: Counts;
  readonly sorted: Readonly<Record<string, readonly string[]>>;
  readonly quieted: Counts;
  readonly pairs: Counts;
  readonly late: Readonly<Record<"tumbled" | "hopped" | "sorted" | "joined", Counts>>;
}

export function recount(events: readonly Accepted[], rules: Rules): Expected {
  const left = events.filter(({ side }) => side === "left");
  const right = events.filter(({ side }) => side === "right");
  const door = ({ side, arrival }: Accepted) => arrival - rules.bound[side] - 1;
  const startOf = (time: number) => Math.floor(time / rules.size) * rules.size;
  const inTime = left.filter((event) => startOf(event.time) + rules.size - 1 > door(event));
  const tumbled = tally(inTime.map(({ key, time }) => `${startOf(time)} ${key}`));
  const totals: Record<string, number> = {};
  for (const [id, n] of Object.entries(tumbled)) {
    const window = `${id.split(" ")[0]} all`;
    totals[window] = (totals[window] ?? 0) + n;
  }

  const { hop } = rules;
  const hops: string[] = [];
  const hopLate: Accepted[] = [];
  for (const event of left) {
    let taken = 0;
    for (
      let start = Math.floor(event.time / hop.slide) * hop.slide;
      start > event.time - hop.size;
      start -= hop.slide
    ) {
      if (start + hop.size - 1 + hop.lateness <= door(event)) continue;
      hops.push(`${start} ${event.key}`);
      taken++;
    }
    if (taken === 0) hopLate.push(event);
  }

  const onTime = left.filter((event) => event.time > door(event));
  const sorted: Record<string, string[]> = {};
  for (const event of [...onTime].sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1))) {
    const seen = sorted[event.key] ?? [];
    sorted[event.key] = seen;
    seen.push(event.id);
  }

  const joinable = (event: Accepted) => startOf(event.time) + rules.size - 1 > door(event);
  const pairs = left
    .filter(joinable)
    .flatMap((l) =>
      right
        .filter((r) => joinable(r) && r.key === l.key && startOf(r.time) === startOf(l.time))
        .map((r) => `${startOf(l.time)} ${l.id} ${r.id}`),
    );

  const ids = (late: readonly Accepted[]) => tally(late.map(({ id }) => id));
  return {
    tumbled,
    panes: tally(Object.keys(tumbled).map((id) => `${id} on-time`)),
    totals,
    hopped: tally(hops),
    sessions: sessionsOf(right, rules.gap),
    sorted,
    quieted: tally([...new Set(onTime.map(({ key, time }) => `${key} ${time}`))]),
    pairs: tally(pairs),
    late: {
      tumbled: ids(left.filter((event) => !inTime.includes(event))),
      hopped: ids(hopLate),
      sorted: ids(left.filter((event) => !onTime.includes(event))),
      joined: ids(events.filter((event) => !joinable(event))),
    },
  };
}

/** Times with less than a gap, or just a gap, between them, by key. */
function sessionsOf(events: readonly Accepted[], gap: number): Counts {
  const sessions: Record<string, number> = {};
  for (const key of new Set(events.map((event) => event.key))) {
    const times = events
      .filter((event) => event.key === key)
      .map(({ time }) => time)
      .sort((a, b) => a - b);
    let start = times[0] ?? 0;
    let last = start;
    for (const time of times) {
      if (time > last + gap) start = time;
      last = time;
      sessions[`${start} ${key}`] = (sessions[`${start} ${key}`] ?? 0) + 1;
    }
  }
  return sessions;
}

function tally(list: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const item of list) counts[item] = (counts[item] ?? 0) + 1;
  return counts;
}
