/** Dead letters of real shards and buried messages: listing, paging, redriving, and what is refused. */

import type * as v from "valibot";
import { beforeEach, describe, expect, test } from "vitest";
import { deadLetterSchema, deadLettersSchema, keySchema } from "../../src/cloudflare/query/schemas.ts";
import { seal } from "../../src/engine/envelope.ts";
import { Deployment, illness } from "./deployment.ts";
import { graphPlan, Knobs } from "./graph.ts";

type Page = v.InferOutput<typeof deadLettersSchema>;

let deployment: Deployment;

beforeEach(async () => {
  illness.cured = false;
  deployment = new Deployment();
  // Each is a letter of its own, all in the shard of "poison"; the last two are combined into one.
  for (let n = 0; n < 5; n++) await deployment.send("clicks", ["poison"]);
  await deployment.send("clicks", ["poison", "fine", "poison"]);
  await deployment.apply("clicks");
  deployment.bury("x".repeat(3000));
  deployment.bury("{}", false);
});

async function all(limit: number, search = ""): Promise<Page["entries"]> {
  const entries: Page["entries"] = [];
  let cursor = "";
  for (;;) {
    const page: Page = await deployment.get(
      `/v1/dead-letters?limit=${limit}${cursor}${search}`,
      deadLettersSchema,
    );
    entries.push(...page.entries);
    expect(entries.length).toBeLessThan(100);
    if (page.next !== undefined) expect(page.entries).toHaveLength(limit);
    else expect(entries.length === 0 || page.entries.length > 0).toBe(true);
    if (page.next === undefined) return entries;
    cursor = `&cursor=${page.next}`;
  }
}

test("lists events, then messages, with why", async () => {
  const page = await deployment.get("/v1/dead-letters", deadLettersSchema);
  expect(page).toMatchObject({ events: 7, messages: 2 });
  expect(page.next).toBeUndefined();
  expect(page.entries).toHaveLength(8);
  expect(page.entries[5]).toEqual({
    id: expect.stringMatching(/^texts\/[01]\/6$/),
    kind: "event",
    source: "clicks",
    operator: "texts",
    error: "cannot merge poison",
    time: "2026-01-31T12:00:00.000Z",
    events: 2,
    record: { key: "poison", partial: { n: 2, poison: true } },
  });
  expect(page.entries[6]).toEqual({
    id: "messages/1",
    kind: "message",
    queue: "millrace-clicks",
    reason: "broken",
    redrivable: true,
    time: "2026-01-31T12:00:00.000Z",
    body: "x".repeat(1000),
    bodyLength: 3000,
  });
});

test("an event that failed before the queue is shown whole", async () => {
  const { shards } = deployment;
  const event = { id: "e1", time: 0, key: "k", data: { key: "k" } };
  const dead = [{ operator: "clicks.filter", error: "no", event, n: 1 }];
  const segment = {
    producer: "d".repeat(32),
    sequence: 0,
    source: "clicks",
    kind: 0 as const,
    arrival: 0,
    events: 1,
  };
  await shards.apply({
    v: 1,
    generation: 7,
    operator: "counts",
    shard: 0,
    shards: 3,
    segments: [{ ...segment, before: 0, anchored: true, content: seal({ records: [], dropped: 0, dead }) }],
  });
  const { entries } = await deployment.get("/v1/dead-letters?limit=1", deadLettersSchema);
  expect(entries).toEqual([
    expect.objectContaining({
      id: "counts/0/1",
      operator: "clicks.filter",
      event: { ...event, time: "1970-01-01T00:00:00.000Z" },
    }),
  ]);
});

test("pages of every size hold each once", async () => {
  const whole = await all(100);
  for (let limit = 1; limit <= 9; limit++) expect(await all(limit)).toEqual(whole);
});

test("of one operator, or only events or messages", async () => {
  const everything = (await all(10)).map(({ id }) => id);
  const [events, messages] = [everything.slice(0, 6), everything.slice(6)];
  for (const limit of [1, 2, 10]) {
    expect((await all(limit, "&operator=texts")).map(({ id }) => id)).toEqual(events);
    expect(await all(limit, "&operator=counts")).toEqual([]);
    expect((await all(limit, "&kind=event")).map(({ id }) => id)).toEqual(events);
    expect((await all(limit, "&kind=message")).map(({ id }) => id)).toEqual(messages);
  }
  for (const search of ["operator=unknown", "operator=texts&kind=message", "kind=letter"]) {
    const response = await deployment.request(`/v1/dead-letters?${search}`);
    expect(response.status).toBe(400);
  }
});

test("a message is given whole on demand", async () => {
  const entries = await all(3, "&body=full");
  expect(entries[6]).toMatchObject({ body: "x".repeat(3000), bodyLength: 3000 });
});

test.each(["limit=0", "limit=101", "body=short", "cursor=nonsense", "cursor=YQA", "page=2"])(
  "?%s is a 400",
  async (search) => {
    expect((await deployment.request(`/v1/dead-letters?${search}`)).status).toBe(400);
  },
);

test("one is given by its id, with its slashes or percent-encoded, a message whole", async () => {
  const entries = await all(100);
  for (const entry of entries.slice(0, 6)) {
    for (const id of [entry.id, encodeURIComponent(entry.id)])
      expect(await deployment.get(`/v1/dead-letters/${id}`, deadLetterSchema)).toEqual(entry);
  }
  const message = await deployment.get("/v1/dead-letters/messages/1", deadLetterSchema);
  expect(message).toEqual({ ...entries[6], body: "x".repeat(3000) });
});

test.each(["texts/0/999", "nobody/0/1", "messages/3", "nonsense", "texts/0/1/2", "texts/0/1%00", "%ff"])(
  "/v1/dead-letters/%s is a 404",
  async (id) => {
    const response = await deployment.request(`/v1/dead-letters/${id}`);
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  },
);

describe("redriving", () => {
  test("some, by id", async () => {
    const ids = (await all(100)).slice(0, 2).map(({ id }) => id);
    illness.cured = true;
    const response = await deployment.redrive({ ids: [...ids, "messages/1", ids[0]] });
    expect(await response.json()).toEqual({ redriven: 3 });
    await deployment.apply("clicks");
    const after = await deployment.get("/v1/dead-letters", deadLettersSchema);
    expect(after).toMatchObject({ events: 5, messages: 1 });
    const { value } = await deployment.get("/v1/views/texts?key=poison", keySchema);
    expect(value).toBe("2 times");
    expect((await deployment.redrive({ ids: ids.slice(0, 1) })).status).toBe(404);
  });

  test("all that can be", async () => {
    illness.cured = true;
    const response = await deployment.redrive({ all: true });
    expect(await response.json()).toEqual({ redriven: 7 });
    await deployment.apply("clicks");
    expect(await deployment.get("/v1/views/texts?key=poison", keySchema)).toMatchObject({ value: "7 times" });
    expect(await deployment.get("/v1/dead-letters", deadLettersSchema)).toMatchObject({
      events: 0,
      messages: 1,
    });
    expect(await (await deployment.redrive({ all: true })).json()).toEqual({ redriven: 0 });
  });

  test("all of one operator, or of one kind", async () => {
    illness.cured = true;
    expect(await (await deployment.redrive({ all: true, operator: "counts" })).json()).toEqual({
      redriven: 0,
    });
    expect(await (await deployment.redrive({ all: true, operator: "texts" })).json()).toEqual({
      redriven: 6,
    });
    expect((await all(10)).map(({ id }) => id)).toEqual(["messages/1", "messages/2"]);
    expect(await (await deployment.redrive({ all: true, kind: "message" })).json()).toEqual({ redriven: 1 });
    expect((await all(10)).map(({ id }) => id)).toEqual(["messages/2"]);
    expect((await deployment.redrive({ all: true, operator: "unknown" })).status).toBe(400);
  });

  test("more than one request sends again go on with the next, and what failed again meanwhile is not among them", async () => {
    for (let n = 0; n < 1100; n++) await deployment.send("clicks", ["poison"]);
    await deployment.apply("clicks");
    const began = new Date(deployment.clock.now()).toISOString();
    const first = await (await deployment.redrive({ all: true })).json();
    expect(first).toEqual({ redriven: 1001, more: true, before: began });
    deployment.clock.advance(10);
    await deployment.apply("clicks");
    expect(await deployment.get("/v1/dead-letters?limit=1", deadLettersSchema)).toMatchObject({
      events: 1107,
    });
    const second = await (await deployment.redrive({ all: true, before: began })).json();
    // What is left of the 1,106 letters that there were when it began.
    expect(second).toEqual({ redriven: 106 });
    await deployment.apply("clicks");
    expect(await deployment.get("/v1/dead-letters?limit=1", deadLettersSchema)).toMatchObject({
      events: 1107,
      messages: 1,
    });
  });

  test("what fails again is a dead letter again", async () => {
    await deployment.redrive({ all: true });
    await deployment.apply("clicks");
    const after = await deployment.get("/v1/dead-letters", deadLettersSchema);
    expect(after).toMatchObject({ events: 7, messages: 1 });
    expect(after.entries).toHaveLength(7);
  });

  test.each([
    [{}],
    [{ ids: [] }],
    [{ all: false }],
    [{ ids: ["texts/0/1"], all: true }],
    [{ ids: "texts/0/1" }],
    [{ ids: [1] }],
    [{ all: true, before: "yesterday" }],
    [{ ids: ["texts/0/1"], before: "2026-01-31T12:00:00.000Z" }],
    [{ ids: Array.from({ length: 101 }, (_, n) => `texts/0/${n + 1}`) }],
    [{ ids: ["nonsense"] }],
    [{ ids: ["texts/0/0"] }],
    [{ ids: ["texts/0/1.5"] }],
    [{ ids: ["texts//1"] }],
    [{ ids: ["texts/0"] }],
    [{ ids: ["__proto__/0/1"] }],
    [null],
    [[]],
  ])("%j is a 400", async (body) => {
    expect((await deployment.redrive(body)).status).toBe(400);
  });

  test("a body that is not JSON is a 400, one that is too large a 413", async () => {
    const post = (body: string) => deployment.request("/v1/dead-letters/redrive", { method: "POST", body });
    expect((await post("{")).status).toBe(400);
    expect((await post("")).status).toBe(400);
    expect((await post(" ".repeat(70_000))).status).toBe(413);
  });

  test.each(["nobody/0/1", "texts/9/1", "texts/0/999", "messages/99"])(
    "%s is a 404, and nothing is sent",
    async (id) => {
      const [first] = await all(1);
      const response = await deployment.redrive({ ids: [first?.id, id] });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ detail: expect.stringContaining(id) });
      expect(await all(100)).toHaveLength(8);
    },
  );

  test("what cannot be redriven is a 409 with the reason", async () => {
    const response = await deployment.redrive({ ids: ["messages/2"] });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining("broken") });
  });
});

test("a silent shard is a 503", async () => {
  deployment.down.add("counts/2");
  expect((await deployment.request("/v1/dead-letters")).status).toBe(503);
  expect((await deployment.redrive({ all: true })).status).toBe(503);
});

describe("of every kind of operator", () => {
  const knobs = new Knobs();
  let graph: Deployment;

  beforeEach(() => {
    Object.assign(knobs, new Knobs());
    graph = new Deployment(graphPlan(knobs));
  });

  const letters = () => graph.get("/v1/dead-letters", deadLettersSchema);
  const send = async (...keys: string[]) => {
    await graph.send("clicks", keys);
    await graph.apply("clicks");
    await graph.apply("locate");
  };

  test("a stage's goes back by its queue, and only what failed is worked on again", async () => {
    knobs.poison.add("b");
    await send("a", "b");
    const { events, entries } = await letters();
    expect(events).toBe(1);
    expect(entries).toEqual([
      expect.objectContaining({
        id: "locate/0/1",
        source: "clicks",
        operator: "locate",
        error: "cannot locate b",
        events: 1,
        event: expect.objectContaining({ data: { key: "b" } }),
      }),
    ]);
    knobs.poison.clear();
    const worked: string[] = [];
    knobs.onStage = (key) => worked.push(key);
    expect(await (await graph.redrive({ all: true })).json()).toEqual({ redriven: 1 });
    await graph.apply("clicks");
    await graph.apply("locate");
    expect(worked).toEqual(["b"]);
    expect(await letters()).toMatchObject({ events: 0, entries: [] });
    for (const key of ["a-land", "b-land"])
      expect(await graph.get(`/v1/views/places?key=${key}`, keySchema)).toMatchObject({ value: 1 });
  });

  test("a sink's rejected batch accounts for no event, and goes to the sink again", async () => {
    knobs.sink = "rejects";
    await send("a");
    const { events, entries } = await letters();
    expect(events).toBe(0);
    expect(entries).toEqual([
      expect.objectContaining({
        id: "lines/0/1",
        source: "locate",
        operator: "lines",
        error: "not lines",
        events: 0,
      }),
    ]);
    knobs.sink = "takes";
    expect(await (await graph.redrive({ ids: ["lines/0/1"] })).json()).toEqual({ redriven: 1 });
    await graph.pass(60_000);
    expect(await letters()).toMatchObject({ entries: [] });
    expect(knobs.written.flatMap((batch) => batch.events.map(({ data }) => data))).toEqual([
      { key: "a-land" },
    ]);
  });

  test("a timer's is set again", async () => {
    knobs.timerThrows = true;
    knobs.pulled = ["x"];
    await graph.pass(0);
    await graph.pass(60_000);
    const { entries } = await letters();
    expect(entries).toEqual([
      expect.objectContaining({
        id: "idle/0/1",
        operator: "idle",
        error: "no time",
        events: 0,
        timer: { key: "x", name: "idle", time: "2026-01-31T12:01:00.000Z" },
      }),
    ]);
    knobs.timerThrows = false;
    expect(await (await graph.redrive({ all: true })).json()).toEqual({ redriven: 1 });
    await graph.pass(0);
    expect(knobs.written.flatMap((batch) => batch.events.map(({ data }) => data))).toEqual([
      { key: "x is idle" },
    ]);
    expect(await letters()).toMatchObject({ entries: [] });
  });

  test("one that its shard does not take stays, and the answer says so", async () => {
    knobs.poison.add("b");
    await send("b");
    knobs.sink = "rejects";
    knobs.poison.clear();
    await send("a");
    graph.shards.held.add("lines");
    const response = await graph.redrive({ ids: ["lines/0/1"] });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      detail: expect.stringContaining("operator lines, shard 0"),
    });
    expect((await letters()).entries.map(({ id }) => id)).toEqual(["locate/0/1", "lines/0/1"]);
  });
});
