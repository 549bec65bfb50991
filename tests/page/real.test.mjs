// What must hold against the real agent: one on a sandbox, or the one at STOKER_PAGE_URL.

import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { assertClean, openPage, overhang, startBrowser } from "./browser.mjs";
import { isBuilt, isSynced, makePlace, startRealAgent } from "./real.mjs";

const MANIFESTS = new URL("../../manifests", import.meta.url).pathname;
const given = process.env.STOKER_PAGE_URL;
const needsBinary = { skip: isBuilt() ? false : "there is no binary: `cargo build` makes one" };

/** Runs a test with an agent that keeps a copy of this repository's manifests. */
async function withAgent(act) {
  const { place, remove } = makePlace();
  cpSync(MANIFESTS, join(place, "manifests"), { recursive: true });
  const [agent, browser] = await Promise.all([startRealAgent(place, ["manifests/", "--interval", "1h"]), startBrowser()]);
  try {
    await act({ agent, browser, place });
  } finally {
    await browser.close();
    await agent.stop();
    remove();
  }
}

async function looksRight(browser, url) {
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
}

test("the page of the agent at STOKER_PAGE_URL is live, clean and fits a phone", { skip: given ? false : "STOKER_PAGE_URL is not set" }, async () => {
  const browser = await startBrowser();
  try {
    await looksRight(browser, given);
  } finally {
    await browser.close();
  }
});

test("a real agent's page is live, clean and fits a phone", needsBinary, () => withAgent(({ agent, browser }) => looksRight(browser, agent.url)));

test("what happens to a real agent is on its page without reloading", needsBinary, () =>
  withAgent(async ({ agent, browser, place }) => {
    await agent.until("it should be in sync", isSynced);
    const one = await openPage(browser, agent.url);
    const headline = (word) => one.page.getByRole("heading", { level: 1, name: new RegExp(`^${word}, `) }).waitFor();
    await headline("In sync");
    assert.equal(await (await one.page.locator("#resources").innerText()).includes("service/web"), true);
    const file = join(place, "manifests/web.yaml"), good = readFileSync(file, "utf8");
    writeFileSync(file, good.replace("port: 3000", "prot: 3000"));
    await headline("Invalid manifests");
    await one.page.locator("#banner").getByText(/manifests\/web\.yaml:\d+:\d+/).waitFor();
    assert.equal((await agent.platform("GET", "/services")).total, 3);
    writeFileSync(file, good.replace("port: 3000", "port: 3001"));
    await one.page.locator("#history").getByText(/1 changes? written/).first().waitFor();
    await headline("In sync");
    await assertClean(one);
    await one.close();
  }));
