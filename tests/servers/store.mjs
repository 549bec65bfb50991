// What is behind the API: one project for each token. It knows nothing of HTTP or of limits.
import { appendFileSync } from 'node:fs';

const PLURALS = { services: 'svc', databases: 'db', envgroups: 'evg' };

export class Project {
  #lists = { services: [], databases: [], envgroups: [] };
  #next = 1;

  list(kind, page, size) {
    const all = this.#lists[kind];
    return { [kind]: all.slice((page - 1) * size, page * size), total: all.length, page };
  }

  find(kind, id) {
    return this.#lists[kind].find((object) => object.id === id);
  }

  create(kind, fields) {
    const object = {
      id: `${PLURALS[kind]}_${this.#next++}`,
      status: kind === 'databases' ? 'available' : 'running',
      ...fields,
      created_at: new Date().toISOString(),
    };
    this.#lists[kind].push(object);
    return object;
  }

  // A merge patch, but that variables are put in by their keys (A5).
  patch(object, { env_vars: variables = [], ...changes }) {
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) delete object[name];
      else object[name] = value;
    }
    for (const variable of variables) {
      const others = (object.env_vars ?? []).filter(({ key }) => key !== variable.key);
      object.env_vars = variable.value === null ? others : [...others, variable];
    }
    return object;
  }

  remove(kind, object) {
    this.#lists[kind] = this.#lists[kind].filter((other) => other !== object);
  }
}

const projects = new Map();

export function projectOf(authorization) {
  if (!authorization?.startsWith('Bearer sb_live_')) return undefined;
  if (!projects.has(authorization)) projects.set(authorization, new Project());
  return projects.get(authorization);
}

export const problem = (status, code, message) => ({
  error: { code, message, status, request_id: `req_${Math.random().toString(36).slice(2)}` },
});

// The judge reads what was asked and answered here, and not what the client says of it.
export function record(token, method, path, status, name) {
  const line = { at: Date.now(), token, method, path, status, name };
  appendFileSync(process.env.RECORD, `${JSON.stringify(line)}\n`);
}
