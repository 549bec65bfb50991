// A stand-in for the agent's server: the page with the policy the server sends, a scripted status
// and a scripted stream. It knows nothing of the page's code.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const PAGE = new URL("../../src/daemon/server/page.html", import.meta.url);

/** Reads a fixture. A text `@SECONDS` in it is a time that far from now; `@samples` a whole budget. */
export function fixture(name) {
  const text = readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), "utf8");
  return JSON.parse(text, (_, value) => {
    if (value === "@samples") return samples();
    return typeof value === "string" && /^@-?\d+$/.test(value) ? fromNow(Number(value.slice(1))) : value;
  });
}

export const fromNow = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();

/** Returns two hours of a budget: a look every five minutes, and once a large apply. */
function samples() {
  return Array.from({ length: 240 }, (_, index) => {
    const age = (240 - index) * 30;
    const burst = Math.max(0, 6 - Math.abs(index - 150)) * 24;
    const sent = (index % 10 === 0 ? 3 : 0) + burst;
    const others = 8 + ((index * 7) % 13);
    return { at: fromNow(-age), remaining: 300 - Math.min(285, sent * 2 + others), sent };
  });
}

/** Returns the policy that allows the page's own two blocks and nothing else. */
export function policy(html) {
  const hash = (tag) => {
    const blocks = [...html.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, "g"))];
    if (blocks.length !== 1) throw new Error(`the page has ${blocks.length} <${tag}> blocks, not one`);
    return `'sha256-${createHash("sha256").update(blocks[0][1]).digest("base64")}'`;
  };
  return `default-src 'none'; style-src ${hash("style")}; script-src ${hash("script")}; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

/** Starts an agent that keeps `projects`. Every request is kept in `requests`. */
export async function startAgent(projects) {
  const html = readFileSync(PAGE, "utf8");
  const listeners = new Set();
  const sockets = new Set();
  const agent = { projects, events: [], requests: [], refuseWith: null, hangs: false };

  const server = createServer((request, response) => {
    const { pathname: path, search } = new URL(request.url, "http://agent");
    agent.requests.push({ method: request.method, path });
    if (path === "/") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy(html), "x-content-type-options": "nosniff" });
      response.end(html);
    } else if (agent.refuseWith) {
      response.writeHead(agent.refuseWith).end();
    } else if (path === "/api/status") {
      if (agent.hangs) return;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ formatVersion: agent.formatVersion ?? "1.0", projects: agent.projects }));
    } else if (path === "/api/events" && search === "?format=json") {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(agent.events));
    } else if (path === "/api/events") {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write(": hello\n\n");
      listeners.add(response);
      response.on("close", () => listeners.delete(response));
    } else {
      response.writeHead(404).end();
    }
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });

  const listen = (port) => new Promise((done) => server.listen(port, "127.0.0.1", done));
  await listen(0);
  const { port } = server.address();
  const send = (name, value) => listeners.forEach((one) => one.write(`event: ${name}\ndata: ${JSON.stringify(value)}\n\n`));

  return Object.assign(agent, {
    url: `http://127.0.0.1:${port}/`,
    /** Shows a new status of one project, as the agent does after a pass. */
    show(project) {
      const next = { ...project, updatedAt: new Date().toISOString() };
      agent.projects = [...agent.projects.filter(({ name }) => name !== next.name), next];
      send("status", next);
    },
    tell: (event) => send("event", event),
    lose: () => send("lost", {}),
    isHeard: () => listeners.size > 0,
    /** Ends every connection and takes no more, as a process that was killed. */
    async stop() {
      if (!server.listening) return;
      const closed = new Promise((done) => server.close(done));
      sockets.forEach((socket) => socket.destroy());
      await closed;
    },
    start: () => listen(port),
    /** Ends the streams only. */
    cut: () => listeners.forEach((one) => one.destroy()),
  });
}
