/** The `dead-letters` command: what could not be applied, why, and again. */
import { main } from "./dead-letters/main.ts";
import { report } from "./plan/failure.ts";

try {
  process.exitCode = await main(process.argv.slice(2), process.env);
} catch (thrown) {
  process.exitCode = report(thrown);
}
