/** Compile-time promises of the sinks: platform bindings are what they take, and a sink takes what its stream has. */
import type { Queue, R2Bucket } from "@cloudflare/workers-types";
import { expectTypeOf, test } from "vitest";
import type { FileStore, MessageQueue, Stream } from "../../src/index.ts";
import { files, log, type MemoryFiles, webhook } from "../../src/index.ts";

declare const clicks: Stream<{ url: string }>;

test("bindings as they stand are what sinks write to", () => {
  expectTypeOf<R2Bucket>().toExtend<FileStore>();
  expectTypeOf<MemoryFiles>().toExtend<FileStore>();
  expectTypeOf<Queue>().toExtend<MessageQueue>();
});

test("a sink follows any stream; one for other data does not", () => {
  clicks.addSink(files("click-log"));
  clicks.addSink(log("debug", { format: ({ data }) => data.url }));
  // @ts-expect-error a secret is the name of a variable, never a text in the code
  webhook("alerts", { url: "https://example.com", secret: "whsec_AAAA" });
  // @ts-expect-error clicks have no price
  clicks.addSink(log("prices", { format: ({ data }: { data: { price: number } }) => `${data.price}` }));
});
