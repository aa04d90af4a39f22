/** synchronous: no queue: the request waits for the objects, each called once with all of its events. */
import type { CounterRpc } from "./counter.ts";
import { answer } from "./counter.ts";
import type { Namespace } from "./platform.ts";
import { accepted, objectOf, urlsOf } from "./platform.ts";

export { Counter } from "./counter.ts";

interface Env {
  readonly COUNTER: Namespace<CounterRpc>;
}

// biome-ignore lint/style/noDefaultExport: a Worker's entry
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.method !== "POST") return answer(new URL(request.url), env.COUNTER);
    const byObject = new Map<string, string[]>();
    for (const url of await urlsOf(request)) {
      const name = objectOf(url);
      const urls = byObject.get(name);
      if (urls === undefined) byObject.set(name, [url]);
      else urls.push(url);
    }
    await Promise.all([...byObject].map(([name, urls]) => env.COUNTER.getByName(name).add(urls)));
    return accepted();
  },
};
