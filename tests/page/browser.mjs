// A real headless Chromium, and what is watched in it whatever a test is about.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

export async function startBrowser() {
  assert.ok(existsSync(EXECUTABLE), `there is no ${EXECUTABLE}; tests/page/run installs it`);
  // Without the last flags it looks for its maker's hosts at every start.
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({ executablePath: EXECUTABLE, headless: true, args });
}

/** Opens the page in a context of its own, and keeps all that must never happen in `wrongs`. `prepare` comes before the page is loaded. */
export async function openPage(browser, url, options = {}) {
  const { prepare = async () => {}, ...context } = options;
  const own = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: "UTC", ...context });
  own.setDefaultTimeout(15_000);
  const page = await own.newPage();
  const wrongs = [];
  const origin = new URL(url).origin;
  page.on("pageerror", (error) => wrongs.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // What the network says when a test takes the agent away is no fault of the page.
    const isNetwork = message.text().startsWith("Failed to load resource");
    if (["error", "warning"].includes(message.type()) && !isNetwork) wrongs.push(`console: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    wrongs.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    const isOwn = request.url().startsWith("data:") || new URL(request.url()).origin === origin;
    if (!isOwn) wrongs.push(`request to another origin: ${request.url()}`);
    if (request.method() !== "GET") wrongs.push(`request that writes: ${request.method()} ${request.url()}`);
  });
  await page.addInitScript(() => {
    globalThis.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => globalThis.violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
  });
  await prepare(page);
  await page.goto(url);
  return { page, wrongs, close: () => own.close() };
}

/** Asserts that nothing happened that must never happen. */
export async function assertClean({ page, wrongs }) {
  assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
  assert.deepEqual(wrongs, []);
}

/** How far the document is wider than the window, in pixels. */
export const overhang = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
