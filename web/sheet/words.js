// What the server's codes and numbers mean, in words. Pure functions.

import { percent, sentence } from "../shared/page.js";

export const FIELDS = { register_number: "Register number", subject_code: "Subject code" };
export const SHORT = { register_number: "Register", subject_code: "Subject" };
// What the reader did to the page by itself; nobody has to look because of it.
const DONE = ["turned", "straightened", "later_page"];

// For servers that send codes alone.
const WORDS = { no_register_box: "No register number was found on the page.", no_subject_box: "No subject code was found on the page." };

/** [{code, text, note, unfound}] of a reading, in the server's own sentences where it sends some. A note asks for nothing;
    unfound: a field has no place on the page at all. */
export const reasonsOf = (reply) => (reply.reasons ?? []).map((code) => ({ code, note: DONE.includes(code), unfound: code in WORDS,
  text: reply.advice?.find((row) => row.code === code)?.message || (WORDS[code] ?? `The reader says: ${code.replaceAll("_", " ")}.`) }));

// The codes of one field name it; of the others the server's sentence does, or they may mean either.
function isAbout({ code, text }, field) {
  const named = Object.keys(FIELDS).filter((each) => code.includes(each.split("_")[0]) || text.toLowerCase().includes(FIELDS[each].toLowerCase()));
  return named.length === 0 || named.includes(field);
}

/** What went wrong, and the way out: both are in the server's sentence, unless it speaks to programs. */
export function problemOf({ error, password }) {
  if (error.code === "pdf_encrypted")
    return [password ? "That password does not open this PDF." : "This PDF is locked with a password.", "Type its password, or save a copy without one."];
  const [what, ...fix] = error.detail.split("; ");
  return [what, fix.join("; ") || (error.status >= 500 ? "try again; if it stays, give the code below to whoever runs this server"
    : "try again, or try another scan of the sheet")].map(sentence);
}

/** Below this a character is marked. */
export const DOUBTFUL = 0.9;
const isDoubtful = (symbol) => symbol.confidence < DOUBTFUL;
export const doubtful = (box) => (box?.symbols ?? []).filter(isDoubtful);

/** The box the field's value came from; boxes come best text first. */
export const bestBox = (reply, field) =>
  reply.boxes.find((box) => box.field === field && box.value === reply[field]) ??
  reply.boxes.find((box) => box.field === field) ?? null;

/** How sure a field is: a shape, some words, and the share that its weakest character has. Its mean would hide one bad
    character among eleven good ones, and no share knows of a blurred box or of a second one. */
export function certainty(reply, field) {
  const box = bestBox(reply, field);
  const mean = box?.confidence ?? 0;
  const share = Math.min(mean, ...(box?.symbols ?? []).map((symbol) => symbol.confidence));
  const shown = `${share < mean ? "weakest " : ""}${percent(share)}`;
  if (mean < 0.6) return { mark: "○", text: `${shown}, doubtful`, share };
  if (share < DOUBTFUL) return { mark: "◐", text: `${shown}, check it`, share };
  if (reasonsOf(reply).some((reason) => !reason.note && isAbout(reason, field))) return { mark: "◐", text: "check it", share };
  return { mark: "●", text: `${share < mean ? "at least " : ""}${percent(share)}, sure`, share };
}

/** What has become of a sheet. `group` is what the table counts: waiting, read, check or failed. */
export function verdict(sheet) {
  if (sheet.state === "waiting") return { group: "waiting", mark: "◌", word: "Waiting", text: "Waiting" };
  if (sheet.state === "reading") return { group: "waiting", mark: "◌", word: "Reading", text: "Reading" };
  if (sheet.state === "failed") return { group: "failed", mark: "✕", word: "Failed", text: "It could not be read" };
  const { reply } = sheet;
  const missing = Object.keys(FIELDS).filter((field) => !reply[field]);
  const check = { group: "check", mark: "◐", word: "Check" };
  if (missing.length === 2) return { ...check, mark: "○", word: "Not read", text: "Neither field could be read." };
  if (missing.length === 1) return { ...check, word: "Incomplete", text: `The ${FIELDS[missing[0]].toLowerCase()} is missing.` };
  const weak = Object.keys(FIELDS).reduce((sum, field) => sum + doubtful(bestBox(reply, field)).length, 0);
  if (weak) return { ...check, text: `Both fields were read. Compare the ${weak === 1 ? "marked character" : `${weak} marked characters`} with the sheet.` };
  const reason = reasonsOf(reply).find((each) => !each.note);
  if (reason || reply.confidence < DOUBTFUL) return { ...check, text: "Both fields were read. Compare them with the sheet." };
  return { group: "read", mark: "●", word: "Read", text: "Both fields were read." };
}

const STAGES = { decode: "open", orient: "level", letterbox: "fit", detect: "find boxes", crop: "cut out", read: "read text" };
export const stageName = (name) => STAGES[name] ?? name.replaceAll("_", " ");
export const time = (ms) => ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

/** The sheets as CSV, in the columns of `alcove read --format csv`. */
export function csvOf(sheets) {
  const rows = sheets.map((sheet) => {
    const cells = Object.keys(FIELDS).flatMap((field) => sheet.reply?.[field]
      ? [sheet.reply[field], bestBox(sheet.reply, field)?.confidence ?? ""] : ["", ""]);
    const note = sheet.error?.detail ?? (sheet.reply ? sheet.reply.reasons?.join("; ") ?? "" : "not read yet");
    // A spreadsheet takes a name that begins with one of these for a formula.
    return [sheet.name.replace(/^(?=[=+\-@\t])/, "'"), ...cells, note];
  });
  const head = ["file", "register_number", "register_confidence", "subject_code", "subject_confidence", "note"];
  const cell = (value) => /[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** The same sheet sent from a shell. */
export function curlOf(name, url, withToken) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  // Inside curl's own quotes, so that a comma or a semicolon in a name means nothing.
  const form = `file=@"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  return `curl -F ${quoted(form)} ${withToken ? '-H "Authorization: Bearer $ALCOVE_TOKEN" ' : ""}${quoted(url)}`;
}
