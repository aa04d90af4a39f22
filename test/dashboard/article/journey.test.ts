/** The journey of one event: each station is told when it is reached, and what goes wrong ends it. */
import { describe, expect, it } from "vitest";
import type { Ticket } from "../../../workers/dashboard/api/types.ts";
import type { Journey, JourneyPorts } from "../../../workers/dashboard/article/journey/journey.ts";
import { stopsOf, tookMs, travel } from "../../../workers/dashboard/article/journey/journey.ts";

const flying: Ticket = {
  ticket: "t",
  source: "clicks",
  state: "in-flight",
  operators: [{ operator: "counts", state: "in-flight", shards: [{ shard: 2, state: "in-flight" }] }],
};
const landed: Ticket = {
  ...flying,
  state: "applied",
  arrival: "2026-01-31T12:00:00.000Z",
  operators: [
    {
      operator: "counts",
      state: "applied",
      shards: [{ shard: 2, state: "applied", appliedAt: "2026-01-31T12:00:00.120Z", lsn: 7 }],
    },
  ],
};

function ports(over: Partial<JourneyPorts> = {}): JourneyPorts {
  let time = 0;
  const tickets = [flying, flying, landed];
  return {
    now: () => time,
    sleep: async (ms) => {
      time += ms;
    },
    accept: async () => {
      time += 12;
      return { accepted: 1, rejected: [], ticket: "t" };
    },
    ask: async () => tickets.shift() ?? landed,
    look: async (view, key) => (view === "counts" ? { view, key, value: 3 } : undefined),
    ...over,
  };
}

const signal = new AbortController().signal;
const options = { source: "clicks", url: "/a", views: ["counts", "others"], signal };

describe("a journey", () => {
  it("goes from station to station, and ends in the views that know its key", async () => {
    const seen: Journey[] = [];
    const end = await travel(ports(), { ...options, onChange: (now) => seen.push(now) });
    expect(seen.map((now) => Object.keys(now).length)).toEqual([2, 4, 5, 5, 6, 7]);
    expect(seen[0]).toEqual({ source: "clicks", url: "/a" });
    expect(seen[1]).toMatchObject({ acceptedMs: 12, ticketId: "t" });
    expect(end).toMatchObject({ ticket: landed, counts: [{ view: "counts", value: 3 }] });
    expect(end.knownMs).toBeGreaterThan(12);
  });

  it("says why an event was not taken", async () => {
    const refused = ports({
      accept: async () => ({ accepted: 0, rejected: [{ index: 0, error: "url: empty" }], ticket: "" }),
    });
    await expect(travel(refused, { ...options, onChange() {} })).rejects.toThrow("url: empty");
  });

  it("is not told any more when another one has begun", async () => {
    const controller = new AbortController();
    const seen: Journey[] = [];
    const stopping = ports({
      ask: async () => {
        controller.abort(new Error("another one"));
        return landed;
      },
    });
    const going = travel(stopping, {
      ...options,
      signal: controller.signal,
      onChange: (now) => seen.push(now),
    });
    await expect(going).rejects.toThrow("another one");
    expect(seen).toHaveLength(2);
  });
});

describe("a ticket", () => {
  it("gives the stops, with their times since it was accepted", () => {
    expect(stopsOf(landed)).toEqual([{ operator: "counts", applied: true, shard: 2, lsn: 7, tookMs: 120 }]);
    expect(stopsOf(flying)).toEqual([{ operator: "counts", applied: false, shard: 2 }]);
  });

  it("has no times once they are forgotten", () => {
    expect(tookMs(undefined, ["2026-01-31T12:00:00.120Z"])).toEqual({});
    expect(tookMs("2026-01-31T12:00:00.000Z", [])).toEqual({});
    expect(tookMs("2026-01-31T12:00:00Z", ["2026-01-31T12:00:01Z", "2026-01-31T12:00:03Z"])).toEqual({
      tookMs: 3000,
    });
  });
});
