/** A deployment with keys, in a browser: the page asks for a key, and keeps it where the visitor wants it. */
import { expect, test } from "vitest";
import { inBrowser, settled } from "./browser.ts";

const KEYS = JSON.stringify({ "reads-only": ["read"], "sends-only": ["ingest"] });

inBrowser(
  "with keys",
  (site) => {
    test("the page asks for a key, shows what it opens, and keeps it in this tab, out of the address", async () => {
      const visit = await site.open();
      const { page } = visit;
      const dialog = page.getByRole("dialog", { name: "A key is needed" });
      await dialog.getByText("this needs a key").waitFor();
      await dialog.getByLabel("Key", { exact: true }).fill("not-a-key");
      await dialog.getByRole("button", { name: "Use this key" }).click();
      await dialog.getByText("this key is not known").waitFor();
      await dialog.getByLabel("Key", { exact: true }).fill("reads-only");
      await page.keyboard.press("Enter");
      await page.getByText("Live", { exact: true }).waitFor();
      await page.getByText("page-views", { exact: true }).first().waitFor();
      expect(page.url()).not.toContain("reads-only");

      await page.reload();
      await page.getByText("Live", { exact: true }).waitFor();
      expect(await page.getByRole("dialog").count()).toBe(0);
      const other = await page.context().newPage();
      await other.goto(page.url());
      await other.getByRole("dialog", { name: "A key is needed" }).waitFor();
    });

    test("a key that may not read is refused in the server's words", async () => {
      const { page } = await site.open();
      await page.getByLabel("Key", { exact: true }).fill("sends-only");
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").getByText('it needs the scope "read"').waitFor();
    });

    test("a key is remembered on this device if the visitor says so, until he has it forgotten", async () => {
      const { page } = await site.open();
      await page.getByLabel("Key", { exact: true }).fill("reads-only");
      await page.getByLabel("Remember it on this device").check();
      await page.keyboard.press("Enter");
      await page.getByText("Live", { exact: true }).waitFor();
      const other = await page.context().newPage();
      await other.goto(page.url());
      await other.getByText("Live", { exact: true }).waitFor();
      await other.getByRole("button", { name: "Key", exact: true }).click();
      await other.getByRole("button", { name: "Forget the key" }).click();
      await other.getByRole("dialog", { name: "A key is needed" }).waitFor();
      await other.reload();
      await settled(other);
      await other.getByRole("dialog", { name: "A key is needed" }).waitFor();
    });

    test("who closes the dialog is not asked again by what the page does by itself, and can ask himself", async () => {
      const { page } = await site.open();
      await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
      await page.getByText("Stopped", { exact: true }).waitFor();
      await page.getByRole("link", { name: "Graph", exact: true }).click();
      await settled(page);
      expect(await page.getByRole("dialog").count()).toBe(0);
      await page.getByRole("button", { name: "Enter a key" }).click();
      await page.getByRole("dialog", { name: "A key is needed" }).waitFor();
    });
  },
  { vars: { OPEN: "", KEYS } },
);
