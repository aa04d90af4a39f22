/** Browser: Debian's Chromium on the real Workers, for tests of the live page; where there is none, they are skipped. */
import { gzipSync } from "node:zlib";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Runtime, type RuntimeOptions, startRuntime } from "../../scripts/local/runtime.ts";
import { executable, NO_BROWSER } from "./executable.ts";

/** None of them may reach beyond this machine by itself. */
const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long the page may take for what it does by itself. It is waited for, never measured. */
export const PATIENCE = 20_000;

/** An opened page, and what it did that no page may do. */
export interface Visit {
  readonly page: Page;
  /** Errors, violations of the policy among them. Those of requests that a test makes fail on purpose are in it too. */
  readonly complaints: readonly string[];
  /** Everything that it asked for. */
  readonly addresses: readonly URL[];
  /** Bytes of all that has come, compressed. */
  weight(): Promise<number>;
  /** Goes to another page of the live page, like `#/graph`, and waits until it is there. */
  go(hash: string): Promise<void>;
}

export interface VisitOptions extends BrowserContextOptions {
  /** `#/` by default. */
  readonly hash?: string;
}

export interface Site {
  readonly runtime: Runtime;
  /** Opens the page in a browser of its own, which is closed after the test. */
  open(options?: VisitOptions): Promise<Visit>;
  /** Sends page views to `clicks`, as curl does. */
  send(...urls: readonly string[]): Promise<void>;
}

/**
 * Tests in a browser, on Workers of their own.
 *
 * @param site is there once a test runs.
 */
export function inBrowser(name: string, define: (site: Site) => void, options: RuntimeOptions = {}): void {
  const path = executable;
  if (path === undefined) {
    // What is skipped where all is checked would never be seen to be broken.
    if (process.env.CI) test(name, () => expect.fail(NO_BROWSER));
    else describe.skip(`${name} (skipped: ${NO_BROWSER})`, () => define(unavailable));
    return;
  }
  describe(name, () => {
    let runtime: Runtime;
    let browser: Browser;
    beforeAll(async () => {
      [runtime, browser] = await Promise.all([
        startRuntime(options),
        chromium.launch({ executablePath: path, args: FLAGS }),
      ]);
    });
    afterEach(async () => {
      await Promise.all(browser.contexts().map((context) => context.close()));
    });
    afterAll(async () => {
      await browser?.close();
      await runtime?.dispose();
    });
    define({
      get runtime() {
        return runtime;
      },
      open: (visit) => open(browser, runtime.url, visit),
      async send(...urls) {
        const response = await runtime.fetch("/v1/sources/clicks", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(urls.map((url) => ({ url }))),
        });
        expect(response.status, await response.text()).toBe(202);
      },
    });
  });
}

const unavailable: Site = {
  get runtime(): Runtime {
    throw new Error(NO_BROWSER);
  },
  open: () => Promise.reject(new Error(NO_BROWSER)),
  send: () => Promise.reject(new Error(NO_BROWSER)),
};

async function open(
  browser: Browser,
  url: URL,
  { hash = "#/", ...options }: VisitOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints: string[] = [];
  const addresses: URL[] = [];
  const bodies: Promise<Buffer>[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      complaints.push(`${message.text()} (${message.location().url})`);
    }
  });
  page.on("pageerror", (error) => complaints.push(String(error.stack ?? error)));
  page.on("request", (request) => addresses.push(new URL(request.url())));
  page.on("websocket", (socket) => addresses.push(new URL(socket.url())));
  page.on("response", (response) => {
    // A page that has been left has no body any more.
    bodies.push(response.body().catch(() => Buffer.alloc(0)));
  });
  await page.goto(new URL(hash, url).href);
  return {
    page,
    complaints,
    addresses,
    async weight() {
      const all = await Promise.all(bodies);
      return all.reduce((sum, body) => sum + gzipSync(body).length, 0);
    },
    async go(next) {
      await page.evaluate((to) => {
        location.hash = to;
      }, next);
      await settled(page);
    },
  };
}

/** Waits until the page shows what it is about; its data may still be on their way. */
export async function settled(page: Page): Promise<void> {
  await page.locator("main h1").waitFor();
  await page.locator("main .loading").waitFor({ state: "detached" });
}
