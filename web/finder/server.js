// What goes over the wire: how the server is, and what is asked of it. Knows nothing of the screen.

/** phase: unknown, loading (words answer, meaning not yet), ready, failed or offline; since: when it began, by performance.now(). */
export const server = { phase: "unknown", since: 0, status: null };

/** Whether meanings are searched, or will be once they are loaded. */
export const hasMeaning = () => server.phase === "loading" || (server.phase !== "failed" && server.status?.by_meaning !== false);

const LOOK_LIMIT = 8000;  // ms

/** Asks the server how it is. */
export async function look() {
  let phase = "offline";
  try {
    const reply = await fetch("./status", { cache: "no-store", signal: AbortSignal.timeout(LOOK_LIMIT) });
    phase = "loading";  // until it says otherwise: a Space that wakes answers with a page of its host
    server.status = await reply.json();
    phase = server.status.state ?? phase;
  } catch { /* no answer, or none of ours */ }
  if (phase === server.phase) return;
  server.phase = phase;
  server.since = performance.now();
}

/** What the server said instead of an answer. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body.detail ?? (status ? `The server answered with status ${status} and no explanation` : "No connection to the server"));
    Object.assign(this, { status, code: body.code });
  }
}

const LONGEST = 2000;  // characters of an address; a pasted abstract goes as a form

async function ask(path, asked, signal) {
  const whole = address(path, asked);
  const [, parameters] = whole.split("?");
  let reply, body = {};
  try {
    reply = await (whole.length <= LONGEST ? fetch(whole, { signal })
      : fetch(path, { method: "POST", signal, body: parameters, headers: { "Content-Type": "application/x-www-form-urlencoded" } }));
    body = await reply.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;  // on the way, or with half of the answer here
    if (!reply || reply.ok) throw new Refusal(0, {});
  }
  if (!reply.ok) throw new Refusal(reply.status, body);
  return body;
}

/** {q, mode, filters: {venue: [value, …], …}} and what else is asked, as an address. */
export function address(path, { q, mode, filters = {}, ...rest }) {
  const parameters = new URLSearchParams();
  if (q) parameters.set("q", q);
  if (mode) parameters.set("mode", mode);
  for (const [name, values] of Object.entries({ ...filters, ...rest }))
    for (const value of [values].flat()) if (value !== null && value !== undefined && value !== "") parameters.append(name, value);
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

/** {q, mode, filters, like, unlike, n, offset, explain} */
export const search = (asked, signal) => ask("./api/search", asked, signal);
export const paper = (id, signal) => ask("./api/paper", { id }, signal);

/** One paper in a format, as text. */
export async function exported(format, ids) {
  const reply = await fetch(address("./api/export", { format, id: ids }));
  if (!reply.ok) throw new Refusal(reply.status, await reply.json().catch(() => ({})));
  return reply.text();
}
