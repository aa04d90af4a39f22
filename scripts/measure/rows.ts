/** Rows: how many rows a workload writes, by the counters of the objects' own SQLite. */
import { startRuntime } from "../local/runtime.ts";
import { allStats, Load } from "./load.ts";

export interface Workload {
  readonly name: string;
  readonly urls: number;
  readonly eventsPerRequest: number;
  readonly events: number;
}

/** Prints the figures; throws unless the views hold exactly what was sent. */
export async function measureRows(workload: Workload): Promise<void> {
  const runtime = await startRuntime();
  try {
    const load = new Load(runtime);
    const random = lcg(1);
    for (let sent = 0; sent < workload.events; sent += workload.eventsPerRequest) {
      await load.request(
        Array.from(
          { length: workload.eventsPerRequest },
          () => `/products/item-${Math.floor(random() * workload.urls)}`,
        ),
      );
    }
    await load.flush();
    const stats = await allStats(runtime);
    const sum = (of: (each: (typeof stats)[number]) => number) =>
      stats.reduce((total, each) => total + of(each), 0);
    const total = sum((each) => each.total);
    if (total !== workload.events)
      throw new Error(`the views hold ${total} events, ${workload.events} were sent`);
    const calls = sum((each) => each.commits);
    const rows = sum((each) => each.rowsWritten);
    console.log(`  ${workload.name}, ${workload.events.toLocaleString("en")} events`);
    console.log(
      `    shard calls ${calls} in ${load.batches} batches; rows ${rows}: ${calls} commits + ${rows - calls} rows of tables and checkpoints`,
    );
    console.log(
      `    ${(rows / calls).toFixed(3)} rows a shard call, ${(rows / workload.events).toFixed(6)} rows an event`,
    );
  } finally {
    await runtime.dispose();
  }
}

/** A seeded generator, so that two runs send the same (Numerical Recipes' constants). */
function lcg(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
