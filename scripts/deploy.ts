/** The `deploy` command: creates the queues and buckets that are missing and deploys the three Workers, or shows how it would. */
import { main } from "./deploy/main.ts";
import { report } from "./plan/failure.ts";

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  process.exitCode = report(thrown);
}
