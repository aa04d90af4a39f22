/** The `plan` command: shows what the registered jobs need on Cloudflare, and keeps the wrangler configs in step with it. */
import { report } from "./plan/failure.ts";
import { main } from "./plan/main.ts";

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  process.exitCode = report(thrown);
}
