/** MeteredBucket: every operation by its class, also in an upload's parts, and those that fail. */
import { expect, test } from "vitest";
import type { R2Class } from "../../src/cloudflare/metered-bucket.ts";
import { isBucket, meteredBucket } from "../../src/cloudflare/metered-bucket.ts";

class Upload {
  readonly parts: string[] = [];
  async uploadPart(_n: number, text: string): Promise<void> {
    this.parts.push(text);
  }
  async complete(): Promise<string> {
    return this.parts.join("");
  }
  async abort(): Promise<void> {}
}

class Bucket {
  readonly name = "files";
  readonly #there = new Map<string, string>();
  async put(key: string, text: string): Promise<null> {
    if (key === "") throw new Error("no key");
    this.#there.set(key, text);
    return null;
  }
  async get(key: string): Promise<string | undefined> {
    return this.#there.get(key);
  }
  async head(key: string): Promise<boolean> {
    return this.#there.has(key);
  }
  async list(): Promise<string[]> {
    return [...this.#there.keys()];
  }
  async delete(key: string): Promise<void> {
    this.#there.delete(key);
  }
  async createMultipartUpload(): Promise<Upload> {
    return new Upload();
  }
  resumeMultipartUpload(): Upload {
    return new Upload();
  }
}

function metered(): { bucket: Bucket; counted: R2Class[] } {
  const counted: R2Class[] = [];
  return { bucket: meteredBucket(new Bucket(), (operation) => counted.push(operation)), counted };
}

test("puts and lists are of class A, gets and heads of class B, deletes are free", async () => {
  const { bucket, counted } = metered();
  await bucket.put("a", "1");
  expect([await bucket.get("a"), await bucket.head("a"), await bucket.list()]).toEqual(["1", true, ["a"]]);
  await bucket.delete("a");
  expect(bucket.name).toBe("files");
  expect(counted).toEqual(["a", "b", "b", "a"]);
});

test("an operation that fails is billed as well", async () => {
  const { bucket, counted } = metered();
  await expect(bucket.put("", "1")).rejects.toThrow("no key");
  expect(counted).toEqual(["a"]);
});

test("an upload in parts is one operation to begin, one a part, and one to complete", async () => {
  const { bucket, counted } = metered();
  const upload = await bucket.createMultipartUpload();
  await upload.uploadPart(1, "x");
  await upload.uploadPart(2, "y");
  expect(await upload.complete()).toBe("xy");
  expect(counted).toEqual(["a", "a", "a", "a"]);
  const resumed = bucket.resumeMultipartUpload();
  await resumed.uploadPart(1, "z");
  await resumed.abort();
  expect(counted).toHaveLength(5);
});

test("a bucket is told from other bindings", () => {
  expect([new Bucket(), { get() {}, put() {} }, "text", null].map(isBucket)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
