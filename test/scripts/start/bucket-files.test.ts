/** BucketFiles: the folder holds what the buckets hold, and nothing beside it. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BucketFiles } from "../../../scripts/start/bucket-files.ts";

function bucketOf(objects: Map<string, string>) {
  let reads = 0;
  return {
    list: async () => [...objects].map(([key, content]) => ({ key, etag: `etag of ${content}` })),
    read: async (key: string) => {
      reads++;
      return new TextEncoder().encode(objects.get(key));
    },
    get reads() {
      return reads;
    },
  };
}

function emptyFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "bucket-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, "files");
}

function contentOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map(({ parentPath, name }) => path.join(parentPath, name)).sort();
  return Object.fromEntries(paths.map((file) => [path.relative(folder, file), readFileSync(file, "utf8")]));
}

test("copies what is new or has changed, once, and removes what is gone", async () => {
  const folder = emptyFolder();
  mkdirSync(folder);
  writeFileSync(path.join(folder, "of-the-last-run"), "");
  const objects = new Map([
    ["log/2026/1.ndjson", "one"],
    ["log/2026/2.ndjson", "two"],
  ]);
  const bucket = bucketOf(objects);
  const files = new BucketFiles(folder, [bucket, bucketOf(new Map([["other", "bucket"]]))]);
  await files.copy();
  expect(contentOf(folder)).toEqual({
    "log/2026/1.ndjson": "one",
    "log/2026/2.ndjson": "two",
    other: "bucket",
  });
  await files.copy();
  expect(bucket.reads).toBe(2);
  objects.set("log/2026/1.ndjson", "erased").delete("log/2026/2.ndjson");
  await files.copy();
  expect(contentOf(folder)).toEqual({ "log/2026/1.ndjson": "erased", other: "bucket" });
  expect(bucket.reads).toBe(3);
});

test("writes nothing outside of its folder", async () => {
  const folder = emptyFolder();
  const names = ["../outside", "/absolute", "a/../../outside", "folder/", "inside"];
  await new BucketFiles(folder, [bucketOf(new Map(names.map((name) => [name, name])))]).copy();
  expect(contentOf(folder)).toEqual({ absolute: "/absolute", inside: "inside" });
  expect(existsSync(path.join(folder, "..", "outside"))).toBe(false);
});
