/** `npm run measure`: what a workload writes, and how a shard with a million keys behaves, counted in real workerd. */
import { measureMillionKeys } from "./measure/million-keys.ts";
import { measureRows } from "./measure/rows.ts";

console.log("Rows written, as SQLite counts them (100 messages a batch, 4 shards):\n");
await measureRows({
  name: "200 URLs, 100 events a request",
  urls: 200,
  eventsPerRequest: 100,
  events: 1_000_000,
});
await measureRows({
  name: "1,000,000 URLs, 500 events a request",
  urls: 1_000_000,
  eventsPerRequest: 500,
  events: 1_000_000,
});

console.log("\nOne shard with 1,000,000 keys:\n");
await measureMillionKeys();
