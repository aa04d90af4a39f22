/** The try page in a browser: lines, the generator and the slow lane, on the real Workers. */
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { violationsOf } from "./axe.ts";
import type { Site, Visit } from "./browser.ts";
import { inBrowser, settled } from "./browser.ts";

/** A queue of forty messages, each of five events that wait, takes its time; it is waited for, not measured. */
const LONG = 90_000;

async function openTry(site: Site): Promise<Visit> {
  const visit = await site.open({ hash: "#/try" });
  await settled(visit.page);
  return visit;
}

async function type(page: Page, line: string): Promise<void> {
  await page.getByLabel("line to send").fill(line);
  await page.keyboard.press("Enter");
}

function log(page: Page): Locator {
  return page.getByRole("log", { name: "Lines and their way" });
}

/** `/home = 3`, as the terminal shows it of a view. */
function value(page: Page, text: string): Locator {
  return log(page).getByRole("link", { name: text, exact: true });
}

function fact(page: Page, name: string): Locator {
  return page.locator(`[data-fact="${name}"]`);
}

async function numberOf(locator: Locator): Promise<number> {
  return Number.parseInt(((await locator.textContent()) ?? "").replaceAll(",", ""), 10);
}

async function read(site: Site, path: string): Promise<unknown> {
  const response = await site.runtime.fetch(path);
  expect(response.status, path).toBe(200);
  return response.json();
}

/** Of all keys of a view that begin so. */
async function sumOf(site: Site, view: string, prefix: string): Promise<number> {
  const answer = await read(site, `/v1/views/${view}?prefix=${prefix}&limit=1000`);
  const { entries } = answer as { entries: { value: number }[] };
  return entries.reduce((sum, entry) => sum + entry.value, 0);
}

inBrowser("the try page", (site) => {
  test("a page that is typed is accepted, applied by a shard, and counted, step by step", async () => {
    const { page, complaints } = await openTry(site);
    await type(page, "/typed");
    await value(page, "/typed = 1").first().waitFor();
    await log(page)
      .getByText(/page-views applied by shard \d [\d.]+ m?s after it came \/typed = 1$/)
      .waitFor();
    await log(page)
      .getByText(/^✓\s*accepted 202, [\d.]+ m?s, durable in the queue of clicks$/)
      .waitFor();
    await log(page)
      .getByText(/page-views-per-minute applied by shard \d/)
      .waitFor();
    expect(await read(site, "/v1/views/page-views?key=/typed")).toMatchObject({ value: 1 });

    // Sent by somebody else, then brought back with the arrow key.
    await site.send("/typed");
    await page.getByLabel("line to send").press("ArrowUp");
    expect(await page.getByLabel("line to send").inputValue()).toBe("/typed");
    await page.keyboard.press("Enter");
    await value(page, "/typed = 3").first().waitFor();
    expect(await page.getByLabel("line to send").inputValue()).toBe("");
    expect(complaints).toEqual([]);
  });

  test("hostile lines are text, and lead to their key's page", async () => {
    const { page, complaints } = await openTry(site);
    const title = await page.title();
    const markup = `<img src=x onerror="document.title='taken'">`;
    await type(page, markup);
    await value(page, `${markup.slice(0, 31)}… = 1`)
      .first()
      .waitFor();
    await type(page, "/\u202egnp.exe");
    await value(page, "/U+202Egnp.exe = 1").first().waitFor();
    await log(page).getByText(markup, { exact: true }).waitFor();
    expect(await page.locator("main img").count()).toBe(0);
    expect(await page.title()).toBe(title);
    await value(page, `${markup.slice(0, 31)}… = 1`)
      .first()
      .click();
    await page.getByRole("heading", { level: 1 }).getByText("<img src=x onerror").waitFor();
    expect(await page.locator("main img").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("what is rejected says why, and several lines are pasted at once", async () => {
    const { page } = await openTry(site);
    await type(page, '{"url": ""}');
    await log(page).getByText("rejected: url: empty; send the page's URL").waitFor();
    await page.getByLabel("line to send").evaluate((input) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", "/pasted/1\r\n\r\n/pasted/2\n/pasted/1\n");
      input.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    });
    await value(page, "/pasted/2 = 1").first().waitFor();
    await value(page, "/pasted/1 = 2").first().waitFor();
    expect(await sumOf(site, "page-views", "/pasted/")).toBe(3);
    expect(await violationsOf(page)).toEqual([]);
  });

  test("a line whose answer was lost is kept, and sent again counts once", async () => {
    const { page } = await openTry(site);
    await page.route(
      "**/v1/sources/clicks",
      async (route) => {
        await route.fetch();
        await route.abort("internetdisconnected");
      },
      { times: 1 },
    );
    await type(page, "/answer-lost");
    await log(page).getByText("The server does not answer").waitFor();
    await log(page).getByRole("button", { name: "Send again" }).click();
    await value(page, "/answer-lost = 1").first().waitFor();
    expect(await log(page).getByText("The server does not answer").count()).toBe(0);
    await site.send("/answer-lost");
    await expect.poll(() => sumOf(site, "page-views", "/answer-lost"), { timeout: LONG }).toBe(2);
  });

  test("a refusal says when to come again, and the way behind a stage is shown to its end", async () => {
    const { page } = await openTry(site);
    const terminal = page.getByRole("region", { name: "Terminal" });
    await terminal.getByLabel("Source").selectOption("slow-clicks");
    await type(page, "/far");
    await log(page).getByText("slow-page-views reads what those emit: ").waitFor();
    await value(page, "/far = 1").waitFor();
    await log(page)
      .getByText(/^✓\s*slow applied by shard 0 /)
      .waitFor();

    await page.route(
      "**/v1/sources/slow-clicks",
      (route) =>
        route.fulfill({
          status: 429,
          headers: { "retry-after": "7" },
          contentType: "application/problem+json",
          body: JSON.stringify({ status: 429, detail: "41 messages wait" }),
        }),
      { times: 1 },
    );
    await type(page, "/far");
    await log(page).getByText("refused for now: 41 messages wait Retry-After: 7 s.").waitFor();
    await log(page).getByRole("button", { name: "Send again" }).click();
    await value(page, "/far = 2").waitFor();
  });

  test("the generator feeds a source at its rate, and stops with every event counted", async () => {
    const { page, go } = await openTry(site);
    const generator = page.getByRole("region", { name: "Generator" });
    await generator.getByRole("button", { name: "Start", exact: true }).click();
    await expect.poll(() => numberOf(fact(page, "accepted")), { timeout: LONG }).toBeGreaterThan(40);
    await generator.getByText("feeding").waitFor();
    await generator.getByRole("button", { name: "Stop", exact: true }).click();
    await generator.getByText("off", { exact: true }).waitFor();
    // What is on its way is counted when its answer comes.
    await expect
      .poll(
        async () => (await numberOf(fact(page, "accepted"))) - (await sumOf(site, "page-views", "/try/")),
        {
          timeout: LONG,
        },
      )
      .toBe(0);

    await generator.getByRole("button", { name: "Start", exact: true }).click();
    await expect.poll(() => numberOf(fact(page, "accepted")), { timeout: LONG }).toBeGreaterThan(0);
    await go("#/article");
    await go("#/try");
    await generator.getByText("off", { exact: true }).waitFor();
  });

  test("the slow lane fills to its mark, is refused, and recovers with nothing lost", {
    timeout: 3 * LONG,
  }, async () => {
    const { page } = await openTry(site);
    page.setDefaultTimeout(LONG);
    const before = await sumOf(site, "slow-page-views", "/try/");
    const lane = page.getByRole("region", { name: "The slow lane" });
    await lane.getByText("at rest").waitFor();
    await lane.getByRole("button", { name: "Feed it" }).click();
    await lane.getByText("filling").waitFor();
    await lane.getByText("over its mark").waitFor();
    await expect.poll(() => numberOf(fact(page, "refused")), { timeout: LONG }).toBeGreaterThan(0);
    await lane.getByText(/\d+ messages wait in the queue millrace-slow for the stage slow/).waitFor();
    await lane.getByText(/Waiting \d+ s before the next request/).waitFor();
    await expect.poll(() => numberOf(fact(page, "waiting")), { timeout: LONG }).toBeGreaterThan(20);
    await lane
      .getByRole("img", { name: /messages wait; the mark is 40; [1-9]\d* requests were refused/ })
      .waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await lane.getByRole("button", { name: "Stop feeding" }).click();
    await lane.getByText("draining").waitFor();
    await lane.getByText("recovered").waitFor();
    const ledger = (name: string) => numberOf(lane.locator(`[data-ledger="${name}"]`));
    const accepted = await ledger("accepted");
    expect(accepted).toBeGreaterThan(100);
    expect([await ledger("applied"), await ledger("in flight")]).toEqual([accepted, 0]);
    await expect
      .poll(async () => (await sumOf(site, "slow-page-views", "/try/")) - before, { timeout: LONG })
      .toBe(accepted);
    await lane.getByText(`the view has counted ${accepted.toLocaleString("en")} more`).waitFor();
  });
});

inBrowser(
  "the try page, with a key that may only read",
  (site) => {
    test("says that it may not send, in the server's words, and keeps what was typed", async () => {
      const { page } = await site.open({ hash: "#/try" });
      const dialog = page.getByRole("dialog", { name: "A key is needed" });
      await dialog.getByLabel("Key", { exact: true }).fill("reads-only");
      await page.keyboard.press("Enter");
      await page.getByLabel("line to send").waitFor();
      await type(page, "/forbidden");
      await dialog.getByRole("button", { name: "Close" }).click();
      await log(page)
        .getByText(/^✗\s*rejected: .*it needs the scope "ingest"/)
        .waitFor();
      await page.getByRole("button", { name: "Feed it" }).click();
      await page
        .getByRole("region", { name: "The slow lane" })
        .getByText(/could not be asked: .*it needs the scope "ingest"/)
        .waitFor();
    });
  },
  { vars: { OPEN: "", KEYS: JSON.stringify({ "reads-only": ["read"] }) } },
);
