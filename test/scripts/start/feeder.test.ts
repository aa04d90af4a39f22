import { expect, onTestFinished, test } from "vitest";
import { Feeder } from "../../../scripts/start/feeder.ts";
import { seeded } from "../send/command.ts";
import { FakeServer } from "../send/fake-server.ts";

async function feed(prepare: (server: FakeServer) => void = () => {}) {
  const server = new FakeServer(seeded(7));
  await server.listen();
  onTestFinished(() => server.close());
  prepare(server);
  const seen = { accepted: [] as string[], rejected: [] as string[], applied: [] as string[], relieved: 0 };
  const feeder = new Feeder({
    server: server.url,
    source: "clicks",
    onAccepted: (lines) => seen.accepted.push(...lines),
    onRejected: (line, error) => seen.rejected.push(`${line}: ${error}`),
    onApplied: (lines) => seen.applied.push(...lines),
    onNotice: () => {},
    onRelief: () => seen.relieved++,
  });
  onTestFinished(() => feeder.abort());
  return { server, feeder, seen };
}

const line = (i: number) => `{"url":"/page-${i % 7}"}`;

test("sends what comes together as one request, and says what became of each line", async () => {
  const { server, feeder, seen } = await feed();
  for (const url of ["/a", "/bad", "/b"]) feeder.add(JSON.stringify({ url }));
  await feeder.settle();
  expect(seen.accepted).toEqual(['{"url":"/a"}', '{"url":"/b"}']);
  expect(seen.applied).toEqual(seen.accepted);
  expect(seen.rejected).toEqual(['{"url":"/bad"}: url: bad']);
  expect(server.seen.filter(({ method }) => method === "POST")).toHaveLength(1);
});

test("sends text as a JSON string", async () => {
  const { server, feeder } = await feed((it) => {
    it.override = ({ method }, response) => {
      if (method === "POST") response.writeHead(400).end('{"rejected":[{"index":0,"error":"no"}]}');
      return method === "POST";
    };
  });
  feeder.add('say "hi"');
  feeder.add("{no json");
  await feeder.settle();
  expect(server.seen[0]?.body).toBe('"say \\"hi\\""\n"{no json"');
});

test("counts each line once, whatever is lost on the way", async () => {
  const { server, feeder, seen } = await feed((it) => {
    it.faults = { loseAnswer: 0.1, drop: 0.1, tooMany: 0, unavailable: 0.1 };
  });
  for (let i = 0; i < 3_000; i++) feeder.add(line(i));
  await feeder.settle();
  expect(seen.applied).toHaveLength(3_000);
  expect([...server.views.values()].reduce((sum, count) => sum + count)).toBe(3_000);
  expect(server.violations).toEqual([]);
}, 30_000);

test("holds its input back while the server does, and asks for nothing when nothing happens", async () => {
  const { server, feeder, seen } = await feed((it) => {
    it.delay = 5;
  });
  let added = 0;
  while (!feeder.isFull) feeder.add(line(added++));
  expect(added).toBe(20_000);
  await feeder.settle();
  expect(seen.relieved).toBe(1);
  expect(feeder.isFull).toBe(false);
  const requests = server.seen.length;
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(server.seen).toHaveLength(requests);
}, 30_000);

test("goes on as another producer when its own is refused", async () => {
  const { server, feeder, seen } = await feed((it) => {
    it.override = ({ method }, response) => {
      if (method !== "POST" || it.producers.size > 1) return false;
      response.writeHead(409).end('{"detail":"The sequence is too far ahead."}');
      return true;
    };
  });
  feeder.add(line(0));
  await feeder.settle();
  expect(seen.applied).toEqual([line(0)]);
  expect(server.producers.size).toBe(2);
});
