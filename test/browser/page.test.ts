/** The live page as a whole: what every page of it must hold to, whatever it shows. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { expect, test } from "vitest";
import { inBrowser, settled } from "./browser.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const PAGES = [
  { hash: "#/", title: /^Overview · Millrace$/ },
  { hash: "#/graph", title: /^Graph · Millrace$/ },
  { hash: "#/graph/clickstream", title: /^Graph of clickstream · Millrace$/ },
  { hash: "#/try", title: /^Try it · Millrace$/ },
  { hash: "#/article", title: /^The article · Millrace$/ },
  { hash: "#/view/page-views", title: /^page-views · Millrace$/ },
  { hash: "#/view/page-views-per-minute", title: /^page-views-per-minute · Millrace$/ },
  { hash: "#/view/page-views/key/%2Fhome", title: /^\/home in page-views · Millrace$/ },
  { hash: "#/nowhere", title: /^No such page · Millrace$/ },
];

const SCREENS = [
  { width: 1440, height: 900, colorScheme: "light" },
  { width: 1440, height: 900, colorScheme: "dark" },
  { width: 390, height: 844, colorScheme: "light" },
  { width: 390, height: 844, colorScheme: "dark" },
] as const;

const MOST_BYTES = 150_000;

inBrowser("the live page", (site) => {
  test("loads from its own origin only, in less than 150 kB, and complains of nothing", async () => {
    await site.send("/home", "/home", "/about");
    const visit = await site.open();
    await visit.page.getByText("Live", { exact: true }).waitFor();
    for (const { hash } of PAGES) await visit.go(hash);
    const { host } = site.runtime.url;
    expect(visit.addresses.filter((address) => address.host !== host)).toEqual([]);
    expect(visit.addresses.some(({ protocol }) => protocol === "ws:")).toBe(true);
    expect(await visit.weight()).toBeLessThan(MOST_BYTES);
    expect(visit.complaints).toEqual([]);
  });

  test("a policy keeps everything else out", async () => {
    const visit = await site.open();
    const attempt = await visit.page.evaluate(async () => {
      const violated = new Promise<string>((resolve) => {
        document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
      });
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken over'";
      document.body.append(script);
      return { directive: await violated, title: document.title };
    });
    expect(attempt.directive).toMatch(/^script-src/);
    expect(attempt.title).not.toBe("taken over");
  });

  test.each(PAGES)("$hash has a title, one heading and its landmarks", async ({ hash, title }) => {
    const { page } = await site.open({ hash });
    await settled(page);
    expect(await page.title()).toMatch(title);
    expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
    for (const landmark of ["banner", "main", "contentinfo"] as const)
      expect(await page.getByRole(landmark).count(), landmark).toBe(1);
    expect(await page.getByRole("navigation", { name: "Pages" }).getByRole("link").count()).toBe(4);
  });

  test.each(SCREENS)(
    "$width wide, $colorScheme: no accessibility violations and nothing beside the screen",
    async ({ colorScheme, ...viewport }) => {
      await site.send("/home", "/home", "/about");
      const visit = await site.open({ viewport, colorScheme, reducedMotion: "reduce" });
      await visit.page.getByText("Live", { exact: true }).waitFor();
      await visit.page.evaluate(axe);
      const wrong: unknown[] = [];
      for (const { hash } of PAGES) {
        await visit.go(hash);
        const { violations } = await visit.page.evaluate(() =>
          (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
        );
        for (const { id, nodes } of violations)
          for (const { target, failureSummary } of nodes) wrong.push({ hash, id, target, failureSummary });
        const beside = await visit.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (beside > 0) wrong.push({ hash, widerThanTheScreenBy: beside });
      }
      expect(wrong).toEqual([]);
    },
  );

  test("by keyboard, the content comes first for who wants it, and the navigation for the others", async () => {
    const { page } = await site.open();
    await settled(page);
    const focused = () =>
      page.evaluate(() => {
        const { activeElement: element } = document;
        return element?.id || element?.textContent?.trim();
      });
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("main");

    await page.reload();
    await settled(page);
    const order: (string | undefined)[] = [];
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press("Tab");
      order.push(await focused());
    }
    expect(order).toEqual(["Skip to the content", "Millrace", "Overview", "Graph", "Try it", "The article"]);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await page
      .getByRole("link", { name: "Try it", exact: true })
      .and(page.locator("[aria-current]"))
      .waitFor();
    expect(await focused()).toBe("main");
  });

  test("the colours are those of the system until others are chosen, which are remembered", async () => {
    const { page } = await site.open({ colorScheme: "dark" });
    const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    await page.getByRole("button", { name: "Use light colours" }).click();
    await page.getByRole("button", { name: "Use dark colours" }).waitFor();
    expect(await scheme()).toBe("light");
    await page.reload({ waitUntil: "domcontentloaded" });
    expect(await theme()).toBe("light");
    await page.getByRole("button", { name: "Use dark colours" }).click();
    await page.getByRole("button", { name: "Use light colours" }).waitFor();
    // What the system has too is left to the system again.
    expect(await theme()).toBeUndefined();
  });

  test("without JavaScript it says where everything is", async () => {
    const { page } = await site.open({ javaScriptEnabled: false });
    for (const path of ["/v1/views", "/v1/jobs", "/v1/health", "/metrics", "/openapi.json"])
      expect(await page.locator(`a[href="${path}"]`).isVisible(), path).toBe(true);
    expect(await page.locator("pre").textContent()).toContain(
      `curl ${site.runtime.url.origin}/v1/sources/clicks`,
    );
  });
});
