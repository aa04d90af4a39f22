/** MeteredEnv: the bindings that sinks and pull sources may use, with what they do in buckets and queues counted. */
import type { Usage } from "../engine/usage.ts";
import { unitsOf } from "./batch-usage.ts";
import { isBucket, meteredBucket } from "./metered-bucket.ts";

type Count = (usage: Usage) => void;

export function meteredEnv(env: object, count: Count): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(env).map(([name, binding]: [string, unknown]) => {
      if (isBucket(binding)) {
        return [name, meteredBucket(binding, (operation) => count({ [`r2${operation}`]: 1 }))];
      }
      if (typeof binding === "object" && binding !== null && "sendBatch" in binding)
        return [name, meteredQueue(binding, (queue) => count({ queue }))];
      return [name, binding];
    }),
  );
}

/**
 * A queue that tells of the operations that sending takes: to write is all that is counted, since somebody else reads.
 *
 * @param count given the operations of a message.
 */
export function meteredQueue(queue: object, count: (operations: number) => void): object {
  const sent = (body: unknown) => count(unitsOf(body));
  return new Proxy(queue, {
    get(_, name: string) {
      const value: unknown = Reflect.get(queue, name, queue);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (name === "send") sent(args[0]);
        if (name !== "sendBatch") return value.apply(queue, args);
        const [given, ...options] = args;
        // It may be one that can be gone through only once.
        const messages = [...(given as Iterable<{ readonly body: unknown }>)];
        for (const { body } of messages) sent(body);
        return value.call(queue, messages, ...options);
      };
    },
  });
}
