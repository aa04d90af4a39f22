/** limit: reads and parses the body and answers. Nothing that counts events over HTTP can be faster. */
import { accepted, urlsOf } from "./platform.ts";

// biome-ignore lint/style/noDefaultExport: a Worker's entry
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== "POST") return Response.json({ total: 0 });
    await urlsOf(request);
    return accepted();
  },
};
