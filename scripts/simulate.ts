/** `npm run simulate`: the simulation on as many seeds as wanted, with its rate, its faults, and any seed that fails. */
import { main } from "./simulate/main.ts";
import { UsageError } from "./usage.ts";

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  console.error(thrown instanceof UsageError ? thrown.message : thrown);
  process.exitCode = thrown instanceof UsageError ? 2 : 1;
}
