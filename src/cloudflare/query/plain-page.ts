/** PlainPage: where everything is, for a browser without JavaScript, and for a deployment without the live page. */
import type { Plan } from "../../plan.ts";
import { viewsOf } from "../../plan.ts";

const STYLE = `:root{color-scheme:light dark}
body{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:0 auto;padding:2rem 1rem;color:light-dark(#222,#ddd);background:light-dark(#fdfdfc,#161618)}
h1{font-weight:600;margin:0}a{color:light-dark(#0b5cad,#8ab8ef)}li{margin:.3rem 0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:.8rem 1rem;border-radius:.5rem;background:light-dark(#f1f1ee,#232326)}`;

/** Its style is in it, so the policy that it is sent with names the style's hash. */
export async function plainPolicy(): Promise<string> {
  const style = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(STYLE));
  const hash = btoa(String.fromCharCode(...new Uint8Array(style)));
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

export function plainPage(plan: Plan, origin: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Millrace</title><style>${STYLE}</style></head>
<body><main><h1>Millrace</h1>
<p>Stream processing on Cloudflare Workers. Every result is a URL.</p>
${addresses(plan, origin)}
<p>The live page is not built here: <code>npm start</code> and <code>npm run deploy</code> build it.</p>
</main></body></html>
`;
}

/** Nothing in it needs escaping: names are letters, digits and dashes, and an origin cannot hold a "<". */
export function addresses(plan: Plan, origin: string): string {
  const source = plan.sources.keys().next().value;
  const views = viewsOf(plan).map(({ name }) => `, <a href="/v1/views/${name}?top=10">${name}</a>`);
  return `${source === undefined ? "" : sending(origin, source)}<ul>
<li><a href="/v1/views">Views</a>: the results${views.join("")}</li>
<li><a href="/v1/jobs">Jobs</a>: their graphs and plans</li>
<li><a href="/v1/health">Health</a> and <a href="/metrics">metrics</a></li>
<li><a href="/openapi.json">OpenAPI</a>: the whole HTTP contract</li>
</ul>
<p>Where keys are set, add <code>?access_key=…</code> or send <code>Authorization: Bearer …</code>.</p>`;
}

/** A deployment may have nothing but sources that are asked. */
function sending(origin: string, source: string): string {
  return `<p>Send an event:</p>
<pre><code>curl ${origin}/v1/sources/${source} -H 'content-type: text/plain' -d '/home'</code></pre>
`;
}
