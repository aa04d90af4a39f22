/** Hook: the receiver of the job's webhook: checks signatures, and keeps each alert under its id. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { AlertRow } from "./recount.ts";

interface Delivery {
  readonly id: string;
  readonly events: readonly { readonly id: string; readonly data: AlertRow }[];
}

export class Hook {
  readonly #secret: Buffer | undefined;
  readonly #server = createServer((request, response) => void this.#take(request, response));
  readonly #batches = new Set<string>();
  readonly #alerts: AlertRow[] = [];
  /** Deliveries of a batch that had come already. */
  repeated = 0;
  /** Requests whose signature was not right. */
  forged = 0;

  /** @param secret as the job has it; without it nothing is checked. */
  constructor(secret: string | undefined) {
    this.#secret = secret === undefined ? undefined : Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  }

  /** @returns the port. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Each batch once, as one that remembers its ids sees them. */
  get alerts(): readonly AlertRow[] {
    return this.#alerts;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString("utf8");
    const id = String(request.headers["webhook-id"]);
    if (!this.#isSigned(`${id}.${request.headers["webhook-timestamp"]}.${body}`, request)) {
      this.forged++;
      response.writeHead(401).end();
      return;
    }
    if (this.#batches.has(id)) this.repeated++;
    else this.#alerts.push(...(JSON.parse(body) as Delivery).events.map(({ data }) => data));
    this.#batches.add(id);
    response.writeHead(204).end();
  }

  #isSigned(content: string, { headers }: IncomingMessage): boolean {
    if (this.#secret === undefined) return true;
    const expected = createHmac("sha256", this.#secret).update(content).digest();
    const given = String(headers["webhook-signature"]).split(" ");
    return given.some((one) => {
      const bytes = Buffer.from(one.replace(/^v1,/, ""), "base64");
      return bytes.length === expected.length && timingSafeEqual(bytes, expected);
    });
  }
}
