import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../scripts/send/batches.ts";
import type { Identity } from "../../../scripts/send/identity.ts";
import { Journal } from "../../../scripts/send/journal.ts";
import { temporaryFolder } from "./command.ts";

const identity: Identity = {
  endpoint: "http://localhost:8787/v1/sources/clicks",
  key: "secret",
  inputs: [{ path: "/logs/access.log", size: 100, mtimeMs: 1, head: "aa" }],
  settings: { format: "auto", batch: 500, replay: false },
};

const at = (byte: number) => ({ file: 0, byte, line: byte / 10 + 1 });

function batch(n: number): Batch {
  const rejects = [{ file: 0, line: n, error: "what" }];
  return {
    ...{
      from: at(n * 10),
      to: at(n * 10 + 10),
      body: "",
      hash: `hash-${n}`,
      events: 3,
      files: [],
      lines: [],
    },
    ...{ rejected: 1, rejects, last: false, read: 0 },
  };
}

const receipt = (ticket: string) => ({
  accepted: 2,
  refused: 1,
  rows: [{ file: 0, line: 9, error: "bad" }],
  ticket,
});
const fileIn = (folder: string) => path.join(folder, readdirSync(folder)[0] ?? "");

/** A journal of an unfinished send: 0 and 1 applied, 2 accepted, 3 cut. */
async function unfinished(folder: string): Promise<Journal> {
  const journal = await Journal.open(folder, identity, "auto");
  for (const n of [0, 1, 2, 3]) journal.cut(n, batch(n));
  for (const n of [1, 0, 2]) journal.answered(n, receipt(`ticket-${n}`));
  for (const n of [1, 0]) journal.applied(n);
  journal.close();
  return journal;
}

describe("a journal", () => {
  it("goes on under the same producer, with what was settled folded into counts", async () => {
    const folder = temporaryFolder();
    const { producer } = await unfinished(folder);
    const journal = await Journal.open(folder, identity, "must");
    expect(journal.producer).toBe(producer);
    expect(journal.resumed).toBe(true);
    const { known, ...past } = journal.past;
    expect(past).toMatchObject({ next: 2, start: at(20), applied: 4, rejected: 4 });
    expect(past.rejects).toHaveLength(4);
    expect([...known]).toMatchObject([
      [2, { cut: { hash: "hash-2" }, receipt: { ticket: "ticket-2" } }],
      [3, { cut: { hash: "hash-3" } }],
    ]);
    journal.finish();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("can be torn at any byte after its first line", async () => {
    const whole = temporaryFolder();
    const { producer } = await unfinished(whole);
    const name = path.basename(fileIn(whole));
    const bytes = readFileSync(fileIn(whole));
    for (let length = bytes.indexOf(10) + 1; length < bytes.length; length += 7) {
      const folder = temporaryFolder();
      writeFileSync(path.join(folder, name), bytes.subarray(0, length));
      const torn = await Journal.open(folder, identity, "auto");
      expect(torn.producer).toBe(producer);
      expect(torn.past.next).toBeLessThanOrEqual(2);
      expect(torn.past.start).toEqual(at(torn.past.next * 10));
      // What is written after the tear can be read again.
      for (const n of [0, 1, 2]) {
        torn.cut(n, batch(n));
        torn.answered(n, receipt("again"));
        torn.applied(n);
      }
      torn.close();
      const again = await Journal.open(folder, identity, "auto");
      expect(again.past).toMatchObject({ next: 3, start: at(30), applied: 6, rejected: 6 });
      again.close();
    }
  });

  it("ignores damage, since each record but the first can be made again", async () => {
    const folder = temporaryFolder();
    await unfinished(folder);
    appendFileSync(fileIn(folder), '\0\0\0\n{"applied":"x"}\n[]\nnull\n{"cut":7}\n');
    const journal = await Journal.open(folder, identity, "auto");
    expect(journal.past.next).toBe(2);
    journal.close();
    writeFileSync(fileIn(folder), "{");
    await expect(Journal.open(folder, identity, "auto")).rejects.toThrow(/damaged: use --fresh/);
  });

  it.each<[string, Partial<Identity>, RegExp]>([
    [
      "size",
      { inputs: [{ path: "/logs/access.log", size: 101, mtimeMs: 1, head: "aa" }] },
      /has changed since.*--fresh/,
    ],
    [
      "time",
      { inputs: [{ path: "/logs/access.log", size: 100, mtimeMs: 2, head: "aa" }] },
      /has changed since.*--fresh/,
    ],
    [
      "head",
      { inputs: [{ path: "/logs/access.log", size: 100, mtimeMs: 1, head: "ab" }] },
      /has changed since.*--fresh/,
    ],
    ["batch", { settings: { format: "auto", batch: 100, replay: false } }, /begun with --batch 500.*--fresh/],
    [
      "format",
      { settings: { format: "log", batch: 500, replay: false } },
      /begun with --format auto.*--fresh/,
    ],
    ["replay", { settings: { format: "auto", batch: 500, replay: true } }, /begun without --replay.*--fresh/],
    ["key", { key: "other" }, /begun with another key.*--fresh/],
  ])("is not used for another %s", async (_, change, message) => {
    const folder = temporaryFolder();
    const { producer } = await unfinished(folder);
    await expect(Journal.open(folder, { ...identity, ...change }, "auto")).rejects.toThrow(message);
    const fresh = await Journal.open(folder, { ...identity, ...change }, "never");
    expect(fresh.producer).not.toBe(producer);
    expect(fresh.past.next).toBe(0);
    fresh.close();
  });

  it("is refused when it is older than the server's memory", async () => {
    const folder = temporaryFolder();
    await unfinished(folder);
    const old = readFileSync(fileIn(folder), "utf8").replace(
      /"created":"[^"]*"/,
      '"created":"2020-01-01T00:00:00Z"',
    );
    writeFileSync(fileIn(folder), old);
    await expect(Journal.open(folder, identity, "auto")).rejects.toThrow(
      /longer ago than the server remembers/,
    );
  });

  it("does not show the key, and is separate for each destination and input", async () => {
    const folder = temporaryFolder();
    await unfinished(folder);
    expect(readFileSync(fileIn(folder), "utf8")).not.toContain("secret");
    const other = { ...identity, endpoint: "http://localhost:8787/v1/sources/other" };
    await expect(Journal.open(folder, other, "must")).rejects.toThrow(/nothing to resume/);
  });
});
