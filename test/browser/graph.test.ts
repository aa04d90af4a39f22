/** The job graph in a browser: what it shows as events flow, wait and fail, and what can be done from it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import type { GraveyardRpc, Namespace } from "../../src/cloudflare/rpc.ts";
import { GRAVEYARD_NAME } from "../../src/cloudflare/rpc.ts";
import type { Site, VisitOptions } from "./browser.ts";
import { inBrowser, PATIENCE } from "./browser.ts";
import { plan } from "./jobs/checks.ts";

const register = { module: new URL("jobs/checks.ts", import.meta.url).pathname, plan };

/** For what is asked of the server again and again. */
const PATIENTLY = { timeout: PATIENCE, interval: 200 };

/** Markup and a character that turns the text around. */
const HOSTILE = "bad <img src=x onerror=document.title='taken'> \u202e";

async function say(site: Site, ...words: readonly string[]): Promise<void> {
  const response = await site.runtime.fetch("/v1/sources/words", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer all" },
    body: JSON.stringify(words.map((word) => ({ word }))),
  });
  expect(response.status, await response.text()).toBe(202);
}

/** A node of the drawing, by what it is called and what it says of itself now. */
function node(page: Page, says: RegExp): Locator {
  return page.locator(".graph-canvas").getByRole("button", { name: says });
}

async function openGraph(site: Site, options: VisitOptions = {}): Promise<Page> {
  const { page } = await site.open({ hash: "#/graph/checks", ...options });
  await node(page, /^words, source, /).waitFor();
  return page;
}

function letters(page: Page, name = "Dead letters"): Locator {
  return page.getByRole("region", { name, exact: true });
}

inBrowser(
  "the job graph",
  (site) => {
    test("shows each job's nodes in order, and one job alone at its own address", async () => {
      const { page, go } = await site.open({ hash: "#/graph" });
      await node(page, /^words, source, ok/).waitFor();
      const names = () =>
        page
          .locator(".graph-canvas button")
          .evaluateAll((buttons) => buttons.map((button) => button.getAttribute("data-node")));
      const checks = ["words", "checked", "checked.key-by", "word-counts"];
      expect(await names()).toEqual([...checks, "clicks", "slow", "slow.key-by", "page-views"]);
      await page.getByRole("navigation", { name: "Jobs" }).getByRole("link", { name: "checks" }).click();
      await page.getByRole("heading", { level: 2, name: "exercise-6" }).waitFor({ state: "detached" });
      expect(await names()).toEqual(checks);
      await go("#/graph/unknown");
      await page.getByText("There is no job named unknown").waitFor();
    });

    test("numbers move as events flow, in the drawing and in the table", async () => {
      const page = await openGraph(site);
      await node(page, /^word-counts, aggregate, ok, .*, 0 applied/).waitFor();
      await say(site, "one", "two", "three");
      await node(
        page,
        /^checked, stage, ok, .*, 3 applied, 0 in flight, 0 late, 0 in dead letters/,
      ).waitFor();
      await node(page, /^word-counts, aggregate, ok, .*, 3 applied, .* 2 shards/).waitFor();
      await page.getByText("The same as tables").click();
      const row = page.getByRole("row", { name: /^word-counts aggregate/ });
      await row.getByRole("cell", { name: "3", exact: true }).waitFor();
      expect(await page.getByRole("row", { name: /words → checked/ }).count()).toBe(1);
    });

    test("a poison event is a dead letter with its error, as text, and counts once it is redriven", async () => {
      const page = await openGraph(site);
      await say(site, "spoil", HOSTILE);
      await node(page, /^checked, .* 1 in dead letters/).click();
      await letters(page).getByRole("button", { name: "List them" }).click();
      const letter = letters(page).getByRole("listitem");
      await letter.getByText("<img src=x onerror=document.title='taken'> U+202E cannot be checked").waitFor();
      await letter
        .locator("pre")
        .getByText(/"word":"bad <img src=x.*U\+202E/)
        .waitFor();
      expect(await page.locator("main img").count()).toBe(0);
      expect(await page.title()).toBe("Graph of checks · Millrace");

      // While the stage is ill, it comes back, as another letter.
      const before = await letter.locator("code").textContent();
      await letter.getByRole("button", { name: /^Redrive checked\/0\// }).click();
      await letters(page).getByText("1 was sent again.").waitFor();
      await expect
        .poll(async () => {
          await letters(page).getByRole("button", { name: "List again" }).click();
          return letter.locator("code").allTextContents();
        }, PATIENTLY)
        .not.toSatisfy((ids: string[]) => ids.length === 0 || ids[0] === before);

      await say(site, "cure");
      await node(page, /^checked, .* 1 in dead letters/).waitFor();
      await letter.getByRole("button", { name: /^Redrive checked\/0\// }).click();
      await node(page, /^checked, .* 0 in dead letters/).waitFor();
      await expect
        .poll(async () => {
          const path = `/v1/views/word-counts?key=${encodeURIComponent(HOSTILE)}`;
          return (await site.runtime.fetch(path)).json();
        }, PATIENTLY)
        .toMatchObject({ value: 1 });
    });

    test("all dead letters of an operator are redriven, once that is confirmed", async () => {
      const page = await openGraph(site);
      await say(site, "spoil", "bad-1", "bad-2", "bad-3");
      await node(page, /^checked, .* 3 in dead letters/).click();
      await letters(page).getByRole("button", { name: "List them" }).click();
      await letters(page).getByText("bad-3 cannot be checked").waitFor();
      await say(site, "cure");
      await letters(page).getByRole("button", { name: "Redrive all …" }).click();
      await letters(page).getByRole("button", { name: "No" }).click();
      await letters(page).getByRole("button", { name: "Redrive all …" }).click();
      await letters(page).getByRole("button", { name: "Yes, redrive all" }).click();
      await letters(page).getByText("3 were sent again.").waitFor();
      await letters(page).getByText("There are none.").waitFor();
      await node(page, /^checked, .* 0 in dead letters/).waitFor();
    });

    test("buried messages are at the node of their queue, and all of them together below", async () => {
      const page = await openGraph(site);
      const { GRAVEYARD } = await site.runtime.bindings<{ GRAVEYARD: Namespace<GraveyardRpc> }>(
        "millrace-operator",
      );
      const bury = (id: string, queue: string) =>
        GRAVEYARD.getByName(GRAVEYARD_NAME).bury({
          id,
          queue,
          reason: `${id} is broken`,
          body: "<b>not</b> JSON",
          redrivable: false,
        });
      await bury("m1", "millrace-words-dead");
      await bury("m2", "millrace-checked-dead");
      await node(page, /^words, /).click();
      const buried = letters(page, "Buried messages");
      await buried.getByRole("button", { name: "List them" }).click();
      await buried.getByText("m1 is broken").waitFor();
      await buried.getByText("<b>not</b> JSON").waitFor();
      expect(await buried.getByRole("listitem").count()).toBe(1);
      expect(await buried.getByRole("button", { name: "Cannot be redriven: messages/1" }).isDisabled()).toBe(
        true,
      );
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "See them" }).click();
      await letters(page).getByRole("button", { name: "List them" }).click();
      await letters(page).getByText("m2 is broken").waitFor();
    });

    test("a slow stage fills, its source refuses, and both recover", async () => {
      const { page } = await site.open({ hash: "#/graph/exercise-6" });
      await node(page, /^slow, stage, ok, .* queue empty/).waitFor();
      // Health is looked at once a second: who wants to see the queue full has to keep it full.
      let seen = false;
      const statuses = new Set<number>();
      const flood = async () => {
        // Ingest hears of the stage's queue now and then, and may refuse a moment after the page says so.
        for (let sent = 0; !seen || !statuses.has(429); sent++) {
          const response = await site.runtime.fetch("/v1/sources/clicks", {
            method: "POST",
            headers: { "content-type": "text/plain" },
            body: `/page-${sent}`,
          });
          statuses.add(response.status);
          // Not more than it can work off while the test waits: what comes before ingest has heard is taken.
          await sleep(30);
        }
      };
      const look = Promise.all([
        node(page, /^slow, stage, over its mark, .* waiting, oldest /).waitFor(),
        node(page, /^clicks, source, refuses \(429\)/).waitFor(),
      ]).finally(() => {
        seen = true;
      });
      await Promise.all([look, flood()]);
      expect(statuses).toEqual(new Set([202, 429]));
      await node(page, /^slow, stage, ok, .* queue empty/).waitFor();
      await node(page, /^clicks, source, ok, /).waitFor();
    });

    test("the keyboard goes through the nodes in order, opens and closes their details", async () => {
      const page = await openGraph(site);
      const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-node"));
      await node(page, /^words, /).focus();
      const order: unknown[] = [await focused()];
      for (let n = 0; n < 3; n++) {
        await page.keyboard.press("Tab");
        order.push(await focused());
      }
      expect(order).toEqual(["words", "checked", "checked.key-by", "word-counts"]);
      await page.keyboard.press("Enter");
      const details = page.getByRole("region", { name: "word-counts", exact: true });
      await details.getByRole("heading", { level: 2, name: "word-counts" }).waitFor();
      await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("word-counts");
      await details.getByRole("table", { name: "Shards of word-counts" }).waitFor();
      const link = await details.getByRole("link", { name: "See its values" }).getAttribute("href");
      expect(link).toBe("#/view/word-counts");
      await page.keyboard.press("Escape");
      await details.waitFor({ state: "detached" });
      await expect.poll(focused).toBe("word-counts");
    });

    test("on a phone it goes down, inside the screen, and details come from below", async () => {
      const page = await openGraph(site, { viewport: { width: 390, height: 844 } });
      const boxes = await page.locator(".graph-canvas button").evaluateAll((buttons) =>
        buttons.map((button) => {
          const { left, right, top, bottom } = button.getBoundingClientRect();
          return { left, right, top, bottom };
        }),
      );
      expect(boxes).toHaveLength(4);
      for (const [i, { left, right, bottom }] of boxes.entries()) {
        expect(left).toBeGreaterThanOrEqual(0);
        expect(right).toBeLessThanOrEqual(390);
        expect(bottom).toBeLessThan(boxes[i + 1]?.top ?? Number.POSITIVE_INFINITY);
      }
      await node(page, /^words, /).click();
      const details = page.getByRole("region", { name: "words", exact: true });
      await details.getByText("millrace-words-dead").waitFor();
      await details.getByRole("button", { name: "Close the details" }).click();
      await details.waitFor({ state: "detached" });
    });
  },
  { register },
);

inBrowser(
  "the job graph, with keys",
  (site) => {
    test("dead letters need an admin's key, which the page asks for when they are wanted", async () => {
      const { page } = await site.open({ hash: "#/graph/checks" });
      const dialog = page.getByRole("dialog", { name: "A key is needed" });
      await dialog.getByLabel("Key", { exact: true }).fill("reads");
      await page.keyboard.press("Enter");
      await say(site, "spoil", "bad");
      await node(page, /^checked, .* 1 in dead letters/).click();
      await letters(page).getByRole("button", { name: "List them" }).click();
      await dialog.getByText('it needs the scope "admin"').waitFor();
      await dialog.getByLabel("Key", { exact: true }).fill("all");
      await page.keyboard.press("Enter");
      await letters(page).getByText("bad cannot be checked").waitFor();
    });
  },
  {
    register,
    vars: { OPEN: "", KEYS: JSON.stringify({ reads: ["read"], all: ["ingest", "read", "admin"] }) },
  },
);
