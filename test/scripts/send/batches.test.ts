import { writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Batch, cutBatches, MAX_PACKED_BYTES } from "../../../scripts/send/batches.ts";
import {
  type Line,
  MAX_LINE_BYTES,
  openInput,
  type Position,
  readLines,
  START,
} from "../../../scripts/send/input.ts";
import { accessLog, seeded, temporaryFolder } from "./command.ts";

/** Writes files into a new folder and cuts them; `from` as if resumed there. */
async function cut(files: Record<string, string | Buffer>, batch: number, from = START): Promise<Batch[]> {
  const folder = temporaryFolder();
  const names = Object.keys(files);
  for (const name of names) writeFileSync(path.join(folder, name), files[name] ?? "");
  const inputs = await Promise.all(names.map((name) => openInput(name, folder)));
  const meter = { bytes: 0 };
  const end = { file: inputs.length, byte: 0, line: 1 };
  return all(cutBatches(readLines(inputs, from, meter), { format: "auto", batch }, from, end, meter));
}

async function all(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const list: Batch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
}

const urlsOf = (batch: Batch | undefined) => batch?.body.split("\n").map((line) => JSON.parse(line).url);

describe("the cut into batches", () => {
  it("goes across files and knows each event's line", async () => {
    const batches = await cut({ "a.txt": "/1\n\nwhat\n/2\n/3", "b.txt": "", "c.txt": "/4\r\nwhat\n" }, 2);
    expect(batches.map(urlsOf)).toEqual([
      ["/1", "/2"],
      ["/3", "/4"],
    ]);
    expect(batches.map(({ files, lines }) => [files, lines])).toEqual([
      [
        [0, 0],
        [1, 4],
      ],
      [
        [0, 2],
        [5, 1],
      ],
    ]);
    expect(batches.map(({ rejects }) => rejects.map(({ file, line }) => [file, line]))).toEqual([
      [[0, 3]],
      [[2, 2]],
    ]);
    expect(batches.map(({ last }) => last)).toEqual([false, true]);
  });

  it("is the same from any batch on, plain or compressed", async () => {
    const { text } = accessLog(700, 30, seeded(5));
    const odd = text.replaceAll("/page-1?", "/p\u00e4ge-1?").replaceAll(':00 +0000] "GET', ':00 +0000] "');
    const plain = { "a.log": odd, "b.log": odd };
    const packed = { "a.gz": gzipSync(odd), "b.gz": gzipSync(odd) };
    const whole = await cut(plain, 64);
    const bare = ({ read, ...batch }: Batch) => batch;
    expect((await cut(packed, 64)).map(bare)).toEqual(whole.map(bare));
    for (const n of [1, 7, whole.length - 1]) {
      const rest = whole.slice(n).map(bare);
      expect((await cut(plain, 64, whole[n]?.from)).map(bare)).toEqual(rest);
      expect((await cut(packed, 64, whole[n]?.from)).map(bare)).toEqual(rest);
    }
    expect(await cut(plain, 64, whole.at(-1)?.to)).toEqual([]);
  });

  it("does not depend on how the input arrives", async () => {
    const { text } = accessLog(50, 5, seeded(6));
    const lines = text.split("\n");
    let byte = 0;
    const positions: Line[] = lines.slice(0, -1).map((line, i) => {
      const at = { file: 0, byte, line: i + 1, bytes: Buffer.from(line) };
      byte += line.length + 1;
      return at;
    });
    async function* chunks(size: number) {
      for (let i = 0; i < positions.length; i += size) yield positions.slice(i, i + size);
    }
    const end: Position = { file: 1, byte: 0, line: 1 };
    const settings = { format: "auto", batch: 7 } as const;
    const [file] = [await cut({ "a.log": text }, 7)];
    for (const size of [1, 3, 50]) {
      const batches = await all(cutBatches(chunks(size), settings, START, end, { bytes: 0 }));
      expect(batches.map(({ hash }) => hash)).toEqual(file?.map(({ hash }) => hash));
    }
  });

  it("keeps a request's packed keys under their limit", async () => {
    const text = Array.from({ length: 100 }, (_, i) => `/${"x".repeat(3_000)}${i}`).join("\n");
    const batches = await cut({ "a.txt": text }, 500);
    expect(batches.flatMap(urlsOf)).toHaveLength(100);
    for (const { body } of batches) expect(body.length).toBeLessThan(MAX_PACKED_BYTES + 16 * 20);
  });

  it("passes over a line that is too long without keeping it", async () => {
    const long = "y".repeat(MAX_LINE_BYTES + 1);
    const [batch] = await cut({ "a.txt": `/1\n${long}${long}\n/2\n${long}` }, 500);
    expect(urlsOf(batch)).toEqual(["/1", "/2"]);
    expect(batch?.rejects.map(({ line }) => line)).toEqual([2, 4]);
  });

  it("has no request for an input without an event", async () => {
    expect(await cut({ "a.txt": "" }, 5)).toEqual([]);
    expect(await cut({ "a.txt": "\n\n" }, 5)).toEqual([]);
    expect(await cut({ "a.txt": "what\n" }, 5)).toMatchObject([{ events: 0, rejected: 1, last: true }]);
  });
});
