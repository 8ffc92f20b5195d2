// The REST API, as the pages ask it. A refusal is an error with the server's own sentence.

const page = document.body.dataset;
export const base = page.api;
export const project = page.project || null;

/** What the server refused: `status`, and `message` in words for people. */
export class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** "/projects/3/runs" with what follows the question mark; null, undefined and "" are left out. */
export function address(path, query = {}) {
  const known = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = new URLSearchParams(known).toString();
  return base + path + (search ? `?${search}` : "");
}

/** "/projects/<the page's project>" and what comes below it. */
export function ofProject(path = "") {
  return `/projects/${encodeURIComponent(project)}${path}`;
}

async function ask(method, path, { query, body, file, signal } = {}) {
  // Label Studio, where it hands this on, looks whether its user may do that in the project.
  const headers = { Accept: "application/json", ...(project ? { "X-Espalier-Project": project } : {}) };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (file) headers["Content-Type"] = file.type || "application/octet-stream";
  let response;
  try {
    response = await fetch(address(path, query), {
      method, headers, signal, credentials: "same-origin", body: file ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "Espalier does not answer: is it still running?");
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    throw new Problem(response.status, `Espalier answered with something that is no JSON (status ${response.status})`);
  }
  if (response.status === 401) location.reload();
  if (!response.ok) throw new Problem(response.status, answer?.detail || answer?.error || `status ${response.status}`);
  return answer;
}

export const get = (path, query, more) => ask("GET", path, { query, ...more });
export const post = (path, body = {}, more) => ask("POST", path, { body, ...more });
export const put = (path, body = {}, more) => ask("PUT", path, { body, ...more });
export const patch = (path, body = {}, more) => ask("PATCH", path, { body, ...more });
export const remove = (path, query) => ask("DELETE", path, { query });
export const upload = (path, file, query) => ask("POST", path, { file, query });

/** Every page of a list, one after the other, until `most` items are there. */
export async function all(path, query = {}, most = 1000) {
  const items = [];
  for (let offset = 0; items.length < most; offset += 200) {
    const answer = await get(path, { ...query, offset, limit: 200 });
    items.push(...answer.items);
    if (answer.items.length < 200) break;
  }
  return items;
}
