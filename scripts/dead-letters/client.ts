/** Client: the HTTP requests of `dead-letters`. Members that it does not know are passed on. */
import * as v from "valibot";
import { CommandError } from "../plan/failure.ts";
import { printable, reasonOf } from "../send/failure.ts";

const PATIENCE_MS = 60_000;
/** What the server lists, and takes ids of, in one request. */
export const PAGE = 100;

const letterSchema = v.variant("kind", [
  v.looseObject({
    kind: v.literal("event"),
    id: v.string(),
    source: v.string(),
    operator: v.string(),
    error: v.string(),
    time: v.string(),
    events: v.number(),
  }),
  v.looseObject({
    kind: v.literal("message"),
    id: v.string(),
    queue: v.string(),
    reason: v.string(),
    redrivable: v.boolean(),
    time: v.string(),
    body: v.string(),
    bodyLength: v.number(),
  }),
]);

const pageSchema = v.object({
  events: v.number(),
  messages: v.number(),
  entries: v.array(letterSchema),
  next: v.optional(v.string()),
});

const redrivenSchema = v.object({
  redriven: v.number(),
  more: v.optional(v.boolean(), false),
  before: v.optional(v.string()),
});

export type Letter = v.InferOutput<typeof letterSchema>;
export type Page = v.InferOutput<typeof pageSchema>;
export type Redriven = v.InferOutput<typeof redrivenSchema>;

/** Each method @throws CommandError with what the server said, or why it said nothing. */
export class Client {
  readonly #server: string;
  readonly #headers: Record<string, string>;

  constructor(server: string, key: string | undefined) {
    this.#server = server;
    this.#headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  }

  /** @param cursor `next` of the page before. */
  list(limit: number, cursor?: string): Promise<Page> {
    const search = new URLSearchParams({ limit: String(limit), ...(cursor === undefined ? {} : { cursor }) });
    return this.#request(pageSchema, `?${search}`);
  }

  show(id: string): Promise<Letter> {
    return this.#request(letterSchema, `/${encodeURIComponent(id)}`);
  }

  /** @param ids at most PAGE of them. */
  redrive(
    request:
      | { readonly ids: readonly string[] }
      | { readonly all: true; readonly before?: string | undefined },
  ): Promise<Redriven> {
    const headers = { "content-type": "application/json" };
    return this.#request(redrivenSchema, "/redrive", {
      method: "POST",
      headers,
      body: JSON.stringify(request),
    });
  }

  async #request<Schema extends v.GenericSchema>(
    schema: Schema,
    path: string,
    init: RequestInit & { readonly headers?: Record<string, string> } = {},
  ): Promise<v.InferOutput<Schema>> {
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${this.#server}/v1/dead-letters${path}`, {
        ...init,
        headers: { ...init.headers, ...this.#headers },
        redirect: "manual",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      status = response.status;
      text = await response.text();
    } catch (thrown) {
      throw new CommandError(
        `${this.#server} does not answer (${reasonOf(thrown)}). Start it (npm start), or name another with --url.`,
      );
    }
    const body = parse(text);
    if (status !== 200) throw refusal(status, body);
    const answer = v.safeParse(schema, body);
    if (answer.success) return answer.output;
    throw new CommandError(`${this.#server} gave an answer that is not one of Millrace's: check --url.`);
  }
}

function refusal(status: number, body: unknown): CommandError {
  const { detail } = v.is(v.looseObject({ detail: v.string() }), body) ? body : { detail: "" };
  const said = detail === "" ? "" : `: ${printable(detail).replace(/\.$/, "")}`;
  const advice =
    status === 401 || status === 403
      ? " Give a key with the scope admin, with --key or MILLRACE_KEY."
      : status === 503
        ? " The same command can be repeated."
        : "";
  return new CommandError(`The server answered ${status}${said}.${advice}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
