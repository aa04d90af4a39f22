/** The overview in a browser: what it shows as events come, whatever they are, and after the connection was cut. */
import type { Page, WebSocketRoute } from "playwright-core";
import { expect, test } from "vitest";
import { link } from "../../workers/dashboard/routes.ts";
import { eventually } from "../e2e/support.ts";
import type { Site } from "./browser.ts";
import { inBrowser, settled } from "./browser.ts";
import { plan } from "./jobs/weather.ts";

const register = { module: new URL("jobs/weather.ts", import.meta.url).pathname, plan };

const TOP = "Top 10 of visits";

/** A ranking as it is shown: the keys as they are, not as they are written, and the numbers, in their order. */
function ranking(page: Page, name = TOP): Promise<[string, number][]> {
  return page
    .getByRole("list", { name, exact: true })
    .locator("li")
    .evaluateAll((rows) =>
      rows.map((row): [string, number] => [
        row.getAttribute("data-row") ?? "",
        Number(row.querySelector("data")?.value),
      ]),
    );
}

/** One of the figures of the main view. */
async function figure(page: Page, name: string): Promise<number> {
  const value = page.locator(".ov-large .stat", { hasText: name }).locator("data");
  return Number(await value.getAttribute("value"));
}

async function get<Answer>(site: Site, path: string): Promise<Answer> {
  return (await (await site.runtime.fetch(path)).json()) as Answer;
}

interface Listed {
  readonly entries: readonly { readonly key: string; readonly value: number }[];
}

/** Waits until the page says what the API says, after everything that was sent has come. */
async function agrees(site: Site, page: Page, total: number): Promise<void> {
  await eventually(async () => {
    const sum = await get<{ total: number }>(site, "/v1/views/visits?total=1");
    if (sum.total !== total) return false;
    const { entries } = await get<Listed>(site, "/v1/views/visits?top=10");
    const shown = JSON.stringify(await ranking(page));
    return shown === JSON.stringify(entries.map(({ key, value }) => [key, value]));
  });
  await eventually(async () => (await figure(page, "Total")) === total);
}

async function total(site: Site): Promise<number> {
  return (await get<{ total: number }>(site, "/v1/views/visits?total=1")).total;
}

async function report(site: Site, ...readings: readonly unknown[]): Promise<void> {
  const answer = await site.runtime.fetch("/v1/sources/readings", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(readings),
  });
  expect(answer.status, await answer.text()).toBe(202);
}

inBrowser(
  "the overview",
  (site) => {
    test("says what to do where there is nothing, and shows a click that comes without being loaded again", async () => {
      const { page, complaints } = await site.open();
      await settled(page);
      const empty = page.getByRole("region", { name: "Top 10", exact: true });
      await empty.getByText(`-d '/home' '${site.runtime.url.origin}/v1/sources/clicks'`).waitFor();
      await page.evaluate(() => Object.assign(window, { stayed: true }));
      const heights = () =>
        page.locator(".ov-large").evaluate((element) => element.getBoundingClientRect().height);
      const before = await heights();

      await site.send("/home", "/about", "/home");
      await eventually(async () => JSON.stringify(await ranking(page)) === '[["/home",2],["/about",1]]');
      await agrees(site, page, 3);
      await site.send("/about", "/about");
      await eventually(async () => JSON.stringify(await ranking(page)) === '[["/about",3],["/home",2]]');
      expect(await page.evaluate(() => "stayed" in window)).toBe(true);
      expect(await heights(), "the page must not jump").toBe(before);
      expect(complaints).toEqual([]);
    });

    test("shows views over time as windows have them, as a table too", async () => {
      await site.send("/home");
      const { page } = await site.open();
      const history = page.locator(".ov-large figure");
      await history.getByText("As a table").click();
      await eventually(async () => {
        const columns = history.locator("tbody tr td:nth-last-child(2)");
        const sums = (await columns.allTextContents()).map(Number);
        return sums.reduce((all, n) => all + n, 0) === (await total(site)) && sums.length >= 20;
      });
      await history.getByText(/so far$/).waitFor();
    });

    test.each([
      {
        what: "markup",
        url: `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`,
      },
      { what: "text that turns around", url: "/\u202egnp.exe\u2066" },
      { what: "emoji, and what addresses are made of", url: "/😀/👩‍💻?é=ü#top" },
      { what: "a very long text", url: `/${"long".repeat(200)}` },
      { what: "control characters, and what looks encoded", url: "/a%2Fb/../%00 \u0000\u0007\n\tend" },
      { what: "nothing but slashes", url: "//" },
      { what: "something that is not seen", url: "\u00ad" },
    ])("shows $what as text, wherever it stands, and has a page for it", async ({ url }) => {
      await site.send(...Array.from({ length: 20 }, () => url));
      const { page, complaints } = await site.open();
      const dialogs: string[] = [];
      page.on("dialog", (dialog) => {
        dialogs.push(dialog.message());
        void dialog.dismiss();
      });
      const address = link({ page: "key", view: "visits", key: url });
      const row = page.getByRole("list", { name: TOP, exact: true }).locator(`li:has(a[href="${address}"])`);
      await row.waitFor();
      expect(await row.locator("data").getAttribute("value")).toBe("20");
      expect(await page.locator("img, main script").count()).toBe(0);
      await row.getByRole("link").click();
      await page.locator(".ov-now").getByText("20", { exact: true }).waitFor();
      expect(await page.locator("img, main script").count()).toBe(0);
      expect(await page.title()).not.toBe("taken");
      await page.reload();
      await page.locator(".ov-now").getByText("20", { exact: true }).waitFor();
      const json = await page.getByRole("link", { name: "The address of this key" }).getAttribute("href");
      expect(await get(site, json ?? "")).toEqual({ view: "visits", key: url, value: 20 });
      const beside = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(beside).toBeLessThanOrEqual(0);
      expect([...dialogs, ...complaints]).toEqual([]);
    });

    test("loses nothing when its sockets are cut while events come", async () => {
      const { page } = await site.open();
      const sockets = new Set<WebSocketRoute>();
      let down = false;
      await page.routeWebSocket(/\/live/, (socket) => {
        if (down) return void socket.close({ code: 1011 });
        socket.connectToServer();
        sockets.add(socket);
      });
      await page.reload();
      const before = await total(site);
      await agrees(site, page, before);
      expect(sockets.size).toBeGreaterThan(0);

      down = true;
      await Promise.all([...sockets].map((socket) => socket.close({ code: 1011 })));
      await page
        .getByText(/^not live since/)
        .first()
        .waitFor();
      await site.send(...Array.from({ length: 300 }, (_, i) => `/cut/${i % 3}`), "/home");
      await eventually(async () => (await total(site)) === before + 301);
      // What it shows is as old as it says, and not half of the new.
      expect(await figure(page, "Total")).toBe(before);

      down = false;
      await agrees(site, page, before + 301);
      await page
        .getByText(/^not live since/)
        .first()
        .waitFor({ state: "detached" });
      await site.send("/home");
      await agrees(site, page, before + 302);
    });

    test("goes on after the server was started again", async () => {
      const { page } = await site.open();
      const before = await total(site);
      await agrees(site, page, before);
      await site.runtime.restart();
      await site.send("/again", "/again");
      await agrees(site, page, before + 2);
    });

    test("filters by what keys begin with, live, in an address that can be passed on", async () => {
      await site.send("/products/1", "/products/2", "/products/2", "/Products/3");
      const { page } = await site.open();
      const list = "The first 10 of the keys that begin so";
      await page.getByRole("searchbox", { name: "Begins with" }).fill("/products/");
      await eventually(async () => {
        return JSON.stringify(await ranking(page, list)) === '[["/products/2",2],["/products/1",1]]';
      });
      await page.getByText("2 keys begin so, 3 in all").waitFor();
      expect(new URL(page.url()).hash).toBe("#/?prefix=%2Fproducts%2F");
      await page.reload();
      await page.getByText("2 keys begin so, 3 in all").waitFor();
      await site.send("/products/9", "/products/9", "/products/9");
      await eventually(async () => (await ranking(page, list))[0]?.join() === "/products/9,3");
      await page.getByRole("link", { name: "All of them" }).click();
      await page.getByRole("heading", { level: 1, name: "visits", exact: true }).waitFor();
      await page.getByText("3 keys shown").waitFor();
      await page.getByRole("searchbox", { name: "Begins with" }).fill("/nothing begins so");
      await page.getByText("No key begins so").waitFor();
    });

    test("lists all keys page by page, each exactly once", async () => {
      const keys = Array.from({ length: 120 }, (_, i) => `/paged/${String(i).padStart(3, "0")}`);
      await site.send(...keys);
      const { page } = await site.open({
        hash: link({ page: "view", view: "visits", params: { prefix: "/paged/" } }),
      });
      await page.getByText("50 keys shown").waitFor();
      await page.getByRole("button", { name: "Show more" }).click();
      await page.getByText("100 keys shown").waitFor();
      await page.getByRole("button", { name: "Show more" }).click();
      await page.getByText("120 keys shown").waitFor();
      expect(await page.getByRole("button", { name: "Show more" }).count()).toBe(0);
      expect(await page.locator("tbody tr td:first-child").allTextContents()).toEqual(keys);
    });

    test("a key's page follows its value, and shows the windows in which it came", async () => {
      const { page } = await site.open({ hash: link({ page: "key", view: "visits", key: "/followed" }) });
      await page.getByText("This key was never seen").waitFor();
      await site.send("/followed", "/followed");
      await page.locator(".ov-now").getByText("2", { exact: true }).waitFor();
      await page.getByRole("region", { name: "visits-per-minute" }).getByText("As a table").click();
      await eventually(async () => {
        const sums = await page.locator("tbody tr td:nth-child(2)").allTextContents();
        return sums.map(Number).reduce((all, n) => all + n, 0) === 2;
      });
      const others = page.getByRole("region", { name: "In the job's other views" });
      await others.getByRole("link", { name: "visits-per-minute" }).click();
      await page.getByRole("region", { name: "Its windows" }).waitFor();
    });

    test("a view of windows shows the time that is asked for, and says so where there was nothing", async () => {
      await site.send("/windowed");
      const view = "visits-per-minute";
      const { page, go } = await site.open({ hash: link({ page: "view", view }) });
      await page.getByRole("list", { name: "Its largest keys" }).first().waitFor();
      await page.getByRole("button", { name: "The last 6 h" }).click();
      await page.getByRole("button", { name: "The last 6 h", pressed: true }).waitFor();
      await page.getByRole("list", { name: "Its largest keys" }).first().waitFor();
      await go(link({ page: "view", view, params: { from: "2020-01-01T00:00Z", to: "2020-01-01T01:00Z" } }));
      await page.getByText("No windows in this time").waitFor();
    });

    test("shows another job by what its views hold: records by window, states, top lists", async () => {
      await report(
        site,
        { station: "hill", wind: 120, from: "west" },
        { station: "hill", wind: 80, from: "west" },
        { station: "hill", wind: 130, from: "north" },
        { station: "<b>shore</b>", wind: 30, from: "east" },
      );
      const { page, complaints } = await site.open();
      await page.getByRole("heading", { level: 2, name: "weather" }).waitFor();
      const cells = (view: string) =>
        page
          .getByRole("region", { name: view, exact: true })
          .last()
          .locator("tbody tr")
          .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
      await eventually(async () => (await cells("winds-per-hour")).some(([key]) => key === "hill"));
      expect(await cells("winds-per-hour")).toEqual([
        ["<b>shore</b>", "1", "30"],
        ["hill", "3", "130"],
      ]);
      await eventually(async () => (await cells("warnings")).length === 2);
      expect(await cells("warnings")).toEqual([
        ["<b>shore</b>", "resolved", "30"],
        ["hill", "raised", "130"],
      ]);
      await eventually(async () => (await cells("directions")).length === 2);
      expect((await cells("directions"))[1]).toEqual(["hill", "west 2north 1"]);
      await report(site, { station: "hill", wind: 10, from: "west" });
      await eventually(async () => (await cells("warnings"))[1]?.join() === "hill,resolved,10");
      expect(complaints).toEqual([]);
    });

    test("tells an address that names nothing what there is", async () => {
      const { page, go } = await site.open({ hash: "#/view/nowhere" });
      await page.getByRole("heading", { level: 1, name: "No view nowhere" }).waitFor();
      await page.getByRole("link", { name: "visits", exact: true }).waitFor();
      await go("#/view/visits/key/%E0%A4%A");
      await page.getByRole("heading", { level: 1 }).waitFor();
    });
  },
  { register },
);
