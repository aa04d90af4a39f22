import { expect, test } from "vitest";
import {
  CONTROL_BINDING,
  CONTROL_HEADER,
  type Handler,
  withLedger,
  withValve,
} from "../../../scripts/local/instruments.ts";

const env = { [CONTROL_BINDING]: "secret" };

async function control(handler: Handler, path = "/", secret = "secret"): Promise<unknown> {
  const request = new Request(`http://local${path}`, { headers: { [CONTROL_HEADER]: secret } });
  return (await handler.fetch?.(request, env, {}))?.json();
}

test("a closed valve refuses events and nothing else, and knows what is still being answered", async () => {
  const answer = Promise.withResolvers<Response>();
  const handler = withValve({
    fetch: ({ method }) => (method === "POST" ? answer.promise : Response.json("read")),
  });
  const post = () => handler.fetch?.(new Request("http://x/v1/sources/clicks", { method: "POST" }), env, {});
  const first = post();
  expect(await control(handler, "/close")).toEqual({ open: false, inFlight: 1 });
  const refused = await post();
  expect(refused?.status).toBe(503);
  expect(refused?.headers.get("retry-after")).toBe("5");
  expect(await refused?.json()).toMatchObject({ outcome: "none" });
  expect(await control(handler, "/close", "a guess")).toBe("read");
  answer.resolve(new Response(null, { status: 202 }));
  expect((await first)?.status).toBe(202);
  expect(await control(handler)).toEqual({ open: false, inFlight: 0 });
});

test("the ledger holds a message until it is acknowledged", async () => {
  const calls: string[] = [];
  const batch = (...ids: string[]) => ({
    queue: "q",
    messages: ids.map((id) => ({
      id,
      timestamp: new Date(0),
      body: id,
      attempts: 1,
      ack: () => void calls.push(`ack ${id}`),
      retry: () => void calls.push(`retry ${id}`),
    })),
    ackAll: () => void calls.push("ack all"),
    retryAll: () => void calls.push("retry all"),
  });
  const handler = withLedger({
    queue({ messages }) {
      if (messages.length > 3) throw new Error("all of it");
      for (const message of messages) {
        if (message.body === "bad" && !calls.includes("retry bad")) message.retry({ delaySeconds: 9 });
        else if (message.body !== "silent") message.ack();
      }
    },
  });
  await handler.queue?.(batch("good", "bad", "silent"), env, {});
  expect(calls).toEqual(["ack good", "retry bad"]);
  expect(await control(handler)).toEqual({ backlog: 0, unsettled: 1 });
  await handler.queue?.(batch("bad"), env, {});
  expect(await control(handler)).toEqual({ backlog: 0, unsettled: 0 });
  await expect(async () => await handler.queue?.(batch("a", "b", "c", "d"), env, {})).rejects.toThrow();
  expect(await control(handler)).toEqual({ backlog: 0, unsettled: 4 });
});
