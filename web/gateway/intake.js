// Sheets in: taken from this device, sent one by one, followed until they are recorded.

import { announce, byId, count, duration, el, sentence } from "../shared/page.js";
import { droppedFiles, namedFiles } from "../sheet/files.js";
import { ask, server } from "./server.js";
import { reasonText } from "./words.js";

const IN_FLIGHT = 4;
const LOOK = 1000;      // ms between looks at what was recorded
const AGAIN = 4000;     // ms, when nothing is waited for
const LOOK_LATEST = 200;
const LOOK_SINGLE = 5;  // asked for by name, when they are not among the latest
const GROUPS = { all: "All", filed: "Filed", review: "To review", failed: "Failed", duplicate: "Duplicate" };

/** {name, file, state: waiting|sending|queued|done|failed, uuid, record, error} */
const sheets = [];
const rows = new Map();
let group = "all", flying = 0, started = 0, finished = 0;
let pausedUntil = 0;  // the gateway asked to be left alone for so long

const groupOf = ({ state, record }) => state === "failed" ? "failed" : state !== "done" ? "waiting"
  : record.workflow_status === "duplicate" ? "duplicate" : record.error || record.decision === "rejected" ? "failed"
  : record.decision === "review" ? "review" : "filed";

export const unsent = () => sheets.filter((sheet) => sheet.state === "waiting" || sheet.state === "sending").length;

export function take(named) {
  if (named.length === 0) return;
  location.hash = "#intake";
  if (unsent() === 0) { started = performance.now(); finished = 0; }
  for (const { name, file } of named) sheets.push({ name, file, state: "waiting", exam: byId("exam-type").value.trim() || "CIA1" });
  try { localStorage.setItem("exam", byId("exam-type").value.trim()); } catch { /* storage may be forbidden */ }
  show();
  pump();
}

export function pump() {
  while (flying < IN_FLIGHT && server.phase !== "offline" && !server.locked && performance.now() >= pausedUntil) {
    const sheet = sheets.find((each) => each.state === "waiting");
    if (!sheet) return;
    send(sheet);
  }
}

async function send(sheet) {
  sheet.state = "sending";
  flying += 1;
  show(sheet);
  const form = new FormData();
  form.append("file", sheet.file, sheet.name.split("/").pop());
  form.append("exam_type", sheet.exam);
  const { ok, status, body, reply } = await ask("scan-upload", { method: "POST", body: form, extra: { Prefer: "respond-async" } });
  flying -= 1;
  if (ok) Object.assign(sheet, { state: "queued", uuid: body.artifact_uuid, file: null });
  else if (status === 0 || status === 401) { sheet.state = "waiting"; if (status === 0) server.phase = "offline"; }
  else if (status === 429 || status === 503) {
    sheet.state = "waiting";
    const pause = Math.min(30, Number(reply.headers.get("retry-after")) || 2) * 1000;
    pausedUntil = performance.now() + pause;
    setTimeout(pump, pause + 20);  // a timer may come a little early
  } else Object.assign(sheet, { state: "failed", error: body });
  show(sheet);
  pump();
}

let settledAt = 0;  // when the last look found nothing left to wait for

/** What was recorded, and what was judged anew since: another sheet of the same exam may change whose this one is. */
setInterval(async () => {
  const waiting = sheets.filter((sheet) => sheet.state === "queued");
  const settled = sheets.some((sheet) => sheet.state === "done") && performance.now() - settledAt > AGAIN;
  if ((waiting.length === 0 && !settled) || document.hidden || server.locked || byId("intake").hidden) return;
  settledAt = performance.now();
  const { ok, body } = await ask(`records?limit=${LOOK_LATEST}`);
  if (!ok) return;
  const found = new Map(body.records.map((record) => [record.artifact_uuid, record]));
  const missing = waiting.filter((sheet) => !found.has(sheet.uuid)).slice(0, LOOK_SINGLE);
  for (const sheet of missing) {
    const { status, body: record } = await ask(`records/${sheet.uuid}`);
    if (status === 200) found.set(sheet.uuid, record);
  }
  for (const sheet of sheets) {
    const record = found.get(sheet.uuid);
    // It is judged a moment after it is recorded.
    if (!record?.decision || (sheet.record && same(sheet.record, record))) continue;
    if (sheet.state === "queued") finished += 1;
    Object.assign(sheet, { state: "done", record });
    show(sheet);
  }
}, LOOK);

const same = (one, other) => ["decision", "workflow_status", "register_number"].every((key) => one[key] === other[key]);

function words({ state, record, error }) {
  if (state === "failed") return sentence(error.detail ?? "It was refused");
  if (state === "waiting") return "Waits in this window";
  if (state === "sending") return "On its way";
  if (state === "queued") return "Safe, waits to be read";
  if (record.error) return sentence(record.error);
  const text = record.reasons.map(reasonText).join(" · ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const MARKS = { waiting: "◌", filed: "●", review: "◐", failed: "✕", duplicate: "⧉" };
const NAMES = { waiting: "Not sent", sending: "Sending", queued: "Waiting", filed: "Filed", review: "To review", failed: "Failed", duplicate: "Duplicate" };

function row(sheet) {
  const kind = groupOf(sheet), record = sheet.record;
  const person = record?.roster_candidates?.find((each) => each.register_number === record.register_number)?.name;
  const read = record?.register_number || record?.subject_code;
  return el("li", { class: `row ${kind}${kind === "failed" && !read ? " told" : ""}` },
    el("span", { class: "mark", "aria-hidden": "true" }, MARKS[kind]),
    el("span", { class: "what" }, el("b", {}, sheet.name), el("small", {}, words(sheet)),
      sheet.state === "failed" ? el("button", { type: "button", class: "small", "aria-label": `Remove ${sheet.name} from this list`, onclick: () => remove(sheet) }, "Remove") : null),
    el("span", { class: "read" }, record?.register_number ? el("code", {}, record.register_number) : null, person ? el("small", {}, person) : null),
    el("span", { class: "read" }, record?.subject_code ? el("code", {}, record.subject_code) : null),
    el("span", { class: "chip" }, kind === "review" ? el("a", { href: `#review/${sheet.uuid}` }, NAMES[kind]) : NAMES[kind === "waiting" ? sheet.state : kind]));
}

/** What was refused is nowhere but in this list. */
function remove(sheet) {
  sheets.splice(sheets.indexOf(sheet), 1);
  rows.get(sheet).remove();
  rows.delete(sheet);
  show();
  byId("place").focus();
  announce(`${sheet.name} removed`);
}

function show(sheet) {
  byId("batch").hidden = sheets.length === 0;
  for (const each of sheet ? [sheet] : sheets.filter((one) => !rows.has(one))) {
    const fresh = row(each);
    if (rows.has(each)) rows.get(each).replaceWith(fresh); else byId("rows").append(fresh);
    rows.set(each, fresh);
  }
  schedule();
}

let scheduled = false;
function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => { scheduled = false; sum(); });
}

function sum() {
  const counts = { all: sheets.length, filed: 0, review: 0, failed: 0, duplicate: 0 };
  for (const sheet of sheets) if (groupOf(sheet) in counts) counts[groupOf(sheet)] += 1;
  const done = sheets.filter((sheet) => sheet.state === "done" || sheet.state === "failed").length;
  byId("tally").replaceChildren(...Object.entries(GROUPS).map(([name, says]) => el("button", { type: "button", class: "group",
    "aria-pressed": String(name === group), onclick: () => { group = name; sum(); byId("tally").querySelector("[aria-pressed=true]").focus(); } }, el("b", {}, counts[name]), says)));
  for (const [sheet, item] of rows) item.hidden = group !== "all" && groupOf(sheet) !== group;
  byId("bar").max = Math.max(1, sheets.length);
  byId("bar").value = done;
  const perMinute = finished && finished / (performance.now() - started) * 60_000;
  const left = sheets.length - done;
  byId("pace").textContent = [`${(done - counts.failed).toLocaleString("en")} of ${count(sheets.length, "sheet")} read`, counts.failed ? `${counts.failed} failed` : null, perMinute && left ? `${Math.round(perMinute)} a minute` : null,
    left && perMinute ? `${duration(left / perMinute * 60)} left` : left ? null : "done"].filter(Boolean).join(" · ");
  if (left === 0 && sheets.length) announce(`${count(counts.filed, "sheet")} filed, ${counts.review} to review, ${counts.failed} failed, ${counts.duplicate} duplicate`);
}

const pick = (input) => () => byId(input).click();
export const choose = pick("files");

export function startIntake() {
  try { byId("exam-type").value = localStorage.getItem("exam") || "CIA1"; } catch { /* storage may be forbidden */ }
  for (const [button, input] of [["choose", "files"], ["folder", "tree"], ["camera", "shot"]]) {
    byId(button).addEventListener("click", pick(input));
    byId(input).addEventListener("change", ({ target }) => { take(namedFiles(target.files)); target.value = ""; });
  }
  let depth = 0;
  const curtain = (change) => { depth = Math.max(0, change); byId("curtain").hidden = depth === 0; };
  addEventListener("dragenter", (event) => { if (event.dataTransfer?.types.includes("Files")) curtain(depth + 1); });
  addEventListener("dragleave", () => curtain(depth - 1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => { event.preventDefault(); curtain(0); take(await droppedFiles(event.dataTransfer)); });
  addEventListener("beforeunload", (event) => { if (unsent() > 0) event.preventDefault(); });
}
