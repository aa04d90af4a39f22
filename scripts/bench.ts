/** `npm run bench`: throughput, latency, cost and scale, beside what bounds them and what one would build instead. */
import { main } from "./bench/main.ts";
import { UsageError } from "./usage.ts";

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  console.error(thrown instanceof UsageError ? thrown.message : thrown);
  process.exitCode = thrown instanceof UsageError ? 2 : 1;
}
