/** What the contenders use of the platform. The bench is checked as a Node program, which knows none of it. */

export interface Queue {
  sendBatch(messages: readonly { readonly body: unknown; readonly contentType?: string }[]): Promise<unknown>;
}

export interface Batch {
  readonly messages: readonly { readonly body: unknown; ack(): void }[];
}

export interface Namespace<Rpc> {
  getByName(name: string): Rpc;
}

export interface ObjectState {
  readonly storage: {
    readonly sql: {
      exec(query: string, ...values: unknown[]): { toArray(): Record<string, unknown>[] };
    };
  };
}

/** The paths of Millrace, so that all contenders get the same requests. */
export const EVENTS = "/v1/sources/clicks";
export const VIEW = "/v1/views/page-views";
/** As many as Millrace has for this view. */
export const SHARDS = 4;

export function accepted(): Response {
  return Response.json({ accepted: true }, { status: 202 });
}

/** The URLs of a body: one event or an array of them. */
export async function urlsOf(request: Request): Promise<string[]> {
  const body = (await request.json()) as { url: string } | { url: string }[];
  return (Array.isArray(body) ? body : [body]).map(({ url }) => url);
}

/** The object of a URL: any spread does, as long as it stays the same. */
export function objectOf(url: string): string {
  let hash = 0;
  for (let i = 0; i < url.length; i++) hash = (Math.imul(hash, 31) + url.charCodeAt(i)) | 0;
  return `counter-${(hash >>> 0) % SHARDS}`;
}
