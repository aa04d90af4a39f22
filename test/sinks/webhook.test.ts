/** webhook: what a real server receives, signatures checked by hand, and what becomes of every kind of answer. */
import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { PlanError, webhook } from "../../src/index.ts";
import type { Received } from "./support.ts";
import { clicksOf, SinkRun, START, serve } from "./support.ts";

const SECRET = randomBytes(32);
const ALERTS_SECRET = `whsec_${SECRET.toString("base64")}`;

function signatureOf({ headers, body }: Received, secret: Buffer): string {
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  return `v1,${createHmac("sha256", secret).update(content).digest("base64")}`;
}

const ok = serve.bind(undefined, (_received, response) => void response.end());

test("posts what came as one batch, with the specification's headers", async () => {
  const { url, received } = await ok();
  const sink = webhook("alerts", {
    url,
    secret: { env: "ALERTS_SECRET" },
    headers: { authorization: { env: "TOKEN" }, "x-from": "tests" },
    clock: { now: () => START },
    batchTime: "1 second",
  });
  const run = new SinkRun(sink, { env: { ALERTS_SECRET, TOKEN: "Bearer 1" }, keyed: true });
  await run.send(clicksOf(2));
  expect(received).toEqual([]);
  await run.settle();
  expect(run.errors).toEqual([]);
  expect(received).toHaveLength(1);
  const [one] = received as [Received];
  expect(one).toMatchObject({
    method: "POST",
    url: "/hook",
    headers: {
      "content-type": "application/json",
      authorization: "Bearer 1",
      "x-from": "tests",
      "idempotency-key": "alerts/0/1",
      "webhook-id": "alerts/0/1",
      "webhook-timestamp": String(START / 1000),
      "webhook-signature": signatureOf(one, SECRET),
    },
  });
  expect(JSON.parse(one.body)).toEqual({
    id: "alerts/0/1",
    sink: "alerts",
    events: [0, 1].map((n) => ({
      id: expect.stringMatching(/./),
      time: "2026-11-26T08:15:30.000Z",
      key: `user-${n}`,
      data: { user: `user-${n}`, url: `/${n}` },
    })),
  });
});

test("signs with each of two secrets while one replaces the other, and not at all without one", async () => {
  const { url, received } = await ok();
  const old = randomBytes(24);
  const env = { BOTH: `${ALERTS_SECRET} whsec_${old.toString("base64")}` };
  await new SinkRun(webhook("alerts", { url, secret: { env: "BOTH" } }), { env }).send(clicksOf(1));
  await new SinkRun(webhook("alerts", { url })).send(clicksOf(1));
  const [both, none] = received as [Received, Received];
  expect(both.headers["webhook-signature"]).toBe(`${signatureOf(both, SECRET)} ${signatureOf(both, old)}`);
  expect(none.headers).not.toHaveProperty("webhook-signature");
  // The clock is the real one where no other is given: receivers refuse what is minutes off.
  expect(Math.abs(Number(both.headers["webhook-timestamp"]) - Date.now() / 1000)).toBeLessThan(120);
});

test("sends batches of a hundred, in order, one after the other", async () => {
  const { url, received } = await ok();
  const run = new SinkRun(webhook("alerts", { url, batchTime: "1 second" }));
  await run.send(clicksOf(250));
  await run.settle();
  const bodies = received.map(({ body }) => JSON.parse(body));
  expect(bodies.map(({ id, events }) => [id, events.length])).toEqual([
    ["alerts/0/1", 100],
    ["alerts/0/2", 100],
    ["alerts/0/3", 50],
  ]);
  expect(bodies.flatMap(({ events }) => events).map(({ data }) => data.url)).toEqual(
    clicksOf(250).map(({ url }) => url),
  );
});

describe("an answer that may change", () => {
  test.each([408, 425, 429, 500, 502, 503, 302, 307])(
    "%i: the same id and bytes again, until they are taken",
    async (status) => {
      const { url, received } = await serve((_, response, n) => {
        response.writeHead(n < 3 ? status : 204, { location: "/elsewhere" }).end();
      });
      const run = new SinkRun(webhook("alerts", { url, clock: { now: () => START } }));
      await run.send(clicksOf(2));
      await run.send(clicksOf(2));
      expect(received).toHaveLength(1);
      await run.settle();
      expect(run.errors).toEqual(Array(2).fill(`sink alerts: ${url} answered ${status}`));
      const [first, second, third, next] = received;
      expect([second, third]).toEqual([first, first]);
      expect(next?.headers["webhook-id"]).toBe("alerts/0/2");
      expect(received).toHaveLength(4);
      expect(run.starter.deadLetters()).toEqual([]);
    },
  );

  test.each([
    ["seconds", "120", 120_000],
    ["a date", new Date(START + 90_000).toUTCString(), 90_000],
    ["nonsense", "later", 1_000],
    ["a week, which is cut to an hour", "604800", 3_600_000],
  ])("Retry-After in %s is kept to", async (_what, retryAfter, wait) => {
    const { url, received } = await serve((_, response, n) => {
      response.writeHead(n === 1 ? 429 : 200, { "retry-after": retryAfter }).end();
    });
    const run = new SinkRun(webhook("alerts", { url, clock: { now: () => START } }));
    await run.send(clicksOf(1));
    await run.pass(wait - 1);
    expect(received).toHaveLength(1);
    await run.pass(1);
    expect(received).toHaveLength(2);
  });

  test("a broken connection, and an answer that does not come in time", async () => {
    const { url, received } = await serve((_, response, n) => {
      if (n === 1) response.destroy();
      if (n > 2) response.end();
    });
    const run = new SinkRun(webhook("alerts", { url: `${url}?token=secret`, timeout: 200 }));
    await run.send(clicksOf(1));
    await run.settle();
    expect(received.map(({ headers }) => headers["webhook-id"])).toEqual(Array(3).fill("alerts/0/1"));
    expect(run.errors).toEqual([
      expect.stringMatching(/^sink alerts: http:.*\/hook could not be reached: /),
      `sink alerts: ${url} could not be reached: no answer within 200 ms`,
    ]);
  });
});

test.each([400, 401, 404, 410, 413, 422])(
  "%i: the batch's events are dead letters, and the next batch is sent",
  async (status) => {
    const { url, received } = await serve((_, response, n) => {
      response.writeHead(n === 1 ? status : 200).end("x".repeat(5_000));
    });
    const run = new SinkRun(webhook("alerts", { url, batchTime: "1 second" }));
    await run.send(clicksOf(2));
    await run.settle();
    await run.send([{ user: "next", url: "/next" }]);
    await run.settle();
    expect(received).toHaveLength(2);
    expect(run.errors).toEqual([]);
    expect(
      run.starter
        .deadLetters()
        .map(({ operator, source, error, n, event }) => [operator, source, error, n, event?.data]),
    ).toEqual(
      clicksOf(2).map((click) => [
        "alerts",
        "clicks",
        // A long answer is neither read to its end nor kept.
        `the receiver answered ${status}`,
        0,
        click,
      ]),
    );
    expect(run.starter.shards.shard("alerts", 0).counters.sink).toMatchObject({ delivered: 1 });
  },
);

test("what the receiver says of a batch that it refuses is in the letter", async () => {
  const { url } = await serve((_, response) => void response.writeHead(422).end("events: too many"));
  const run = new SinkRun(webhook("alerts", { url }));
  await run.send(clicksOf(1));
  expect(run.starter.deadLetters().map(({ error }) => error)).toEqual([
    "the receiver answered 422: events: too many",
  ]);
});

test("address and secret may be variables; without them nothing is sent, and the error says how to set them", async () => {
  const { url, received } = await ok();
  const sink = () => webhook("alerts", { url: { env: "ALERTS_URL" }, secret: { env: "ALERTS_SECRET" } });
  await new SinkRun(sink(), { env: { ALERTS_URL: url, ALERTS_SECRET } }).send(clicksOf(1));
  expect(received).toHaveLength(1);
  const unset = new SinkRun(sink(), { env: { ALERTS_URL: url } });
  await unset.send(clicksOf(1));
  expect(unset.errors[0]).toMatch(/ALERTS_SECRET is not set; run "wrangler secret put ALERTS_SECRET"/);
  const wrong = new SinkRun(sink(), { env: { ALERTS_URL: url, ALERTS_SECRET: "whsec_not base64!" } });
  await wrong.send(clicksOf(1));
  expect(wrong.errors[0]).toMatch(/sink alerts: the secret is not base64/);
  expect(wrong.errors[0]).not.toContain("not base64!");
  expect(received).toHaveLength(1);
});

test("an address or a timeout that is none is a plan error", () => {
  expect(() => webhook("alerts", { url: "example.com/hook" })).toThrow(PlanError);
  expect(() => webhook("alerts", { url: "file:///etc/passwd" })).toThrow(/sink alerts: .* is not a URL/);
  expect(() => webhook("alerts", { url: "https://example.com", timeout: "soon" })).toThrow(
    /sink alerts: timeout/,
  );
});
