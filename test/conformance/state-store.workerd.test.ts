/** SqliteStore does what every StateStore must do, inside a Durable Object. */
import { env, runInDurableObject } from "cloudflare:test";
import { SqliteStore } from "../../src/cloudflare/sqlite-store.ts";
import { stateStoreSuite } from "./state-store.ts";

let objects = 0;

stateStoreSuite("SqliteStore", async (body) => {
  // An object that no test has used yet, so that its store is empty.
  const object = env.SHARD.getByName(`1/conformance/${++objects}`);
  await runInDurableObject(object, (_instance, state) => body(new SqliteStore(state.storage)));
});
