/**
 * A server in a process of its own, to be killed: `node server.ts MODULE STATE_DIR PORT`. Prints its URL when it is up.
 */
import { startRuntime } from "../../scripts/local/runtime.ts";
import type { Plan } from "../../src/plan.ts";

const [module = "", stateDir = "", port = "0"] = process.argv.slice(2);
const { plan } = (await import(module)) as { plan: Plan };
const runtime = await startRuntime({ register: { module, plan }, stateDir, port: Number(port) });
process.stdout.write(`${runtime.url}\n`);
