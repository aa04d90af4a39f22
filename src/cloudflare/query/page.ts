/** Page: the live page at `/` and its files, from the Worker's static assets, under a policy that lets nothing else in. */
import { Problem } from "../http/problem.ts";
import type { QueryApp, QueryContext, QueryEnv } from "./env.ts";
import { addresses, plainPage, plainPolicy } from "./plain-page.ts";
import { only } from "./routing.ts";

/** Scripts, styles and connections of its own origin, WebSockets among them, and nothing else from anywhere. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const GUARDS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};

/** Where the list of addresses goes in the built page, inside `<noscript>`. */
const PLACE = "<!--addresses-->";

export function addPage(app: QueryApp, { plan }: QueryContext): void {
  app.get("/", async ({ req, env }) => {
    const { origin } = new URL(req.url);
    const index = await asset(env, `${origin}/index.html`);
    if (index === undefined) return html(plainPage(plan, origin), await plainPolicy());
    const text = await index.text();
    return html(
      text.replace(PLACE, () => addresses(plan, origin)),
      POLICY,
    );
  });
  app.get("/assets/:file", async ({ req, env }) => {
    const found = await asset(env, new URL(req.path, req.url).href);
    if (found === undefined) {
      throw new Problem(
        404,
        "the live page has no such file; it may be of an earlier version: reload the page",
      );
    }
    return new Response(found.body, {
      headers: {
        "content-type": found.headers.get("content-type") ?? "application/octet-stream",
        // Its name has a hash of its content.
        "cache-control": "public, max-age=31536000, immutable",
        "content-security-policy": POLICY,
        ...GUARDS,
      },
    });
  });
  only(app, "/", "GET");
  only(app, "/assets/:file", "GET");
}

/** A file of the page; undefined when there is none, or no page at all. */
async function asset({ ASSETS }: QueryEnv, url: string): Promise<Response | undefined> {
  const response = await ASSETS?.fetch(new Request(url));
  if (response?.ok === true) return response;
  await response?.body?.cancel();
  return undefined;
}

function html(text: string, policy: string): Response {
  return new Response(text, {
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy, ...GUARDS },
  });
}
