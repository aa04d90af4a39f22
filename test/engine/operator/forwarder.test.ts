/** Forwarder: what a batch holds for stages goes on under the identity that it came with, in messages that the queue takes. */
import { describe, expect, test } from "vitest";
import type { SealedSegment } from "../../../src/engine/envelope.ts";
import { openEnvelope, seal } from "../../../src/engine/envelope.ts";
import { Forwarder } from "../../../src/engine/operator/forwarder.ts";
import type { Message } from "../../../src/engine/operator/message.ts";
import { ProducerKind } from "../../../src/engine/segment.ts";
import { count, Job, planJobs, stage } from "../../../src/index.ts";
import { Nowhere, StrictQueue } from "../shard/support.ts";
import { NOW, P, Records } from "../support.ts";

/** Two stages and a counter behind one source, one more stage behind another. */
function planOf() {
  const job = new Job("job");
  const records = job.addSource(new Records("records"));
  records.keyBy(({ key }) => key).aggregate("counts", count(), { shards: 2 });
  for (const name of ["locate", "score"]) {
    records
      .applyOperator(stage<{ key: string }>({ name, apply: () => undefined }))
      .addSink(new Nowhere(`${name}-out`));
  }
  job
    .addSource(new Records("others"))
    .applyOperator(stage<{ key: string }>({ name: "other", apply: () => undefined }))
    .addSink(new Nowhere("other-out"));
  return planJobs([job]);
}
const plan = planOf();

const content = (text: string) => seal({ records: ["", [text, NOW, text], 1], dropped: 0, dead: [] });

function segmentFor(sequence: number, operators: readonly string[], text = `e${sequence}`): SealedSegment {
  return {
    producer: P,
    sequence,
    kind: ProducerKind.isolate,
    arrival: NOW,
    events: 1,
    before: sequence,
    parts: operators.map((operator) => ({
      operator,
      shards: operator === "counts" ? 2 : 1,
      byShard: [{ shard: 0, content: content(text) }],
    })),
  };
}

function message(
  segments: readonly SealedSegment[],
  more: { source?: string; fingerprint?: string } = {},
): Message {
  const envelope = { generation: 1, fingerprint: "f1", source: "records", segments, ...more };
  const delivery = {
    id: `${segments[0]?.sequence}`,
    body: "",
    attempts: 1,
    ack: () => expect.unreachable(),
    retry: () => expect.unreachable(),
  };
  return { delivery, envelope, segments };
}

class Bench {
  readonly queues = new Map<string, StrictQueue>();
  readonly failed: [id: string, error: string][] = [];
  readonly forwarder = new Forwarder(plan, ({ name }) => this.queue(name));

  queue(name: string): StrictQueue {
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = new StrictQueue();
      this.queues.set(name, queue);
    }
    return queue;
  }

  async forward(...messages: readonly Message[]): Promise<void> {
    await this.forwarder.forward(messages, ({ delivery }, error) =>
      this.failed.push([delivery.id, String(error)]),
    );
  }

  envelopes(name: string) {
    return this.queue(name).messages.map(openEnvelope);
  }

  /** The sequences that a stage was told, those without content in brackets. */
  told(name: string): string[] {
    return this.envelopes(name).map(({ segments }) =>
      segments.map(({ sequence, parts }) => (parts.length === 0 ? `(${sequence})` : `${sequence}`)).join(" "),
    );
  }
}

test("each stage gets its own parts of each segment, unread, under the same identity", async () => {
  const bench = new Bench();
  const segment = segmentFor(3, ["counts", "locate", "score"]);
  await bench.forward(message([segment]));
  for (const name of ["locate", "score"]) {
    expect(bench.envelopes(name)).toEqual([
      {
        generation: 1,
        fingerprint: "f1",
        source: "records",
        segments: [{ ...segment, parts: segment.parts.filter(({ operator }) => operator === name) }],
      },
    ]);
  }
  expect([bench.queues.has("other"), bench.failed]).toEqual([false, []]);
});

test("a batch's segments share messages, but not those of other sources or other plans", async () => {
  const bench = new Bench();
  await bench.forward(
    message([segmentFor(0, ["locate"]), segmentFor(1, ["locate"])]),
    message([segmentFor(2, ["locate"])]),
    message([segmentFor(3, ["locate"])], { fingerprint: "f2" }),
    message([segmentFor(4, ["other"])], { source: "others" }),
  );
  expect(bench.told("locate")).toEqual(["0 1 2", "3"]);
  expect(bench.envelopes("locate").map(({ fingerprint }) => fingerprint)).toEqual(["f1", "f2"]);
  expect([bench.told("other"), bench.told("score")]).toEqual([["4"], []]);
});

describe("segments that hold nothing for a stage", () => {
  test("travel along bare, with the batch or with the next one, once", async () => {
    const bench = new Bench();
    await bench.forward(message([segmentFor(0, ["counts"]), segmentFor(1, ["locate"]), segmentFor(2, [])]));
    expect([bench.told("locate"), bench.told("score")]).toEqual([["1 (0) (2)"], []]);
    await bench.forward(message([segmentFor(3, ["locate", "score"])]));
    expect([bench.told("locate"), bench.told("score")]).toEqual([["1 (0) (2)", "3"], ["3 (0) (1) (2)"]]);
  });

  test("are not told to a stage that their source does not feed, but one that it was routed to gets its part", async () => {
    const bench = new Bench();
    await bench.forward(message([segmentFor(0, []), segmentFor(1, ["locate"])], { source: "others" }));
    expect([bench.told("locate"), bench.told("other"), bench.told("score")]).toEqual([["1"], [], []]);
  });

  test("are bounded: what is more is a gap that stays open, never a message that is too large", async () => {
    const bench = new Bench();
    await bench.forward(message(Array.from({ length: 3_000 }, (_, n) => segmentFor(n, ["counts"]))));
    await bench.forward(message([segmentFor(5_000, ["locate"])]));
    const [told = ""] = bench.told("locate");
    expect(bench.failed).toEqual([]);
    expect(told.split(" ").length).toBeGreaterThan(100);
    expect(told.split(" ").length).toBeLessThan(300);
  });
});

describe("size", () => {
  test.each(["x", "漢", '"', "\\", "\u0001", "\ud83d\ude00"])(
    "messages and sends are what the queue takes, of %j",
    async (letter) => {
      const bench = new Bench();
      // Some of them as large as one can come: by itself it fitted a message.
      const unit = new TextEncoder().encode(JSON.stringify(JSON.stringify(letter))).length - 6;
      const lengths = Array.from({ length: 60 }, (_, n) => (n % 20 === 7 ? 120_000 : 500 + n * 200));
      const segments = lengths.map((bytes, n) =>
        segmentFor(n, ["locate"], letter.repeat(Math.floor(bytes / 2 / unit))),
      );
      await bench.forward(...segments.map((segment) => message([segment])));
      expect(bench.failed).toEqual([]);
      const sequences = bench.told("locate").flatMap((told) => told.split(" ").map(Number));
      expect(sequences).toEqual(lengths.map((_, n) => n));
      expect(bench.envelopes("locate").flatMap(({ segments: got }) => got)).toEqual(segments);
      // It does gather.
      expect(bench.told("locate").length).toBeLessThan(30);
    },
  );

  test("more messages than a send takes go in several", async () => {
    const bench = new Bench();
    const text = "x".repeat(29_000);
    await bench.forward(...Array.from({ length: 14 }, (_, n) => message([segmentFor(n, ["locate"], text)])));
    expect([bench.failed, bench.told("locate").length]).toEqual([[], 14]);
    expect(bench.queue("locate").sends.length).toBeGreaterThan(2);
  });
});

test("a queue that fails fails each message that has something for it, and no other", async () => {
  const bench = new Bench();
  bench.queue("locate").check = () => {
    throw new Error("queue down");
  };
  await bench.forward(
    message([segmentFor(0, ["locate"])]),
    message([segmentFor(1, ["score"])]),
    message([segmentFor(2, ["locate", "score"])]),
    message([segmentFor(3, ["counts"])]),
  );
  expect(bench.failed).toEqual([
    ["0", "Error: queue down"],
    ["2", "Error: queue down"],
  ]);
  expect(bench.told("score")).toEqual(["1 2 (0) (3)"]);
});

test("a batch that holds nothing for any stage sends nothing", async () => {
  const bench = new Bench();
  await bench.forward();
  await bench.forward(message([segmentFor(0, ["counts"])]));
  expect([...bench.queues.values()].flatMap(({ sends }) => sends)).toEqual([]);
});
