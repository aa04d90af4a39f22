/** The article page in a browser: what it measures is measured, what it follows arrives, and what it names is there. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { plan as twoSources } from "../../workers/jobs/exercises/3-two-sources.ts";
import type { Site } from "./browser.ts";
import { inBrowser, PATIENCE, settled } from "./browser.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const root = new URL("../../", import.meta.url);

/** Of a comparison, which has two times 25 visits to make. Not measured. */
const RUN_MS = 90_000;
/** Those of a comparison, and the one that wakes a side up. */
const VISITS = 25;

async function openArticle(site: Site, options: Parameters<Site["open"]>[0] = {}) {
  const visit = await site.open({ hash: "#/article", ...options });
  await settled(visit.page);
  await visit.page.getByText("Live", { exact: true }).waitFor();
  return visit;
}

async function compare(page: Page): Promise<string[][]> {
  const comparison = page.getByRole("region", { name: "Measure both, from this browser" });
  await comparison.getByRole("button", { name: "Send 24 visits to each" }).click();
  await comparison.getByText(/^At the median/).waitFor({ timeout: RUN_MS });
  const rows = await comparison.getByRole("row").all();
  return Promise.all(
    rows.map((row) => row.getByRole("columnheader").or(row.getByRole("cell")).allTextContents()),
  );
}

async function read<T>(site: Site, path: string): Promise<T> {
  const response = await site.runtime.fetch(path);
  expect(response.status, path).toBe(200);
  return (await response.json()) as T;
}

/** What a view counted of the pages of comparisons. */
async function countedBy(site: Site, view: string): Promise<{ key: string; value: number }[]> {
  type Entries = { entries: { key: string; value: number }[] };
  return (await read<Entries>(site, `/v1/views/${view}?prefix=/article/&limit=10`)).entries;
}

const SPAN = /^\d[\d.]* (ms|s)$/;

function expectMeasured([head, answers, ...rest]: readonly string[][]): void {
  expect(head).toEqual(["Measured", "Synchronous", "Streaming"]);
  expect(answers).toEqual(["Answers", "24 of 24", "24 of 24"]);
  const [median, most, rate, counted] = rest;
  for (const [, synchronous, stream] of [median, most, counted] as string[][]) {
    expect(synchronous).toMatch(SPAN);
    expect(stream).toMatch(SPAN);
  }
  for (const perSecond of rate?.slice(1) ?? []) expect(Number(perSecond)).toBeGreaterThan(0);
  expect(rate).toHaveLength(3);
}

async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target)])).toEqual([]);
}

inBrowser("the article page", (site) => {
  test("sends the same visits to both backends, which count all of them", async () => {
    const { page, complaints } = await openArticle(site);
    expectMeasured(await compare(page));
    const bars = page.locator(".timeline");
    expect(await bars.nth(0).locator(".timeline-work").count()).toBe(24);
    expect(await bars.nth(1).locator(".timeline-work").count()).toBe(0);
    for (const side of [0, 1]) expect(await bars.nth(side).locator(".timeline-counted").count()).toBe(24);

    const [entry, ...others] = await countedBy(site, "slow-page-views");
    expect(others).toEqual([]);
    expect(entry?.value).toBe(VISITS);
    const next = await site.runtime.fetch("/article/synchronous", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ url: entry?.key }),
    });
    expect(await next.json()).toMatchObject({ url: entry?.key, count: VISITS + 1 });
    expect(complaints).toEqual([]);
  });

  test("compares them without any work as well, by the job that only counts", async () => {
    const { page } = await openArticle(site);
    await page.getByLabel("Work for each visit").selectOption("none but counting");
    await page.getByLabel("Visitors at the same time").selectOption("1");
    expectMeasured(await compare(page));
    expect((await countedBy(site, "page-views")).map(({ value }) => value)).toEqual([VISITS]);
  });

  test("says why a comparison broke off, and runs the next one", async () => {
    const { page } = await openArticle(site);
    await page.route("**/article/synchronous", (route) =>
      route.fulfill({
        status: 503,
        contentType: "application/problem+json",
        headers: { "retry-after": "7" },
        body: JSON.stringify({ status: 503, detail: "the backend is out of order" }),
      }),
    );
    await page.getByRole("button", { name: "Send 24 visits to each" }).click();
    await page.getByText("the backend is out of order").waitFor();
    await page.unroute("**/article/synchronous");
    expectMeasured(await compare(page));
    expect(await page.getByText("the backend is out of order").count()).toBe(0);
  });

  test("follows one event to the view that counts it, whatever its URL", async () => {
    const { page, complaints } = await openArticle(site);
    const hostile = "/<img src=x onerror=\"document.title='taken'\">\u202e";
    const journey = page.getByRole("region", { name: "Follow one event" });
    await journey.getByLabel("URL").fill(hostile);
    for (const count of ["1", "2"]) {
      await journey.getByRole("button", { name: "Send one event" }).click();
      await journey.getByText(`page-views is now ${count}`, { exact: false }).waitFor();
      expect(await journey.locator(".station-reached").count()).toBe(5);
      const applied = journey.locator('[data-station="applied-page-views"]');
      expect(await applied.textContent()).toMatch(/in shard \d+, with commit \d+\+\d/);
    }
    const { value } = await read<{ value: number }>(
      site,
      `/v1/views/page-views?${new URLSearchParams({ key: hostile })}`,
    );
    expect(value).toBe(2);
    expect(await page.locator("main img").count()).toBe(0);
    expect(await page.title()).toBe("The article · Millrace");
    expect(complaints).toEqual([]);
  });

  test("steps through the loop with the event that was sent", async () => {
    const { page } = await openArticle(site, { reducedMotion: "reduce" });
    const loop = page.getByRole("region", { name: "Step through the loop" });
    const here = async () => (await loop.locator('[aria-current="step"] strong').allInnerTexts()).join();
    const walked: string[] = [];
    for (let n = 0; n < 5; n++) {
      walked.push(await here());
      await loop.getByRole("button", { name: "Next step" }).click();
    }
    expect(walked).toEqual(["Take", "Apply", "Emit", "Repeat", "Take"]);
    await loop.getByRole("button", { name: "Send one event" }).click();
    await loop.getByText(/page-views, shard \d+, commit \d+/).waitFor();
    expect(await here()).toBe("Take");
  });

  test("repeats an event ten times, which is counted once", async () => {
    const { page } = await openArticle(site);
    await page.getByRole("button", { name: "Send one event 10 times" }).click();
    await page.getByText("10 requests accepted; counted: 1.").waitFor();
  });

  test("goes to an idea by its address and by its contents, and reads on from there", async () => {
    const { page } = await openArticle(site, { hash: "#/article?at=journey" });
    const patience = { timeout: PATIENCE };
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await expect.poll(focused, patience).toBe("The journey of one event");
    await page
      .getByRole("navigation", { name: "On this page" })
      .getByText("A queue in between")
      .press("Enter");
    await expect.poll(focused, patience).toBe("A queue in between");
    const heading = page.getByRole("heading", { name: "A queue in between" });
    const top = async () => (await heading.boundingBox())?.y ?? Number.NaN;
    await expect.poll(top, patience).toSatisfy((y: number) => y >= 0 && y < 900);
  });

  test("names files that are there", async () => {
    const { page } = await openArticle(site);
    const paths = await page.locator("main code.file").allTextContents();
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });

  test.each([
    { colorScheme: "light", viewport: { width: 1440, height: 900 } },
    { colorScheme: "dark", viewport: { width: 390, height: 844 } },
  ] as const)("has no accessibility violations when everything has run: $colorScheme", async (screen) => {
    const { page } = await openArticle(site, { ...screen, reducedMotion: "reduce" });
    await page.locator("summary").first().click();
    await compare(page);
    const journey = page.getByRole("region", { name: "Follow one event" });
    await journey.getByRole("button", { name: "Send one event" }).click();
    await journey.getByText("page-views is now", { exact: false }).waitFor();
    await expectAccessible(page);
    const [needed, there] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(needed).toBeLessThanOrEqual(there as number);
    await page.context().setOffline(true);
    await page.getByRole("button", { name: "Send 24 visits to each" }).click();
    await page.getByText("The comparison broke off").waitFor();
    await expectAccessible(page);
  });
});

describe("another deployment", () => {
  const module = new URL("workers/jobs/exercises/3-two-sources.ts", root).pathname;
  inBrowser(
    "the article page",
    (site) => {
      test("tells with whichever job runs, and says what does not run", async () => {
        const { page } = await openArticle(site);
        await page.getByText("Sources that are asked: robots").waitFor();
        await page.getByRole("heading", { name: "The job “exercise-3” now" }).waitFor();
        expect(await page.getByText("nothing of it runs in this deployment").count()).toBeGreaterThan(0);
        expect(await page.getByLabel("Work for each visit").locator("option").allTextContents()).toEqual([
          "none but counting",
        ]);
        expectMeasured(await compare(page));
      });
    },
    { register: { module, plan: twoSources } },
  );
});
