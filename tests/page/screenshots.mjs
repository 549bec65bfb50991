// Draws the pictures of `docs/` from the fixtures: `npm run screenshots`.

import { fixture, startAgent } from "./agent.mjs";
import { openPage, startBrowser } from "./browser.mjs";

const DOCS = process.env.DOCS ?? new URL("../../docs/", import.meta.url).pathname;

const agent = await startAgent([fixture("trouble")]);
const browser = await startBrowser();

async function shoot(name, options, act = async () => {}) {
  const { page, close } = await openPage(browser, agent.url, options);
  await page.getByRole("heading", { level: 1, name: /Invalid|In sync/ }).waitFor();
  fixture("events").forEach(agent.tell);
  await page.getByText("were changed by hand").first().waitFor();
  await act(page);
  await page.screenshot({ path: `${DOCS}/${name}.png`, fullPage: options.fullPage ?? false });
  await close();
}

const desk = { viewport: { width: 1200, height: 920 } };
await shoot("page-light", { ...desk, colorScheme: "light" });
await shoot("page-dark", { ...desk, colorScheme: "dark" });
await shoot("page-phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true });

await browser.close();
await agent.stop();
