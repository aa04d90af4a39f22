/** Views against a plain recount, with hostile keys, half in pages and half in the log; and every way to ask wrongly. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  entriesSchema,
  keySchema,
  totalSchema,
  viewAnswerSchema,
  viewsSchema,
} from "../../src/cloudflare/query/schemas.ts";
import { shardOf } from "../../src/hash.ts";
import { Deployment } from "./deployment.ts";

const hostile = [
  "",
  " ",
  "\0",
  "a\0",
  "a\0b",
  "a",
  "A",
  "ab",
  "b",
  "😀",
  "😀a",
  "\uffff",
  "é",
  "e\u0301",
  '"',
  "'",
  "\\",
  "\n",
  "<b>",
  "__proto__",
  "constructor",
  "toString",
  "%2F",
  "%",
  "+",
  "&=?#",
  "/",
  "/products/1",
  "/products/10",
  "/products/2",
  "/products",
  "key".repeat(682),
  "/".repeat(2048),
  "\u202e",
  "null",
  "0",
  "10",
  "9",
];

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const q = encodeURIComponent;

describe("a view of hostile keys", () => {
  const deployment = new Deployment();
  /** A plain recount: the n-th key is clicked n % 5 + 1 times, so that there are many ties. */
  const recount = new Map(hostile.map((key, n) => [key, (n % 5) + 1] as const));
  const inOrder = [...recount].map(([key, value]) => ({ key, value })).sort((a, b) => compare(a.key, b.key));

  beforeAll(async () => {
    const clicks = [...recount].flatMap(([key, times]) => Array.from({ length: times }, () => key));
    // Half of it goes into pages, the rest stays in the log, and some keys are in both.
    const middle = Math.floor(clicks.length / 2);
    await deployment.send("clicks", clicks.slice(0, middle));
    await deployment.apply("clicks");
    for (const shard of deployment.shards.shardsOf("counts")) shard.checkpoint();
    await deployment.send("clicks", clicks.slice(middle));
    await deployment.apply("clicks");
  });

  test("each key is found, in its own shard only", async () => {
    for (const [key, value] of recount) {
      deployment.asked.length = 0;
      const answer = await deployment.get(`/v1/views/counts?key=${q(key)}`, keySchema);
      expect(answer).toEqual({ view: "counts", key, value });
      expect(deployment.asked).toEqual([`counts/${shardOf(key, 3)}`]);
    }
  });

  test("a key that was never seen is a 404", async () => {
    const response = await deployment.request("/v1/views/counts?key=nobody");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ status: 404, detail: expect.stringContaining('"nobody"') });
  });

  test("the top is by value, ties by key", async () => {
    const ranked = inOrder.toSorted((a, b) => b.value - a.value || compare(a.key, b.key));
    for (const top of [1, 2, 7, hostile.length, 1000]) {
      const answer = await deployment.get(`/v1/views/counts?top=${top}`, entriesSchema);
      expect(answer).toEqual({ view: "counts", entries: ranked.slice(0, top) });
    }
  });

  test("the top of a view that does not only grow, and of one without numbers", async () => {
    await deployment.send("orders", [
      { key: "b", n: 2.5 },
      { key: "a", n: 2.5 },
      { key: "c", n: 9 },
      { key: "c", n: -8 },
    ]);
    await deployment.apply("orders");
    const amounts = await deployment.get("/v1/views/amounts?top=10", entriesSchema);
    expect(amounts.entries).toEqual([
      { key: "a", value: 2.5 },
      { key: "b", value: 2.5 },
      { key: "c", value: 1 },
    ]);
    expect((await deployment.get("/v1/views/texts?top=10", entriesSchema)).entries).toEqual([]);
    expect(await deployment.get("/v1/views/texts?key=%00", keySchema)).toMatchObject({ value: "3 times" });
  });

  test.each(["", "a", "/", "/products/", "😀", "\0", "__", "nothing"])(
    "pages of every size hold each key with the prefix %j once, in order",
    async (prefix) => {
      const wanted = inOrder.filter(({ key }) => key.startsWith(prefix));
      for (let limit = 1; limit <= wanted.length + 1; limit++) {
        const found: unknown[] = [];
        let next: string | undefined;
        let pages = 0;
        do {
          const cursor: string = next === undefined ? "" : `&cursor=${next}`;
          const path = `/v1/views/counts?prefix=${q(prefix)}&limit=${limit}${cursor}`;
          const page = await deployment.get(path, entriesSchema);
          found.push(...page.entries);
          next = page.next;
          pages++;
          expect(pages).toBeLessThanOrEqual(wanted.length + 1);
          if (next !== undefined) expect(page.entries).toHaveLength(limit);
        } while (next !== undefined);
        expect(found).toEqual(wanted);
        expect(pages).toBe(Math.max(1, Math.ceil(wanted.length / limit)));
      }
    },
  );

  test("without parameters it lists everything", async () => {
    const answer = await deployment.get("/v1/views/counts", entriesSchema);
    expect(answer).toEqual({ view: "counts", entries: inOrder });
    expect(await deployment.get("/v1/views/counts?limit=1000", entriesSchema)).toEqual(answer);
  });

  test("totals add up", async () => {
    const total = [...recount.values()].reduce((sum, value) => sum + value, 0);
    const answer = await deployment.get("/v1/views/counts?total=1", totalSchema);
    expect(answer).toEqual({ view: "counts", keys: hostile.length, total });
  });

  test("every kind of answer is of the documented shape", async () => {
    for (const search of ["", "?key=a", "?top=3", "?total=1", "?prefix=a&limit=1"]) {
      await deployment.get(`/v1/views/counts${search}`, viewAnswerSchema);
    }
  });
});

test("keys beyond the limit are counted together", async () => {
  const deployment = new Deployment();
  await deployment.send("orders", ["a", "b"]);
  await deployment.apply("orders");
  await deployment.send("orders", ["a", "c", "d", "d"]);
  await deployment.apply("orders");
  const answer = await deployment.get("/v1/views/few?total=1", totalSchema);
  expect(answer).toEqual({ view: "few", keys: 2, total: 3, overflow: 3 });
});

test("an empty view has nothing, and no next page", async () => {
  const deployment = new Deployment();
  expect(await deployment.get("/v1/views/counts", entriesSchema)).toEqual({ view: "counts", entries: [] });
  expect(await deployment.get("/v1/views/counts?top=5", entriesSchema)).toEqual({
    view: "counts",
    entries: [],
  });
  const total = await deployment.get("/v1/views/counts?total=1", totalSchema);
  expect(total).toEqual({ view: "counts", keys: 0, total: 0 });
});

test("the list of views says what they are and where", async () => {
  const { views } = await new Deployment().get("/v1/views", viewsSchema);
  expect(views.map(({ view }) => view)).toEqual(["counts", "texts", "amounts", "few"]);
  expect(views[0]).toEqual({
    view: "counts",
    kind: "keyed",
    job: "shop",
    shards: 3,
    numeric: true,
    links: {
      self: "/v1/views/counts",
      top: "/v1/views/counts?top=10",
      total: "/v1/views/counts?total=1",
      job: "/v1/jobs/shop",
    },
  });
  expect(views[1]?.numeric).toBeNull();
});

describe("what a view does not answer", () => {
  const deployment = new Deployment();

  test.each([
    ["top=0", "top"],
    ["top=1001", "top"],
    ["top=1e2", "top"],
    ["top=-1", "top"],
    ["top=", "top"],
    ["top=5&top=6", "top: given more than once"],
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["limit=99999999999999999999", "limit"],
    ["total=0", "total"],
    ["total=yes", "total"],
    ["top=0&limit=0", "top: use a whole number from 1 to 1000; limit: "],
    ["key=a&key=b", "key: given more than once"],
    ["nonsense=1", '"nonsense"'],
    ["nonsense=1&other=2", '"nonsense", "other"'],
    ["key=a&top=1", "key and top"],
    ["key=a&limit=1", "key and prefix, limit, cursor"],
    ["total=1&prefix=", "total and prefix, limit, cursor"],
    ["top=1&total=1", "top and total"],
    ["cursor=!!!", "cursor"],
    ["cursor=YQ", "cursor"],
    ["cursor=YQBh&prefix=a", "cursor"],
    ["cursor=YQA&prefix=b", "cursor"],
    ["from=-1h", "from: the view counts is not windowed"],
    ["key=a&from=-1h&to=now", "from, to: the view counts is not windowed"],
    ["live=1", "live: is a path"],
  ])("?%s is a 400 that names it", async (search, naming) => {
    const response = await deployment.request(`/v1/views/counts?${search}`);
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ status: 400, detail: expect.stringContaining(naming) });
  });

  test("a cursor is taken with a prefix that it has", async () => {
    await deployment.get("/v1/views/counts?cursor=YQA&prefix=a", entriesSchema);
    await deployment.get("/v1/views/counts?cursor=", entriesSchema);
  });

  test.each([
    "/v1/views/nobody",
    "/v1/views/__proto__",
    "/v1/views/nobody/live",
    "/v1/views/nobody?live=1",
    "/v1/views/%00",
  ])("%s is a 404 that names the views", async (path) => {
    const response = await deployment.request(path);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining("counts, texts") });
  });

  test.each([
    ["total=1&top=1", "total"],
    ["cursor=YQ", "cursor"],
    ["from=-1h", "not windowed"],
    ["key=a&top=2", "key and top"],
  ])("live?%s is answered with a 400, not streamed", async (search, naming) => {
    const response = await deployment.request(`/v1/views/counts/live?${search}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining(naming) });
  });
});

test("a shard that fails, or is silent, is a 503 that names it", async () => {
  const deployment = new Deployment();
  deployment.down.add("counts/1");
  for (const search of ["", "?top=1", "?total=1", "?prefix=a"]) {
    const response = await deployment.request(`/v1/views/counts${search}`);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
    const detail = "operator counts, shard 1: out of order; try again";
    expect(await response.json()).toMatchObject({ status: 503, detail });
  }
  deployment.down.clear();
  deployment.hanging.add("counts/2");
  const response = await deployment.request("/v1/views/counts?top=1");
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ detail: expect.stringContaining("no answer within 0.05 s") });
});
