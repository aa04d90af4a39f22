/** The comparison: races with a clock of their own, what is read off their tickets, and the figures that come of it. */
import { describe, expect, it } from "vitest";
import { marksFor } from "../../../workers/dashboard/article/comparison/axis.ts";
import {
  endOf,
  figuresOf,
  quantile,
  verdictOf,
} from "../../../workers/dashboard/article/comparison/figures.ts";
import type { Visit } from "../../../workers/dashboard/article/comparison/race.ts";
import { follow, Refusal, race } from "../../../workers/dashboard/article/comparison/race.ts";

/** Time that passes only when all who wait have said how long. */
class Time {
  at = 0;
  readonly #waiting: { until: number; go: () => void }[] = [];

  readonly now = () => this.at;

  readonly sleep = (ms: number) =>
    new Promise<void>((go) => {
      this.#waiting.push({ until: this.at + ms, go });
      this.#waiting.sort((a, b) => a.until - b.until);
    });

  async run<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    settled.catch(() => {});
    while (!done) {
      for (let i = 0; i < 20; i++) await Promise.resolve();
      const next = this.#waiting.shift();
      if (next === undefined) continue;
      this.at = next.until;
      next.go();
    }
    return settled;
  }
}

const signal = new AbortController().signal;

/** One visit after the other, `ms` each. */
function backend(time: Time, ms: number) {
  let last = Promise.resolve();
  return async () => {
    last = last.then(() => time.sleep(ms));
    await last;
    return {};
  };
}

describe("a race", () => {
  it("has each visitor wait for his answer, a few at a time", async () => {
    const time = new Time();
    const seen: number[] = [];
    const visits = await time.run(
      race(
        { ...time, send: backend(time, 50) },
        { visits: 6, visitors: 3, signal, onChange: (all) => seen.push(all.length) },
      ),
    );
    expect(visits.map(({ n, began, answered }) => [n, began, answered])).toEqual([
      [0, 0, 50],
      [1, 0, 100],
      [2, 0, 150],
      [3, 50, 200],
      [4, 100, 250],
      [5, 150, 300],
    ]);
    expect(visits.every(({ answered, counted }) => answered === counted)).toBe(true);
    expect(seen[0]).toBe(1);
    expect(seen.at(-1)).toBe(6);
  });

  it("tries again when it is told to, and the visitor's wait goes on", async () => {
    const time = new Time();
    const refusals = [2000, 1000];
    const send = async () => {
      const wait = refusals.pop();
      if (wait !== undefined) throw new Refusal(wait);
      return { ticket: "t" };
    };
    const [visit] = await time.run(
      race({ ...time, send }, { visits: 1, visitors: 1, signal, onChange() {} }),
    );
    expect(visit).toEqual({ n: 0, began: 0, answered: 3000, refusals: 2, ticket: "t" });
  });

  it("ends when a request fails or it is stopped", async () => {
    const time = new Time();
    const failing = {
      ...time,
      send: async () => {
        throw new Error("no answer");
      },
    };
    const options = { visits: 2, visitors: 1, onChange() {} };
    await expect(time.run(race(failing, { ...options, signal }))).rejects.toThrow("no answer");
    const stopped = AbortSignal.abort(new Error("stopped"));
    let sent = 0;
    const counting = {
      ...time,
      send: async () => {
        sent++;
        return {};
      },
    };
    await expect(time.run(race(counting, { ...options, signal: stopped }))).rejects.toThrow("stopped");
    expect(sent).toBe(0);
  });
});

describe("following", () => {
  const sent: Visit[] = [
    { n: 0, began: 0, answered: 10, refusals: 0, ticket: "a" },
    { n: 1, began: 5, answered: 12, refusals: 0, ticket: "b" },
  ];

  it("asks until each is counted, by the page's own clock where the server has forgotten its times", async () => {
    const time = new Time();
    const asked: string[] = [];
    const ask = async (ticket: string) => {
      asked.push(ticket);
      return { applied: ticket === "b" || time.now() >= 200 };
    };
    const visits = await time.run(follow({ ...time, ask }, sent, { signal, onChange() {} }));
    expect(asked).toEqual(["a", "a", "a", "b"]);
    expect(visits.map(({ counted }) => counted)).toEqual([200, 200]);
  });

  it("puts the server's clock on the page's: each was accepted between its call and its answer", async () => {
    const time = new Time();
    // The server's clock is 1,000,000 ms ahead. The first visit leaves it between 0 and 10 ms of room, the second less.
    const times: Record<string, { arrival: number; appliedAt: number }> = {
      a: { arrival: 1_000_004, appliedAt: 1_000_150 },
      b: { arrival: 1_000_006, appliedAt: 1_000_200 },
    };
    const seen: (number | undefined)[][] = [];
    const ask = async (ticket: string) => ({ applied: true, ...times[ticket] });
    const onChange = (visits: readonly Visit[]) => seen.push(visits.map(({ counted }) => counted));
    const visits = await time.run(follow({ ...time, ask }, sent, { signal, onChange }));
    expect(seen[0]).toEqual([151, undefined]);
    // Between -1,000,001 (of the second's call) and -999,994 (of its answer, and of the first's).
    expect(visits.map(({ counted }) => counted)).toEqual([152.5, 202.5]);
  });

  it("stops when it is told to", async () => {
    const stopped = AbortSignal.abort(new Error("stopped"));
    const ask = async () => ({ applied: true });
    const time = new Time();
    await expect(follow({ ...time, ask }, sent, { signal: stopped, onChange() {} })).rejects.toThrow(
      "stopped",
    );
  });
});

describe("figures", () => {
  const visits: Visit[] = [
    { n: 0, began: 0, answered: 10, counted: 400, refusals: 0 },
    { n: 1, began: 0, answered: 30, counted: 500, refusals: 1 },
    { n: 2, began: 10, answered: 30, refusals: 0 },
    { n: 3, began: 30, refusals: 0 },
  ];

  it("are those of the visits that were answered", () => {
    expect(figuresOf(visits)).toEqual({ answers: 3, refusals: 1, p50: 20, p95: 30, perSecond: 100 });
    expect(figuresOf([])).toEqual({ answers: 0, refusals: 0 });
  });

  it("say when all were counted only once all are", () => {
    expect(figuresOf(visits.slice(0, 2)).allCounted).toBe(500);
    expect(figuresOf(visits.slice(0, 3))).not.toHaveProperty("allCounted");
  });

  it("have quantiles that were really there", () => {
    expect(quantile([3, 1, 2, 4], 0.5)).toBe(2);
    expect(quantile([7], 0.95)).toBe(7);
    expect(quantile([...Array(100).keys()], 0.95)).toBe(94);
  });

  it("end with the last thing that is known", () => {
    expect(endOf(visits)).toBe(500);
    expect(endOf(visits.slice(3))).toBe(30);
    expect(endOf([])).toBe(0);
  });
});

describe("the axis", () => {
  it("ends at a round time, with few marks at round times", () => {
    expect(marksFor(0)).toEqual({ end: 10, at: [0, 10] });
    expect(marksFor(230)).toEqual({ end: 250, at: [0, 50, 100, 150, 200, 250] });
    expect(marksFor(1000).at).toEqual([0, 200, 400, 600, 800, 1000]);
    expect(marksFor(2560)).toEqual({ end: 3000, at: [0, 1000, 2000, 3000] });
    for (const ms of [1, 17, 99, 101, 999, 5001, 123_456]) {
      const { end, at } = marksFor(ms);
      expect(end).toBeGreaterThanOrEqual(ms);
      expect(at.length).toBeLessThanOrEqual(6);
    }
  });
});

describe("the verdict", () => {
  const figures = (p50: number, allCounted: number, refusals = 0) => ({
    answers: 9,
    refusals,
    p50,
    p95: p50,
    perSecond: 1,
    allCounted,
  });

  it("names the shorter wait, on whichever side", () => {
    expect(verdictOf(figures(150, 1200), figures(10, 1500)).join(" ")).toMatch(
      /of the stream waited 15 times less.*sooner in the synchronous/s,
    );
    expect(verdictOf(figures(4, 100), figures(10, 130)).join(" ")).toMatch(
      /synchronous backend waited 2\.5 times less/,
    );
    expect(verdictOf(figures(10, 100), figures(11, 90)).join(" ")).toMatch(
      /about the same.*as soon, or sooner/s,
    );
  });

  it("does not keep quiet about refusals, and says nothing of what was not measured", () => {
    expect(verdictOf(figures(150, 1), figures(10, 1, 3)).join(" ")).toMatch(/429/);
    expect(verdictOf(figures(150, 1), { answers: 0, refusals: 0 })).toEqual([]);
  });
});
