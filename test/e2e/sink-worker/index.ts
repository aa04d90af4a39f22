/** The sink Worker: lets a test use the shipped sinks and pull sources inside workerd, on real bindings. */
import type { FileStore, PullRequest, SinkBatch } from "../../../src/index.ts";
import { cron, eraseKey, files, poll, queueSink, readFiles, webhook } from "../../../src/index.ts";

interface Env extends Readonly<Record<string, unknown>> {
  readonly FILES: FileStore;
  /** Where the test listens. */
  readonly TEST_URL: string;
}

type Asked =
  | { readonly what: "files" | "queue" | "webhook"; readonly batch: SinkBatch<unknown> }
  | { readonly what: "erase"; readonly key: string }
  | { readonly what: "read" }
  | { readonly what: "poll"; readonly offset?: PullRequest<never>["offset"] }
  | { readonly what: "cron"; readonly from: number; readonly to: number };

async function answer(asked: Asked, env: Env): Promise<unknown> {
  const { TEST_URL: url } = env;
  const pull = { limit: 1000, env };
  switch (asked.what) {
    case "files":
    case "queue":
    case "webhook": {
      const sink = {
        files: () => files("log"),
        queue: () => queueSink("to-billing", { binding: "BILLING" }),
        webhook: () => webhook("alerts", { url, secret: { env: "ALERTS_SECRET" } }),
      }[asked.what]();
      const rejected: string[] = [];
      const reject = ({ id }: { id: string }) => void rejected.push(id);
      await sink.write(asked.batch, { env, reject });
      return { rejected };
    }
    case "erase":
      return eraseKey(env.FILES, "log", asked.key);
    case "read": {
      const events: unknown[] = [];
      for await (const event of readFiles(env.FILES, "log/")) events.push(event);
      return events;
    }
    case "poll": {
      const source = poll("feed", { url, read: ({ text }) => ({ events: [{ data: text }] }) });
      return source.getEvents({ ...pull, offset: asked.offset, now: 0 });
    }
    case "cron": {
      const source = cron("c", "30 2 * * *", (time) => time, { timezone: "Europe/Berlin" });
      return source.getEvents({ ...pull, offset: asked.from, now: asked.to });
    }
  }
}

// biome-ignore lint/style/noDefaultExport: a Worker's entry has to.
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    return Response.json(await answer((await request.json()) as Asked, env));
  },

  async queue({ messages }: { messages: readonly { body: unknown }[] }, env: Env): Promise<void> {
    const body = JSON.stringify(messages.map((message) => message.body));
    await fetch(env.TEST_URL, { method: "PUT", body });
  },
};
