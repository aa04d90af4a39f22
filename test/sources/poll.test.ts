/** poll: a real server that is asked with what it said before, and whose failures cost nothing but time. */
import { expect, test } from "vitest";
import type { PollOptions } from "../../src/index.ts";
import { PlanError, poll } from "../../src/index.ts";
import type { Received } from "../sinks/support.ts";
import { serve } from "../sinks/support.ts";
import { PullRun, START } from "./pulls.ts";

const MINUTE = 60_000;

interface Item {
  readonly id: number;
}

/** All items whose id is above the cursor, which is the last id. */
function itemsOf(url: string, more: Partial<PollOptions<Item, number>> = {}) {
  return poll<Item, number>("feed", {
    url,
    read: (response, last = 0) => {
      const items = (response.json() as Item[]).filter(({ id }) => id > last);
      return {
        events: items.map((data) => ({ id: `item-${data.id}`, data })),
        cursor: Math.max(last, ...items.map(({ id }) => id)),
      };
    },
    ...more,
  });
}

const json = (...ids: number[]) => JSON.stringify(ids.map((id) => ({ id })));
const conditions = ({ headers }: Received) => [headers["if-none-match"], headers["if-modified-since"]];

test("asks every so often, and gives what is new", async () => {
  const { url, received } = await serve(
    (_, response, n) => void response.end(json(1, ...(n > 1 ? [2] : []))),
  );
  const run = new PullRun(itemsOf(url, { every: "30 seconds" }));
  await run.pass(MINUTE);
  expect(received.map(({ method }) => method)).toEqual(["GET", "GET", "GET"]);
  expect(run.seen).toEqual([
    { id: "item-1", time: new Date(START).toISOString(), data: { id: 1 } },
    { id: "item-2", time: new Date(START + 30_000).toISOString(), data: { id: 2 } },
  ]);
});

test("says what it has seen, so that an unchanged feed answers 304, which is no event", async () => {
  const { url, received } = await serve((request, response, n) => {
    if (n === 2) expect(request.headers["if-none-match"]).toBe('"v1"');
    if (n === 2) response.writeHead(304).end();
    else if (n === 3) response.writeHead(200, { etag: '"v2"' }).end(json(1, 2));
    else
      response
        .writeHead(200, { etag: '"v1"', "last-modified": "Thu, 26 Nov 2026 08:00:00 GMT" })
        .end(json(1));
  });
  const run = new PullRun(itemsOf(url));
  await run.pass(3 * MINUTE);
  expect(received.map(conditions)).toEqual([
    [undefined, undefined],
    ['"v1"', "Thu, 26 Nov 2026 08:00:00 GMT"],
    ['"v1"', "Thu, 26 Nov 2026 08:00:00 GMT"],
    ['"v2"', undefined],
  ]);
  expect(run.seen.map(({ id }) => id)).toEqual(["item-1", "item-2"]);
});

test("reads page after page while there is more, at once, by the cursor in the address", async () => {
  const { url, received } = await serve((request, response) => {
    const page = Number(new URL(`http://x${request.url}`).searchParams.get("page"));
    response.writeHead(200, { etag: `"page-${page}"` }).end(json(page));
  });
  const run = new PullRun(
    poll<Item, number>("pages", {
      url: (page = 0) => `${url}?page=${page}`,
      read: (response, page = 0) => ({
        events: (response.json() as Item[]).map((data) => ({ data })),
        ...(page < 3 ? { cursor: page + 1, more: true } : {}),
      }),
    }),
  );
  await run.now();
  expect(run.seen.map(({ data }) => data)).toEqual([0, 1, 2, 3].map((id) => ({ id })));
  await run.pass(MINUTE);
  // What one page said of itself is not asked of another.
  expect(received.map(conditions)).toEqual([
    ...Array(4).fill([undefined, undefined]),
    ['"page-3"', undefined],
  ]);
});

test("more, without news or another cursor, is not asked for at once", async () => {
  const { url, received } = await serve((_, response) => void response.end("[]"));
  const run = new PullRun(poll("feed", { url, read: () => ({ events: [], more: true }) }));
  await run.pass(2 * MINUTE);
  expect(received).toHaveLength(3);
});

test.each([400, 404, 429, 500, 503])(
  "%i is an error: asked again with backoff, nothing lost or doubled",
  async (status) => {
    const { url, received } = await serve((_, response, n) => {
      if (n > 1 && n < 4) response.writeHead(status).end("not now");
      else response.end(json(1, ...(n > 1 ? [2] : [])));
    });
    const run = new PullRun(itemsOf(url));
    await run.pass(2 * MINUTE);
    expect(run.errors).toEqual(Array(2).fill(`source feed: ${url} answered ${status}`));
    expect(run.seen.map(({ id }) => id)).toEqual(["item-1", "item-2"]);
    expect(received.length).toBeGreaterThanOrEqual(4);
  },
);

test("Retry-After is kept to", async () => {
  const { url, received } = await serve((_, response, n) => {
    if (n === 1) response.writeHead(503, { "retry-after": "300" }).end();
    else response.end(json(1));
  });
  const run = new PullRun(itemsOf(url));
  await run.pass(300_000 - 1);
  expect(received).toHaveLength(1);
  await run.pass(1);
  expect(run.seen).toHaveLength(1);
});

test("what the reader throws keeps offset and validators: the same answer is read again", async () => {
  const { url, received } = await serve((_, response, n) => {
    response.writeHead(200, { etag: '"v"' }).end(n === 1 ? "<html>" : json(1));
  });
  const run = new PullRun(itemsOf(url));
  await run.pass(10_000);
  expect(run.errors).toEqual([expect.stringMatching(/JSON/)]);
  expect(received.map(conditions)).toEqual(Array(2).fill([undefined, undefined]));
  expect(run.seen.map(({ id }) => id)).toEqual(["item-1"]);
});

test("a body over the limit, an answer that breaks off and one that does not come are errors", async () => {
  const { url } = await serve((_, response, n) => {
    if (n === 1) response.end(`[${" ".repeat(2_000)}]`);
    else if (n === 2)
      response.writeHead(200, { "content-length": "1000" }).write("[", () => response.destroy());
    else if (n === 3) response.flushHeaders();
    else response.end(json(1));
  });
  const run = new PullRun(itemsOf(`${url}?key=secret`, { maxBytes: 1_000, timeout: 300 }));
  await run.pass(MINUTE / 2);
  expect(run.errors).toEqual([
    "source feed: the answer is over 1000 bytes; ask for less, or raise maxBytes",
    expect.stringMatching(/^source feed: the answer broke off: /),
    expect.stringMatching(/^source feed: the answer broke off: .*(timeout|abort)/i),
  ]);
  expect(run.seen).toHaveLength(1);
  expect(run.errors.join()).not.toContain("secret");
});

test("follows redirects, and takes headers from variables", async () => {
  const { url, received } = await serve((request, response) => {
    if (request.url === "/hook") response.writeHead(302, { location: "/moved" }).end();
    else response.end(json(1));
  });
  const options = { headers: { authorization: { env: "FEED_TOKEN" } } };
  const run = new PullRun(itemsOf(url, options), { env: { FEED_TOKEN: "Bearer 1" } });
  await run.now();
  expect(received.map((one) => [one.url, one.headers.authorization])).toEqual([
    ["/hook", "Bearer 1"],
    ["/moved", "Bearer 1"],
  ]);
  const unset = new PullRun(itemsOf(url, options));
  await unset.now();
  expect(unset.errors[0]).toMatch(/source feed: the variable FEED_TOKEN is not set/);
});

test("options that make no sense are plan errors", () => {
  const read = () => ({ events: [] });
  expect(() => poll("feed", { url: "feed.example", read })).toThrow(PlanError);
  expect(() => poll("feed", { url: "https://feed.example", read, maxBytes: 1e9 })).toThrow(
    /source feed: maxBytes/,
  );
  expect(() => poll("feed", { url: "https://feed.example", read, timeout: "soon" })).toThrow(
    /source feed: timeout/,
  );
});
