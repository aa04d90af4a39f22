/** A server in front of the query app, as the ingest Worker is: real dead letters over real HTTP. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export type Handler = (request: Request) => Response | Promise<Response>;

/** Listens until the test ends. @returns the address. */
export async function serve(handle: Handler): Promise<string> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "GET", url = "/", headers } = incoming;
    const body = method === "GET" ? null : Buffer.concat(chunks);
    const request = new Request(`http://millrace.test${url}`, {
      method,
      headers: headers as Record<string, string>,
      body,
    });
    const response = await handle(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  onTestFinished(async () => {
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    server.closeAllConnections();
    await closed.promise;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
