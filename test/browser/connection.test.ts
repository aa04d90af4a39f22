/** The live page's connection: it says when it is cut, comes back by itself, and misses nothing. */
import { expect, test } from "vitest";
import { inBrowser, PATIENCE } from "./browser.ts";

inBrowser("the connection", (site) => {
  test("after the server was away, the page shows everything that came meanwhile, without a reload", async () => {
    await site.send("/home", "/home", "/home");
    const { page } = await site.open();
    const showsHome = (count: number) =>
      page
        .locator("main")
        .getByRole("listitem")
        .filter({ hasText: "/home" })
        .filter({ hasText: `${count}` });
    await page.getByText("Live", { exact: true }).waitFor();
    await showsHome(3).first().waitFor();
    await page.evaluate(() => Object.assign(globalThis, { since: "before the cut" }));

    await Promise.all([
      page.getByText(/^(Reconnecting|No answer)$/).waitFor(),
      // Every socket is cut, as by a deploy or a crash.
      site.runtime.restart(),
    ]);
    await site.send("/home", "/home", "/away");
    await page.getByText("Live", { exact: true }).waitFor();
    await showsHome(5).first().waitFor();
    await page.locator("main").getByText("/away", { exact: true }).first().waitFor();
    await site.send("/home");
    await showsHome(6).first().waitFor();
    expect(await page.evaluate(() => (globalThis as { since?: string }).since)).toBe("before the cut");
  });

  test("parts that show the same share one socket, which is closed when nobody shows it any more", async () => {
    const { page, go } = await site.open();
    const address = page.url();
    // What is opened before somebody counts is not to be counted by halves.
    await page.goto("about:blank");
    const opened: string[] = [];
    const open = new Set<string>();
    page.on("websocket", (socket) => {
      opened.push(socket.url());
      open.add(socket.url());
      socket.on("close", () => open.delete(socket.url()));
    });
    await page.goto(address);
    await page.getByText("Live", { exact: true }).waitFor();
    const views = () => [...open].filter((url) => url.includes("/v1/views/"));
    await expect.poll(() => views().length, { timeout: PATIENCE }).toBeGreaterThan(0);
    expect(opened).toEqual([...new Set(opened)]);
    await go("#/nowhere");
    await expect.poll(views, { timeout: PATIENCE }).toEqual([]);
    expect([...open].filter((url) => url.endsWith("/v1/health/live"))).toHaveLength(1);
  });
});
