// The few things that must hold against the real agent: STOKER_PAGE_URL says where it listens.

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertClean, openPage, overhang, startBrowser } from "./browser.mjs";

const url = process.env.STOKER_PAGE_URL;

test("the real agent's page is live, clean and fits a phone", { skip: url ? false : "STOKER_PAGE_URL is not set" }, async () => {
  const browser = await startBrowser();
  try {
    for (const options of [{}, { viewport: { width: 360, height: 740 }, isMobile: true }, { colorScheme: "dark" }]) {
      const one = await openPage(browser, url, options);
      await one.page.locator("#project").waitFor({ state: "visible" });
      await one.page.locator("#link").getByText("Live", { exact: true }).waitFor();
      assert.notEqual(await one.page.locator("#headline").innerText(), "");
      assert.notEqual(await one.page.locator("#facts").innerText(), "");
      assert.equal(await overhang(one.page), 0);
      await assertClean(one);
      await one.close();
    }
  } finally {
    await browser.close();
  }
});
