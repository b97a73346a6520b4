// What goes over the wire. Knows nothing of the screen.

/** phase: unknown, ready, waking, away (nobody can read), offline; session: who is signed in. */
export const server = { phase: "unknown", status: null, session: null, locked: false };

const LOOK_LIMIT = 8000;  // ms
/** This window, for the locks between reviewers. */
export const reviewer = crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

let token = "";
try { token = sessionStorage.getItem("token") ?? ""; } catch { /* storage may be forbidden */ }
/** The token of this visit; it is gone with the tab. */
export function keepToken(value) {
  token = value.trim();
  try { sessionStorage.setItem("token", token); } catch { /* kept for this page alone */ }
}

let whenLocked = () => {};
export const onLocked = (listener) => { whenLocked = listener; };

const headers = () => ({ ...(token ? { Authorization: `Bearer ${token}` } : {}),
  ...(server.session?.csrf ? { "X-Csrf-Token": server.session.csrf } : {}) });

/** {ok, status, body, reply}; status 0: no answer at all. */
export async function ask(path, { method = "GET", json, body, raw = false, extra = {} } = {}) {
  let reply;
  try {
    reply = await fetch(`./${path}`, { method, cache: "no-store", body: json === undefined ? body : JSON.stringify(json),
      headers: { ...headers(), ...(json === undefined ? {} : { "Content-Type": "application/json" }), ...extra } });
  } catch {
    return { ok: false, status: 0, body: { detail: "The gateway does not answer; is this device online?" } };
  }
  if (reply.status === 401) { server.locked = true; whenLocked(); }
  try {
    return { ok: reply.ok, status: reply.status, body: await (raw && reply.ok ? reply.blob() : reply.json()), reply };
  } catch {
    return { ok: false, status: reply.ok ? 0 : reply.status, reply,
      body: { detail: reply.ok ? "The gateway's answer broke off; try again" : `The gateway answered with status ${reply.status}` } };
  }
}

/** Asks how the gateway and the reader behind it are. */
export async function look() {
  try {
    const reply = await fetch("./status", { cache: "no-store", headers: headers(), signal: AbortSignal.timeout(LOOK_LIMIT) });
    server.status = await reply.json();
    const space = server.status.space?.state;
    server.phase = !server.status.ready ? "away" : space === "waking" ? "waking" : "ready";
  } catch {
    server.phase = "offline";
  }
}

/** Who is here, and whether anybody has to say so. */
export async function lookWho() {
  const { ok, body } = await ask("session");
  server.session = ok ? body : null;
  return server.session;
}
