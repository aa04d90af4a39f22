/** The FileStore contract, for each implementation: what the file sink and the erasure of a key stand on. */
import { beforeEach, describe, expect, it } from "vitest";
import type { FileStore } from "../../src/index.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

export function fileStoreContract(name: string, emptyStore: () => Promise<FileStore>): void {
  describe(`FileStore: ${name}`, () => {
    let store: FileStore;

    beforeEach(async () => {
      store = await emptyStore();
    });

    async function textOf(key: string): Promise<string | undefined> {
      const file = await store.get(key);
      return file === null ? undefined : new TextDecoder().decode(await file.arrayBuffer());
    }

    it("keeps what is put, with its metadata, and the last of it", async () => {
      const customMetadata = { batch: "a/0/1" };
      expect(await store.put("a", bytes("one"), { customMetadata })).toMatchObject({ key: "a", size: 3 });
      expect(await store.head("a")).toMatchObject({ key: "a", size: 3, customMetadata });
      expect(await store.get("a")).toMatchObject({ key: "a", size: 3, customMetadata });
      expect(await textOf("a")).toBe("one");
      await store.put("a", bytes("two"));
      expect(await textOf("a")).toBe("two");
    });

    it("has nothing where nothing was put, and deletes that too", async () => {
      expect(await store.get("a")).toBeNull();
      expect(await store.head("a")).toBeNull();
      await store.delete("a");
      await store.put("a", bytes("one"));
      await store.delete("a");
      expect(await store.get("a")).toBeNull();
    });

    it("puts only where there is nothing, if asked to", async () => {
      const onlyIf = { etagDoesNotMatch: "*" };
      expect(await store.put("a", bytes("one"), { onlyIf })).toMatchObject({ key: "a" });
      expect(await store.put("a", bytes("two"), { onlyIf })).toBeNull();
      expect(await textOf("a")).toBe("one");
    });

    it("puts only over what was read, if asked to", async () => {
      await store.put("a", bytes("one"));
      const etagMatches = (await store.get("a"))?.etag ?? "";
      expect(await store.put("a", bytes("two"), { onlyIf: { etagMatches } })).toMatchObject({ key: "a" });
      expect(await store.put("a", bytes("three"), { onlyIf: { etagMatches } })).toBeNull();
      expect(await store.put("b", bytes("three"), { onlyIf: { etagMatches } })).toBeNull();
      expect([await textOf("a"), await textOf("b")]).toEqual(["two", undefined]);
    });

    it("lists by prefix, in order, page by page", async () => {
      const keys = Array.from({ length: 7 }, (_, n) => `x/${n}`);
      for (const key of [...keys].reverse()) await store.put(key, bytes(key));
      await store.put("x", bytes(""));
      await store.put("y/0", bytes(""));
      const pages: string[][] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await store.list({
          prefix: "x/",
          limit: 3,
          ...(cursor === undefined ? {} : { cursor }),
        });
        pages.push(page.objects.map(({ key }) => key));
        // Rewriting what was listed changes nothing of the pages to come.
        for (const { key } of page.objects) await store.put(key, bytes("again"));
        if (!page.truncated) break;
        cursor = page.cursor;
      }
      expect(pages).toEqual([keys.slice(0, 3), keys.slice(3, 6), keys.slice(6)]);
      expect((await store.list({ prefix: "z" })).objects).toEqual([]);
    });
  });
}
