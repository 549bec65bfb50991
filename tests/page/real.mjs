// The real agent on a sandbox of its own: STOKER is the binary.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const BINARY = process.env.STOKER ?? new URL("../../target/debug/stoker", import.meta.url).pathname;
const TOKEN = "sb_live_emulator";
const PATIENCE_MS = 60_000;

export const isBuilt = () => existsSync(BINARY);

/** Waits until `look` returns something. */
export async function until(what, look) {
  for (const begun = Date.now(); Date.now() - begun < PATIENCE_MS; ) {
    const found = await look();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 100));
  }
  return assert.fail(`${what}, in vain`);
}

/** Makes a directory for agents, which share its state; `remove` ends it. */
export function makePlace() {
  const place = mkdtempSync(join(tmpdir(), "stoker-page-"));
  return { place, remove: () => rmSync(place, { recursive: true, force: true }) };
}

/** Starts an agent in a directory. `run` are the arguments of `stoker run`. */
export async function startRealAgent(place, run) {
  const args = ["run", "--sandbox", "--listen", "127.0.0.1:0", "--state", "state", ...run];
  const child = spawn(BINARY, args, { cwd: place, env: { PATH: process.env.PATH, TZ: "UTC" }, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((done) => child.on("exit", done));
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
  const said = (pattern) => until(`it says ${pattern}`, () => {
    assert.equal(child.exitCode, null, log);
    return pattern.exec(log)?.[1];
  });
  const url = await said(/The status is at (\S+)/);
  const api = await said(/The sandbox of \S+ is at (\S+);/);
  const agent = {
    url,
    log: () => log,
    /** Asks the platform itself, behind the agent's back. */
    async platform(method, path, body) {
      const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
      const answer = await fetch(api + path, { method, headers, body: body && JSON.stringify(body) });
      assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
      return answer.status === 204 ? null : answer.json();
    },
    /** Returns the id of a service. */
    async idOf(name) {
      const { services } = await agent.platform("GET", "/services?per_page=100");
      return services.find((service) => service.name === name)?.id;
    },
    async status() {
      const { projects } = await (await fetch(`${url}api/status`)).json();
      return projects[0];
    },
    /** Waits until the project's status is as wanted. */
    until: (what, isSo) => until(`${what}\n${log}`, async () => isSo(await agent.status())),
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
  return agent;
}

/** Whether everything is as declared. */
export const isSynced = ({ conditions }) => conditions.some(({ type, status }) => type === "Ready" && status === "True");
