// What goes over the wire: how the server is, and one sheet there and back. Knows nothing of the screen.

/** phase: unknown, loading, ready, failed, draining or offline; since: when it began, by performance.now(). */
export const server = { phase: "unknown", since: 0, status: null };

const LOOK_LIMIT = 8000;  // ms; probes are answered in a few, whatever the models do

/** Asks the server how it is. */
export async function look() {
  let phase = "offline";
  try {
    const reply = await fetch("./status", { cache: "no-store", signal: AbortSignal.timeout(LOOK_LIMIT) });
    phase = "loading";  // until it says otherwise: a Space that wakes answers with a page of its host
    const status = await reply.json();
    server.status = status;
    phase = status.ready ? "ready" : status.state ?? "loading";
  } catch { /* no answer, or none of ours */ }
  if (phase === server.phase) return;
  server.phase = phase;
  server.since = performance.now();
}

export const bodyLimit = () => server.status?.limits?.body_bytes ?? 52_428_800;

let token = "";
try { token = sessionStorage.getItem("token") ?? ""; } catch { /* storage may be forbidden */ }
export const hasToken = () => token !== "";

/** The token of this visit; it is gone with the tab. */
export function keepToken(value) {
  token = value.trim();
  try { sessionStorage.setItem("token", token); } catch { /* kept for this page alone */ }
}

export const extractUrl = () => new URL("./extract", location.href.split("#")[0]).href;

/** Sends a sheet. The answer's `kind` says what to do next:
    read {reply, preview, id, took} · refused {error} · busy {seconds} · token · gone (no answer at all). */
export async function extract({ file, name, password }, { preview }) {
  const form = new FormData();
  form.append("file", file, name.split("/").pop());
  if (password) form.append("password", password);
  const start = performance.now();
  let reply;
  try {
    reply = await fetch(`./extract${preview ? "?preview=1" : ""}`,
      { method: "POST", body: form, headers: token ? { Authorization: `Bearer ${token}` } : {} });
  } catch {
    return { kind: "gone" };
  }
  const id = reply.headers.get("x-request-id");
  const body = await reply.json().catch(() => ({}));
  if (reply.ok && body.boxes) {
    const picture = body.preview ? blobOf(body.preview) : null;
    delete body.preview;
    return { kind: "read", reply: body, preview: picture, id, took: performance.now() - start };
  }
  if (reply.status === 401) return { kind: "token" };
  if (reply.status === 429 || reply.status === 503)
    return { kind: "busy", seconds: Math.min(300, Math.max(1, Number(reply.headers.get("retry-after")) || 2)) };
  return { kind: "refused", error: { detail: `The server answered with status ${reply.status} and no explanation`, ...body,
    status: reply.status, id } };
}

// The bytes of a data URL; fetching one is forbidden to this page, as is fetching anything from elsewhere.
const blobOf = (address) =>
  new Blob([Uint8Array.from(atob(address.slice(address.indexOf(",") + 1)), (letter) => letter.charCodeAt(0))]);
