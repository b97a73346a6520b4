// The sheets of this visit and their way through the server: in order, two at a time, held back while the server is busy,
// starting, locked or away. Knows nothing of the screen.

import { isPicture } from "./files.js";
import { bodyLimit, extract, look, server } from "./server.js";

const IN_FLIGHT = 2;  // the server decodes one while it reads the other
const BREAKS = 2;     // connections that break midway although the server is there, before a sheet is given up
const FEW = 3;        // files that are looked at as they come; of many, the server is asked for a picture when one is opened

/** {number, name, file, state: waiting|reading|read|failed, reply, error, took, preview, password} */
export const sheets = [];
/** why: busy (until a time), token (until one is typed) or null. */
export const hold = { why: null, until: 0 };

const clock = { ms: 0, since: 0, done: 0 };  // time with sheets on their way, and how many came back
let flying = 0;
let knownPassword = "";
let changed = () => {};

/** `listener(sheet)` after each change of a sheet, `listener()` after a change of the whole. */
export function onChange(listener) {
  changed = listener;
}

export function add(named) {
  const added = named.map(({ name, file }, index) => ({ number: sheets.length + index + 1, name, file, state: "waiting",
    wantsPreview: named.length <= FEW && !isPicture(name) }));
  sheets.push(...added);
  for (const sheet of added)
    if (sheet.file.size > bodyLimit()) refuse(sheet, { code: "too_large", detail: `The file has ${sheet.file.size} bytes, and at most ${bodyLimit()} are taken; scan it with a lower resolution, 200 dpi is enough` });
  changed();
  pump();
  return added;
}

/** Reads a sheet again. */
export function again(sheet) {
  Object.assign(sheet, { state: "waiting", breaks: 0 });
  changed(sheet);
  pump();
}

/** A password for this sheet, and for every other locked one. */
export function unlock(password) {
  knownPassword = password;
  for (const sheet of sheets)
    if (sheet.error?.code === "pdf_encrypted") { sheet.password = password; again(sheet); }
}

export function release() {
  Object.assign(hold, { why: null, until: 0 });
  changed();
  pump();
}

/** Sends what may be sent now. */
export function pump() {
  while (flying < IN_FLIGHT && server.phase === "ready" && !hold.why) {
    const sheet = sheets.find((each) => each.state === "waiting");
    if (!sheet) return;
    send(sheet);
  }
}

/** {done, total, perMinute, secondsLeft}; the last two are 0 while nothing is known. */
export function progress() {
  const done = sheets.filter((sheet) => sheet.state === "read" || sheet.state === "failed").length;
  const ms = clock.ms + (flying > 0 ? performance.now() - clock.since : 0);
  const perMinute = clock.done > 0 && ms > 0 ? clock.done / ms * 60_000 : 0;
  return { done, total: sheets.length, perMinute, secondsLeft: perMinute ? (sheets.length - done) / perMinute * 60 : 0 };
}

async function send(sheet) {
  sheet.state = "reading";
  changed(sheet);
  if (flying++ === 0) clock.since = performance.now();
  const answer = await extract(sheet, { preview: sheet.wantsPreview });
  if (--flying === 0) clock.ms += performance.now() - clock.since;
  await outcomes[answer.kind](sheet, answer);
  changed(sheet);
  pump();
}

const outcomes = {
  read(sheet, { reply, preview, id, took }) {
    clock.done += 1;
    Object.assign(sheet, { state: "read", reply, id, took, error: null, preview: preview ?? sheet.preview });
  },
  refused(sheet, { error }) {
    if (error.code === "pdf_encrypted" && knownPassword && sheet.password !== knownPassword)
      return Object.assign(sheet, { state: "waiting", password: knownPassword });
    clock.done += 1;
    refuse(sheet, error);
  },
  async busy(sheet, { seconds }) {
    sheet.state = "waiting";
    Object.assign(hold, { why: hold.why ?? "busy", until: performance.now() + seconds * 1000 });
    setTimeout(() => { if (hold.why === "busy" && performance.now() >= hold.until - 5) release(); }, seconds * 1000);
    await look();  // a 503 may mean that it is starting again
  },
  token(sheet) {
    sheet.state = "waiting";
    hold.why = "token";
  },
  // The connection broke: either the server is away, or it refused this upload midway.
  async gone(sheet) {
    await look();
    sheet.breaks = (sheet.breaks ?? 0) + (server.phase === "offline" ? 0 : 1);
    sheet.state = "waiting";
    if (sheet.breaks >= BREAKS) refuse(sheet, { code: "no_connection", detail: "The connection broke each time before the sheet was read; see that this device is online and try again" });
  },
};

function refuse(sheet, error) {
  Object.assign(sheet, { state: "failed", error, reply: null });
}
