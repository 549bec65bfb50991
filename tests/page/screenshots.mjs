// Draws the pictures of `docs/` from a real agent on a sandbox, led into trouble: `npm run screenshots`.
// It takes ten minutes, because the request budget is drawn over time.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { openPage, startBrowser } from "./browser.mjs";
import { isSynced, makePlace, startRealAgent } from "./real.mjs";

const DOCS = process.env.DOCS ?? new URL("../../docs/", import.meta.url).pathname;
const MANIFESTS = new URL("../../manifests", import.meta.url).pathname;
const MINUTES = Number(process.env.MINUTES ?? 10);
const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

const { place, remove } = makePlace();
const repository = join(place, "guestbook");
mkdirSync(repository);
cpSync(MANIFESTS, join(repository, "manifests"), { recursive: true });

function git(...words) {
  const who = { NAME: "Ines Okafor", EMAIL: "ines@acme.test" };
  const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: "/dev/null", GIT_AUTHOR_NAME: who.NAME, GIT_AUTHOR_EMAIL: who.EMAIL, GIT_COMMITTER_NAME: who.NAME, GIT_COMMITTER_EMAIL: who.EMAIL };
  execFileSync("git", words, { cwd: repository, env });
}

/** Commits changes: each a file, what stands there, and what is to stand there. */
function commit(subject, ...changes) {
  for (const [name, from, to] of changes) {
    const file = join(repository, "manifests", name), text = readFileSync(file, "utf8");
    if (!text.includes(from)) throw new Error(`${name} does not hold ${from}`);
    writeFileSync(file, text.replace(from, to));
  }
  git("add", "--all");
  git("commit", "--quiet", "--message", subject);
}

/** Lets the next deployment of a service fail, in the sandbox that nobody holds just now. */
function failNext(name, log) {
  const file = join(place, "state/sandbox/world.json"), saved = JSON.parse(readFileSync(file, "utf8"));
  const services = Object.values(saved.world.services.items).map(({ value }) => value);
  services.find((service) => service.name === name).next_failure = log;
  writeFileSync(file, JSON.stringify(saved));
}

const RUN = ["--repo", "guestbook", "--path", "manifests", "--git-poll", "2s", "--interval", "30s", "--deploys-max", "1"];
const start = () => startRealAgent(place, RUN);

git("init", "--quiet", "--initial-branch=main");
commit("guestbook: first version");
let agent = await start();
await agent.until("it should be in sync", isSynced);
await agent.stop();
failNext("mailer", ["npm ci: 214 packages in 9 s", "> node dist/mailer.js", "Error: Cannot find module './templates/welcome.html'", "    at dist/mailer.js:41:17", "exited with code 1"]);
agent = await start();
const browser = await startBrowser();
try {
  await agent.until("it should be in sync", isSynced);
  commit("cleanup: the night's job is tuned by hand, only watch it", ["background.yaml", "name: cleanup", "name: cleanup\nlifecycle: { managementPolicies: [Observe, Create] }"]);
  await agent.until("the commit is applied", ({ source }) => source.revision?.subject?.startsWith("cleanup"));
  await agent.platform("PATCH", `/services/${await agent.idOf("cleanup")}`, { schedule: "0 5 * * *" });
  // Other clients of the same token, in bursts: the budget follows what the platform says is left.
  const end = Date.now() + MINUTES * 60_000;
  for (let round = 0; Date.now() < end; round += 1) {
    for (let count = 0; count < 4 + ((round * 7) % 31) * 3; count += 1) await agent.platform("GET", "/project");
    await pause(20);
  }
  commit("mailer: a template for new readers", ["background.yaml", "startCommand: node dist/mailer.js", "startCommand: node dist/mailer.js --templates"]);
  await agent.until("the deployment failed", ({ resources }) => resources.some(({ conditions }) => conditions.some(({ reason }) => reason === "DeployFailed")));
  commit("main-db: version 17", ["database.yaml", 'version: "16"', 'version: "17"']);
  await agent.until("the database is blocked", ({ pending }) => pending.some(({ key, blocked }) => key === "database/main-db" && blocked));
  await agent.until("the drift is seen", ({ resources }) => resources.some(({ conditions }) => conditions.some(({ reason }) => reason === "Drift")));
  await shootAll();
} finally {
  await browser.close();
  await agent.stop();
  remove();
}

async function shootAll() {
  const desk = { viewport: { width: 1200, height: 1100 } };
  await shoot("page-light", { ...desk, colorScheme: "light" });
  await shoot("page-dark", { ...desk, colorScheme: "dark" });
  await shoot("page-phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
}

async function shoot(name, options) {
  const { page, close } = await openPage(browser, agent.url, options);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator("#events li").nth(3).waitFor();
  // The directory of this run says nothing to anybody.
  await page.locator("#source").evaluate((line, prefix) => {
    for (const part of line.querySelectorAll("*")) if (!part.children.length) part.textContent = part.textContent.replace(prefix, "");
  }, `${place}/`);
  await page.screenshot({ path: join(DOCS, `${name}.png`), fullPage: options.fullPage ?? false });
  await close();
}
