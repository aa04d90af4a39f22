/** Live views: a snapshot, then what has changed, of keys and of windows. */
import { afterEach, expect, test } from "vitest";
import { Job, planJobs, sum, tumbling } from "../../src/index.ts";
import type { Item } from "./deployment.ts";
import { Deployment, ItemReader } from "./deployment.ts";

interface Heard {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A viewer who reads one event after the other. */
class Viewer {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(response: Response) {
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    expect(response.headers.get("cache-control")).toBe("no-store");
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  /** The next event; comments are passed over. */
  async next(): Promise<Heard> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end === -1) {
        const { value, done } = await this.#reader.read();
        if (done) throw new Error("the stream has ended");
        this.#text += this.#decoder.decode(value, { stream: true });
        continue;
      }
      const block = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      if (block.startsWith(":")) continue;
      const [, event = "", data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      return { event, data: JSON.parse(data) as Record<string, unknown> };
    }
  }

  async leave(): Promise<void> {
    await this.#reader.cancel();
  }
}

let viewer: Viewer | undefined;
afterEach(() => viewer?.leave());

test("a keyed view: the top, as it changes", async () => {
  const deployment = new Deployment();
  await deployment.send("clicks", ["a", "a", "b"]);
  await deployment.apply("clicks");
  viewer = new Viewer(await deployment.request("/v1/views/counts/live?top=2"));
  expect(await viewer.next()).toEqual({
    event: "snapshot",
    data: {
      view: "counts",
      entries: [
        { key: "a", value: 2 },
        { key: "b", value: 1 },
      ],
    },
  });
  await deployment.send("clicks", ["c", "c", "c"]);
  await deployment.apply("clicks");
  expect(await viewer.next()).toEqual({
    event: "change",
    data: { view: "counts", entries: [{ key: "c", value: 3 }], gone: [{ key: "b" }] },
  });
});

test("one key, from before it is there; hostile text stays text; a shard that fails is told, and the stream goes on", async () => {
  const deployment = new Deployment();
  const key = "x\n\nevent: fake <b>";
  viewer = new Viewer(await deployment.request(`/v1/views/counts/live?key=${encodeURIComponent(key)}`));
  expect(await viewer.next()).toEqual({ event: "snapshot", data: { view: "counts", entries: [] } });
  await deployment.send("clicks", [key]);
  await deployment.apply("clicks");
  expect(await viewer.next()).toMatchObject({ event: "change", data: { entries: [{ key, value: 1 }] } });
  for (const shard of [0, 1, 2]) deployment.down.add(`counts/${shard}`);
  expect(await viewer.next()).toMatchObject({
    event: "problem",
    data: { detail: expect.stringContaining("out of order") },
  });
  deployment.down.clear();
  await deployment.send("clicks", [key]);
  await deployment.apply("clicks");
  for (let heard = await viewer.next(); ; heard = await viewer.next()) {
    if (heard.event === "problem") continue;
    expect(heard).toMatchObject({ event: "change", data: { entries: [{ key, value: 2 }] } });
    break;
  }
});

test("a view of windows: counts that grow, and windows that become final", async () => {
  const job = new Job("live");
  job
    .addSource(new ItemReader("items"))
    .keyBy(({ key }) => key)
    .window(tumbling("1 minute"))
    .aggregate(
      "per-minute",
      sum<Item>(({ n = 1 }) => n),
    );
  const deployment = new Deployment(planJobs([job], { generation: 7 }));
  await deployment.send("items", [{ key: "a" }]);
  await deployment.apply("items");
  viewer = new Viewer(await deployment.request("/v1/views/per-minute/live?key=a"));
  const start = new Date(deployment.clock.now()).toISOString();
  expect(await viewer.next()).toMatchObject({
    event: "snapshot",
    data: { entries: [{ key: "a", window: { start }, value: 1, final: false }] },
  });
  await deployment.send("items", [{ key: "a" }, { key: "b" }]);
  await deployment.apply("items");
  expect(await viewer.next()).toMatchObject({
    event: "change",
    data: { entries: [{ key: "a", value: 2, final: false }], gone: [] },
  });
  deployment.clock.advance(70_000);
  await deployment.shards.watermarks.run();
  expect(await viewer.next()).toMatchObject({
    event: "change",
    data: { entries: [{ key: "a", value: 2, final: true }] },
  });
});
