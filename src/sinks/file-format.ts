/** FileFormat: the content of the file sink's files: an event a line, gzipped or not. */
import type { Event } from "../event.ts";
import type { EventJson } from "./event-json.ts";
import { fromEventJson, toEventJson } from "./event-json.ts";

export const FILE_TYPE = "application/x-ndjson";

/** The same events give the same bytes, for one version of the platform's compressor. */
export async function encodeFile(events: readonly Event<unknown>[], compress: boolean): Promise<Uint8Array> {
  const lines = events.map((event) => `${JSON.stringify(toEventJson(event))}\n`).join("");
  const { body } = new Response(lines);
  if (!compress || body === null) return new TextEncoder().encode(lines);
  const packed = new Response(body.pipeThrough(new CompressionStream("gzip")));
  return new Uint8Array(await packed.arrayBuffer());
}

/** The events of a file; what it holds says whether it is compressed. @throws when it is no such file. */
export async function decodeFile<T>(file: ArrayBuffer): Promise<Event<T>[]> {
  const bytes = isGzip(file) ? await inflated(file) : file;
  const lines = new TextDecoder().decode(bytes).split("\n");
  return lines.filter((line) => line !== "").map((line) => fromEventJson(JSON.parse(line) as EventJson<T>));
}

export function isGzip(file: ArrayBuffer): boolean {
  const [first, second] = new Uint8Array(file);
  return first === 0x1f && second === 0x8b;
}

async function inflated(file: ArrayBuffer): Promise<ArrayBuffer> {
  const { body } = new Response(new Uint8Array(file));
  if (body === null) return file;
  return new Response(body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
