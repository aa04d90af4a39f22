/** MeteredEnv: what sinks do in buckets and queues is counted, and everything else is as it was. */
import { expect, test } from "vitest";
import { meteredEnv } from "../../src/cloudflare/metered-env.ts";
import type { Usage } from "../../src/engine/usage.ts";
import { sumOf } from "../../src/engine/usage.ts";

interface Message {
  readonly body: unknown;
}

class Queue {
  readonly sent: unknown[] = [];
  async send(body: unknown): Promise<void> {
    this.sent.push(body);
  }
  async sendBatch(messages: Iterable<Message>): Promise<void> {
    for (const { body } of messages) this.sent.push(body);
  }
}

class Bucket {
  createMultipartUpload(): void {}
  async put(key: string): Promise<string> {
    return key;
  }
  async head(key: string): Promise<string> {
    return key;
  }
}

function metered(env: object) {
  let used: Usage = {};
  const wrapped = meteredEnv(env, (usage) => {
    used = sumOf(used, usage);
  });
  return { wrapped, used: () => used };
}

test("each message to a queue is an operation per 64 KB, and is sent", async () => {
  const own = new Queue();
  const { wrapped, used } = metered({ BILLING: own });
  const queue = wrapped.BILLING as Queue;
  await queue.send({ text: "x" });
  await queue.sendBatch([{ body: "a" }, { body: { text: "x".repeat(64_000) } }]);
  // One that can be gone through only once.
  await queue.sendBatch([{ body: "b" }].values());
  expect(own.sent).toHaveLength(4);
  expect(used()).toEqual({ queue: 5 });
});

test("operations of a bucket are counted by class", async () => {
  const { wrapped, used } = metered({ FILES: new Bucket() });
  const bucket = wrapped.FILES as Bucket;
  expect([await bucket.put("a"), await bucket.head("b")]).toEqual(["a", "b"]);
  expect(used()).toEqual({ r2a: 1, r2b: 1 });
});

test("variables and other bindings are handed on as they are", () => {
  const service = { fetch: () => undefined };
  const { wrapped } = metered({ TOKEN: "secret", SERVICE: service, NOTHING: null });
  expect(wrapped).toEqual({ TOKEN: "secret", SERVICE: service, NOTHING: null });
  expect(wrapped.SERVICE).toBe(service);
});
