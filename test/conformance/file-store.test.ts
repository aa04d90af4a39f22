/** The FileStore contract, over memory; over R2, see test/e2e/files.test.ts. */
import { MemoryFiles } from "../../src/index.ts";
import { fileStoreContract } from "./file-store.ts";

fileStoreContract("memory", async () => new MemoryFiles());
