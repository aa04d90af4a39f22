/**
 * The frontier under random interleavings: holds that open and close late or never, segments that are reported in any order,
 * twice, or by stages before whoever handed them on.
 */
import { describe, expect, test } from "vitest";
import type { FrontierState } from "../../../src/engine/watermark/frontier.ts";
import { Frontier } from "../../../src/engine/watermark/frontier.ts";
import type { CommittedSegment } from "../../../src/engine/watermark/protocol.ts";
import { Random } from "../../simulation/random.ts";

const OPTIONS = { handshake: 1_000, tail: 30_000 };
const LIFETIME = 1_000;
const DAY = 86_400_000;
const START = 1_000_000_000;
/** What an isolate that has died may have in a queue is waited for so long. */
const PATIENCE = 1_800_000;

interface Step {
  readonly at: number;
  readonly do: (frontier: Frontier) => void;
}

interface Life {
  readonly start: number;
  /** When its last segment was committed by all, and it was known how many there are: Infinity when it never is. */
  readonly done: number;
  readonly dies: boolean;
}

/** What one isolate's hold and its segments lead to, each report at its time, some of them twice. */
function lifeOf(random: Random, name: string, start: number): { steps: Step[]; life: Life } {
  const source = "s";
  const steps: Step[] = [];
  const say = (at: number, what: Step["do"]) => {
    steps.push({ at, do: what });
    if (random.chance(0.3)) steps.push({ at: at + random.int(0, 20_000), do: what });
  };
  const until = start + LIFETIME;
  // Within the handshake, for that is what it is for.
  say(start + random.int(0, OPTIONS.handshake - 1), (one) =>
    one.opened({ source, hold: name, start, until }),
  );
  const sent = random.int(0, 8);
  const dies = random.chance(0.15);
  let done = start;
  const lost: number[] = [];
  for (let n = 0; n < sent; n++) {
    if (!dies && random.chance(0.1)) {
      lost.push(n);
      continue;
    }
    const arrival = start + random.int(0, LIFETIME - 1);
    const segment: CommittedSegment = { source, hold: name, n, arrival };
    const stages = ["a", "b"].slice(0, random.int(0, 2));
    const reports = [
      { ...segment, ...(stages.length === 0 ? {} : { stages }) },
      ...stages.map((stage) => ({ ...segment, stage })),
    ];
    for (const report of reports) {
      // A slow queue: up to ten minutes.
      const at = arrival + random.int(1, random.chance(0.2) ? 600_000 : 3_000);
      done = Math.max(done, at);
      say(at, (one) => one.committed(report));
    }
  }
  if (!dies) {
    const closedAt = until + random.int(0, 20_000);
    done = Math.max(done, closedAt);
    say(closedAt, (one) => one.closed({ source, hold: name, sent, lost, unsure: [] }, closedAt));
  }
  return { steps, life: { start, done: dies ? Number.POSITIVE_INFINITY : done, dies } };
}

describe.each([...Array(60).keys()])("seed %i", (seed) => {
  const random = new Random(seed);
  const lives: Life[] = [];
  const steps: Step[] = [];
  for (let n = 0; n < 12; n++) {
    const one = lifeOf(random, `h${n}`, START + random.int(0, 60_000));
    lives.push(one.life);
    steps.push(...one.steps);
  }
  steps.sort((a, b) => a.at - b.at);

  test("is never past what is missing, never goes back, and comes to the clock", () => {
    let frontier = new Frontier(OPTIONS);
    let before = -1;
    const look = (now: number) => {
      // Stored and loaded at any time.
      if (random.chance(0.3)) {
        frontier = new Frontier(OPTIONS, JSON.parse(JSON.stringify(frontier.state)) as FrontierState);
      }
      const at = frontier.at(now);
      expect(at).toBeGreaterThanOrEqual(before);
      before = at;
      for (const { start, done, dies } of lives) {
        if (start > now - OPTIONS.handshake || done <= now) continue;
        if (dies && now > start + LIFETIME + OPTIONS.tail) continue;
        expect(at, `a hold of ${start} at ${now}`).toBeLessThanOrEqual(start);
      }
    };
    for (const step of steps) {
      look(step.at - 1);
      step.do(frontier);
      look(step.at);
    }
    const end = START + 60_000 + 2 * PATIENCE;
    // Given up in two steps: the tail, then the gaps before it.
    look(end);
    expect(frontier.at(end)).toBe(end - OPTIONS.handshake);
    expect(frontier.held).toBe(0);
    // What is done with is forgotten.
    expect(frontier.at(end + DAY)).toBe(end + DAY - OPTIONS.handshake);
    expect(frontier.state.holds).toEqual({});
  });

  test("nextGivenUp is when time alone moves it on", () => {
    const frontier = new Frontier(OPTIONS);
    for (const step of steps) step.do(frontier);
    let now = START + 60_000;
    for (let n = 0; n < 100; n++) {
      frontier.at(now);
      const next = frontier.nextGivenUp(Number.POSITIVE_INFINITY);
      if (next === undefined) break;
      const held = frontier.held;
      now = Math.max(now, next);
      frontier.at(now);
      expect(frontier.held).toBe(held);
      now++;
    }
    expect(frontier.held).toBe(0);
  });
});

const hold = { source: "s", hold: "h" };
const open = { ...hold, start: 1_000, until: 2_000 };
const closed = (sent: number, more = {}) => ({ ...hold, sent, lost: [], unsure: [], ...more });
const segment = (n: number, more = {}): CommittedSegment => ({ ...hold, n, arrival: 1_500, ...more });

describe("holds that nobody closes", () => {
  test("the tail is waited for, and a gap before what came of it for longer", () => {
    const frontier = new Frontier(OPTIONS);
    frontier.opened(open);
    frontier.committed(segment(0));
    frontier.committed(segment(2));
    expect(frontier.at(2_000 + OPTIONS.tail)).toBe(1_000);
    // Whether there ever was a number 3 nobody will know; there was a number 1.
    expect(frontier.at(2_001 + OPTIONS.tail)).toBe(1_000);
    expect(frontier.nextGivenUp(1_000)).toBe(2_000 + PATIENCE);
    frontier.committed(segment(1));
    expect(frontier.at(40_000)).toBe(39_000);
  });

  test("one whose isolate was only slow counts again what it says it has sent, while something is missing", () => {
    const frontier = new Frontier(OPTIONS);
    frontier.opened(open);
    frontier.committed(segment(1));
    expect(frontier.at(40_000)).toBe(1_000);
    frontier.closed(closed(4), 40_000);
    frontier.committed(segment(0));
    expect(frontier.at(40_001 + PATIENCE)).toBe(1_000);
    frontier.committed(segment(2));
    frontier.committed(segment(3));
    expect(frontier.at(50_000 + PATIENCE)).toBe(49_000 + PATIENCE);
  });

  test("of what nobody knows, the tail decides; what the queue has is waited for", () => {
    const frontier = new Frontier(OPTIONS);
    frontier.opened(open);
    frontier.closed(closed(3, { unsure: [0, 2] }), 2_000);
    expect(frontier.at(2_001 + OPTIONS.tail)).toBe(1_000);
    expect(frontier.at(2_000 + DAY)).toBe(1_000);
    frontier.committed(segment(1));
    expect(frontier.at(2_000 + DAY)).toBe(1_000 + DAY);
  });
});

test("a hold of which word comes after the handshake takes nothing back", () => {
  const frontier = new Frontier(OPTIONS);
  expect(frontier.at(5_000)).toBe(4_000);
  frontier.opened(open);
  expect(frontier.at(5_000)).toBe(4_000);
  expect(frontier.at(9_000)).toBe(4_000);
  frontier.closed(closed(0), 9_000);
  expect(frontier.at(9_000)).toBe(8_000);
});

describe("reports of what nobody has opened", () => {
  test("hold nothing back, and are forgotten", () => {
    const frontier = new Frontier(OPTIONS);
    frontier.committed(segment(0));
    frontier.closed({ ...closed(2), hold: "other" }, 1_500);
    expect(frontier.at(3_000)).toBe(2_000);
    frontier.at(1_500 + 60_001);
    expect(frontier.state.holds).toEqual({});
  });

  test("count once it is opened", () => {
    const frontier = new Frontier(OPTIONS);
    frontier.committed(segment(0));
    frontier.closed(closed(2), 1_600);
    frontier.opened(open);
    expect(frontier.at(5_000)).toBe(1_000);
    frontier.committed(segment(1));
    expect(frontier.at(5_000)).toBe(4_000);
  });
});

describe("stages", () => {
  test.each([
    ["in order", [{ stages: ["a", "b"] }, { stage: "a" }, { stage: "b" }]],
    ["the stages first", [{ stage: "b" }, { stage: "a" }, { stages: ["a", "b"] }]],
    ["one before, one after", [{ stage: "a" }, { stages: ["a", "b"] }, { stage: "b" }]],
  ])("all have to report: %s", (_, reports) => {
    const frontier = new Frontier(OPTIONS);
    frontier.opened(open);
    frontier.closed(closed(1), 2_000);
    for (const report of reports) {
      expect(frontier.at(5_000)).toBe(1_000);
      frontier.committed(segment(0, report));
      frontier.committed(segment(0, report));
    }
    expect(frontier.at(5_000)).toBe(4_000);
  });

  test("what was buried is not waited for by anybody", () => {
    const frontier = new Frontier(OPTIONS);
    frontier.opened(open);
    frontier.closed(closed(1), 2_000);
    frontier.committed(segment(0, { stage: "a" }));
    frontier.committed(segment(0));
    expect(frontier.at(5_000)).toBe(4_000);
  });
});

describe("statements", () => {
  test("hold when all that came before them is committed, and by time alone once the handshake is over", () => {
    const frontier = new Frontier(OPTIONS);
    frontier.opened(open);
    frontier.committed(segment(0, { watermark: 700 }));
    frontier.at(2_200);
    expect(frontier.stated).toBe(-1);
    // Until the hold is closed, or given up.
    expect(frontier.nextStated(700)).toBe(2_001 + OPTIONS.tail);
    frontier.closed(closed(1), 2_200);
    expect(frontier.nextStated(700)).toBe(2_501);
    expect(frontier.nextStated(701)).toBeUndefined();
    frontier.at(2_500);
    expect(frontier.stated).toBe(-1);
    frontier.at(2_501);
    expect(frontier.stated).toBe(700);
    expect(frontier.nextStated(700)).toBeUndefined();
  });

  test("are not held back by what came after them", () => {
    const frontier = new Frontier(OPTIONS);
    frontier.committed(segment(0, { watermark: 700 }));
    frontier.opened({ ...open, hold: "later", start: 1_501, until: 2_501 });
    frontier.at(9_000);
    expect(frontier.stated).toBe(700);
  });

  test("an earlier one that comes late takes nothing back", () => {
    const frontier = new Frontier(OPTIONS);
    frontier.committed(segment(1, { watermark: 900 }));
    frontier.at(9_000);
    frontier.committed(segment(0, { watermark: 700 }));
    frontier.at(9_000);
    expect(frontier.stated).toBe(900);
  });
});
