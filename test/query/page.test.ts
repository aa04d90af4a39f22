/** The page that the query Worker serves, from its static assets. */
import { expect, test } from "vitest";
import { Deployment } from "./deployment.ts";

const INDEX = "<!doctype html><title>Built</title><noscript><!--addresses--></noscript>";

/** Static assets as the platform binds them: files by path, 404 for everything else. */
const ASSETS = {
  async fetch({ url }: Request): Promise<Response> {
    const { pathname } = new URL(url);
    if (pathname === "/index.html") return new Response(INDEX, { headers: { etag: '"of-the-assets"' } });
    if (pathname === "/assets/main-1A2B3C.js") {
      return new Response("run()", {
        headers: { "content-type": "text/javascript", "cache-control": "max-age=0" },
      });
    }
    return new Response(null, { status: 404 });
  },
};

function request(path: string, init?: RequestInit): Promise<Response> {
  const deployment = new Deployment();
  return deployment.request(`https://example.test${path}`, init, { ...deployment.env, ASSETS });
}

test("the built page is the answer, with the addresses for who runs no scripts", async () => {
  const response = await request("/");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe("no-store");
  const html = await response.text();
  expect(html).toMatch(/<title>Built<\/title><noscript>.*href="\/v1\/views".*<\/noscript>/s);
  expect(html).toContain("curl https://example.test/v1/sources/clicks");
});

test("it lets in nothing from elsewhere, and nothing inline", async () => {
  for (const path of ["/", "/assets/main-1A2B3C.js"]) {
    const { headers } = await request(path);
    const policy = new Map(
      (headers.get("content-security-policy") ?? "").split("; ").map((part) => {
        const [directive = "", ...values] = part.split(" ");
        return [directive, values.join(" ")];
      }),
    );
    expect(policy.get("default-src"), path).toBe("'none'");
    for (const directive of ["script-src", "style-src", "connect-src", "img-src"])
      expect(policy.get(directive), path).toBe("'self'");
    for (const directive of ["base-uri", "form-action", "frame-ancestors"])
      expect(policy.get(directive), path).toBe("'none'");
    expect(headers.get("x-content-type-options"), path).toBe("nosniff");
    expect(headers.get("referrer-policy"), path).toBe("no-referrer");
  }
});

test("a file may be kept for ever, as its name says what is in it", async () => {
  const response = await request("/assets/main-1A2B3C.js");
  expect(await response.text()).toBe("run()");
  expect(response.headers.get("content-type")).toBe("text/javascript");
  expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
});

test("a file that there is not is a problem that says what to do, and is not kept", async () => {
  const response = await request("/assets/main-000000.js");
  expect(response.status).toBe(404);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(await response.json()).toMatchObject({ detail: expect.stringContaining("reload") });
});

test.each(["/", "/assets/main-1A2B3C.js"])("%s takes GET and HEAD only", async (path) => {
  const head = await request(path, { method: "HEAD" });
  expect(head.status).toBe(200);
  expect(await head.text()).toBe("");
  const post = await request(path, { method: "POST" });
  expect(post.status).toBe(405);
  expect(post.headers.get("allow")).toBe("GET, HEAD");
});
