// The answer-sheet page: files in, one after the other to the server, what was read on the screen.

import { announce, byId, copy, el, percent, shortcuts, size, themeButton } from "../shared/page.js";
import { cutOut, openPicture, pageFigure } from "./draw.js";
import { advice, bestBox, certainty, DOUBTFUL, FIELDS, reasonSentence, SAID, stageName, verdict } from "./words.js";

const sheets = [];  // {name, file, state: waiting|reading|read|failed, reply, error, picture, password}
let selected = null;
let server = { phase: "unknown", status: null };
let reading = false;
let token = sessionToken();

// --- the server's state ---------------------------------------------------------------------------------------------

async function look() {
  const before = server.phase;
  try {
    const reply = await fetch("./status", { cache: "no-store" });
    const status = await reply.json();
    server = { phase: status.ready ? "ready" : status.state ?? "loading", status };
  } catch {
    server = { phase: "offline", status: server.status };
  }
  showServer();
  if (server.phase === "ready" && before !== "ready") {
    if (before !== "unknown") announce("The reader is ready");
    work();
  }
  setTimeout(look, server.phase === "ready" ? 15000 : 1000);
}

const STATES = { unknown: "Connecting", loading: "Starting", failed: "No models", draining: "Restarting", offline: "Offline" };

function showServer() {
  const { phase, status } = server;
  byId("state").dataset.phase = phase;
  const more = [status?.precision, status && `${status.threads} ${status.threads === 1 ? "thread" : "threads"}`].filter(Boolean);
  byId("state-text").replaceChildren(phase === "ready" ? "Ready" : STATES[phase] ?? phase,
    phase === "ready" ? el("span", { class: "more" }, ` · ${more.join(" · ")}`) : "");
  if (status) {
    byId("version").textContent = `Alcove ${status.version ?? ""}`;
    byId("limit").textContent = `${Math.floor((status.limits?.body_bytes ?? 52428800) / 1048576)} MB`;
  }
  const waiting = sheets.filter((sheet) => sheet.state === "waiting").length;
  const safe = waiting === 0 ? "" : ` ${waiting === 1 ? "Your file is" : `Your ${waiting} files are`} safe here and will be read then.`;
  const notices = {
    loading: ["The reader is starting", `Its models are being loaded; this takes a few seconds.${safe}`],
    draining: ["The server is restarting", `It will be back in a moment.${safe}`],
    offline: ["No connection to the server", `Trying again every second.${safe}`],
    failed: ["The reader cannot start", status?.error ?? ""],
  };
  const notice = notices[phase];
  byId("notice").hidden = !notice;
  byId("notice").dataset.phase = phase;
  if (!notice) return;
  byId("notice-title").textContent = notice[0];
  byId("notice-text").textContent = notice[1];
}

// --- the work -------------------------------------------------------------------------------------------------------

function take(files) {
  const taken = [...files].map((file) => ({ name: file.name || "photo.jpg", file, state: "waiting" }));
  if (taken.length === 0) return;
  sheets.push(...taken);
  selected = taken[0];
  announce(taken.length === 1 ? `${taken[0].name} taken` : `${taken.length} files taken`);
  show();
  showServer();
  work();
}

// In order, one at a time: the next sheet is sent when the one before is answered.
async function work() {
  if (reading || server.phase !== "ready") return;
  const sheet = sheets.find((each) => each.state === "waiting");
  if (!sheet) return;
  reading = true;
  sheet.state = "reading";
  show();
  await read(sheet).catch((error) => fail(sheet, { detail: `This page made a mistake: ${error.message}`, status: 0 }));
  reading = false;
  if (sheet.state !== "waiting") announce(`${sheet.name}: ${sheet.state === "read" ? verdict(sheet.reply).text : sheet.error.detail}`);
  show();
  showServer();
  work();
}

async function read(sheet) {
  sheet.picture ??= await openPicture(sheet.file);
  const form = new FormData();
  form.append("file", sheet.file, sheet.name);
  if (sheet.password) form.append("password", sheet.password);
  let reply;
  try {
    reply = await fetch(`./extract${sheet.picture ? "" : "?preview=1"}`, {
      method: "POST", body: form, headers: token ? { Authorization: `Bearer ${token}` } : {} });
  } catch {
    return lost(sheet);
  }
  const body = await reply.json().catch(() => ({ detail: `The server answered with status ${reply.status} and no explanation.` }));
  if (reply.ok) {
    if (body.preview) sheet.picture = await openPicture(blobOf(body.preview));
    delete body.preview;
    Object.assign(sheet, { state: "read", reply: body, error: null, id: reply.headers.get("x-request-id") });
  } else if (reply.status === 429 || reply.status === 503) {
    // Busy or not ready: the sheet keeps its place and is sent again when the server said it may be.
    sheet.state = "waiting";
    const seconds = Number(reply.headers.get("retry-after")) || 2;
    await new Promise((done) => setTimeout(done, seconds * 1000));
  } else {
    fail(sheet, { ...body, status: reply.status, code: body.code ?? (reply.status === 401 ? "unauthorized" : undefined),
      id: reply.headers.get("x-request-id") });
  }
}

// The bytes of a data URL; fetching one is forbidden to this page, as is fetching anything from elsewhere.
function blobOf(url) {
  return new Blob([Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (letter) => letter.charCodeAt(0))]);
}

// The connection broke: either the server is gone, which the state shows, or it refused the upload midway.
function lost(sheet) {
  fail(sheet, { detail: "The connection broke before the sheet was read.", code: "no_connection", status: 0 });
}

function fail(sheet, error) {
  Object.assign(sheet, { state: "failed", error, reply: null });
}

function again(sheet) {
  sheet.state = "waiting";
  show();
  work();
}

// --- the screen -----------------------------------------------------------------------------------------------------

function show() {
  byId("intake").classList.toggle("small", sheets.length > 0);
  byId("desk").hidden = sheets.length === 0;
  if (sheets.length === 0) return;
  const done = sheets.filter((sheet) => sheet.state === "read" || sheet.state === "failed");
  const attention = done.filter((sheet) => sheet.state === "failed" || verdict(sheet.reply).word !== "Read").length;
  byId("batch").hidden = sheets.length < 2;
  byId("batch-text").textContent = `${done.length} of ${sheets.length} done${attention ? ` · ${attention} to look at` : ""}`;
  byId("batch-bar").max = sheets.length;
  byId("batch-bar").value = done.length;
  byId("list").hidden = sheets.length < 2;
  byId("list").replaceChildren(...sheets.map(row));
  byId("sheet").replaceChildren(...sheetView(selected));
}

function row(sheet) {
  const mark = { waiting: ["◌", "Waiting"], reading: ["◌", "Reading"], failed: ["✕", "Error"] }[sheet.state];
  const [shape, word] = mark ?? [verdict(sheet.reply).mark, verdict(sheet.reply).word];
  const values = sheet.state === "read" ? Object.keys(FIELDS).map((field) => sheet.reply[field] ?? "–").join("  ") : "";
  return el("button", { type: "button", class: "row", "aria-current": sheet === selected ? "true" : null,
    onclick: () => { selected = sheet; show(); } },
    el("span", { class: `shape ${sheet.state}`, "aria-hidden": "true" }, shape),
    el("span", { class: "name" }, sheet.name),
    el("span", { class: "values" }, values), el("span", { class: "word" }, word));
}

function sheetView(sheet) {
  const head = el("header", { class: "sheet-head" },
    el("h2", { id: "sheet-title" }, sheet.name), el("p", {}, size(sheet.file.size)));
  const view = { waiting: waitingView, reading: waitingView, failed: errorView, read: readView }[sheet.state];
  return [head, ...view(sheet)];
}

function waitingView(sheet) {
  const text = sheet.state === "reading" ? "Reading…" : server.phase === "ready" ? "Waiting for its turn…" : "Waiting for the reader…";
  return [el("div", { class: "columns" },
    el("div", { class: "page skeleton card" }, el("p", {}, text)),
    el("div", { class: "results" }, el("div", { class: "card bone" }), el("div", { class: "card bone" })))];
}

function errorView(sheet) {
  const { detail, code, status, id } = sheet.error;
  const tag = [code, status || null, id].filter(Boolean).join(" · ");
  return [el("section", { class: "card problem", role: "alert" },
    el("span", { class: "shape", "aria-hidden": "true" }, "✕"),
    el("div", {},
      el("h2", {}, `${sheet.name} could not be read`),
      el("p", {}, SAID[code] ?? sentence(detail)),
      el("p", { class: "todo" }, advice(code, status)),
      code === "pdf_encrypted" ? secretForm(sheet, "Password of the PDF", (value) => { sheet.password = value; }) : null,
      code === "unauthorized" ? secretForm(sheet, "Access token", keepToken) : null,
      el("div", { class: "actions" },
        code === "pdf_encrypted" || code === "unauthorized" ? null
          : el("button", { type: "button", onclick: () => again(sheet) }, "Try again"),
        el("button", { type: "button", class: "quiet", onclick: (event) => copy(`${sheet.name}: ${detail} (${tag})`, event.currentTarget) }, "Copy"),
        el("code", {}, tag))))];
}

function secretForm(sheet, label, use) {
  const field = el("input", { type: "password", id: "secret", autocomplete: "off" });
  return el("form", { class: "secret", onsubmit: (event) => { event.preventDefault(); use(field.value); again(sheet); } },
    el("label", { htmlFor: "secret" }, label), field, el("button", { class: "main", type: "submit" }, "Read again"));
}

function readView(sheet) {
  const { reply, picture } = sheet;
  const said = verdict(reply);
  return [el("div", { class: "columns" },
    picture ? el("div", { class: "card paper" }, pageFigure(picture, reply, sheet.name)) : el("div", { class: "page skeleton card" }, el("p", {}, "This browser cannot show the page.")),
    el("div", { class: "results" },
      el("p", { class: "verdict" }, el("span", { class: "shape", "aria-hidden": "true" }, said.mark), said.text),
      Object.keys(FIELDS).map((field) => fieldCard(sheet, field)),
      reply.reasons.length ? el("ul", { class: "reasons" }, reply.reasons.map((code) => el("li", {}, reasonSentence(code)))) : null,
      timings(reply.timings_ms),
      el("details", {}, el("summary", {}, "The server's answer"),
        el("button", { type: "button", class: "quiet", onclick: (event) => copy(JSON.stringify(reply, null, 2), event.currentTarget) }, "Copy JSON"),
        el("pre", { tabIndex: 0 }, JSON.stringify(reply, null, 2)))))];
}

function fieldCard(sheet, field) {
  const { reply, picture } = sheet;
  const box = bestBox(reply, field);
  const value = reply[field];
  const share = reply[field === "register_number" ? "register_candidates" : "subject_candidates"][0]?.confidence ?? 0;
  const sure = certainty(share, box?.symbols ?? []);
  return el("section", { class: `card field ${field}` },
    el("div", { class: "field-head" }, el("h3", {}, FIELDS[field]),
      value ? el("p", { class: `sure ${sure.name}` }, el("span", { "aria-hidden": "true" }, `${sure.mark} `), `${percent(share)}, ${sure.word}`) : null),
    picture && box ? cutOut(picture, reply, box, 96) : null,
    value ? symbols(value, box) : el("p", { class: "nothing" }, box ? "Nothing was read here" : "Not found on the page"),
    value ? el("button", { type: "button", class: "quiet copy", "aria-label": `Copy ${FIELDS[field].toLowerCase()}`, onclick: (event) => copy(value, event.currentTarget) }, "Copy") : null);
}

function symbols(value, box) {
  const each = box?.symbols ?? [];
  const weak = each.filter((symbol) => symbol.confidence < DOUBTFUL);
  const words = weak.length ? `; doubtful: ${weak.map((symbol) => `${symbol.value} with ${percent(symbol.confidence)}`).join(", ")}` : "";
  return el("p", { class: "symbols" }, el("span", { class: "unseen" }, value + words),
    el("span", { "aria-hidden": "true", class: "cells" }, each.map((symbol) => {
      const cell = el("span", { class: symbol.confidence < DOUBTFUL ? "cell weak" : "cell", title: `${symbol.value}: ${percent(symbol.confidence)}` },
        el("b", {}, symbol.value), el("i", {}, el("i", {})), el("small", {}, symbol.confidence < DOUBTFUL ? Math.floor(symbol.confidence * 100) : ""));
      cell.querySelector("i i").style.width = `${Math.max(4, symbol.confidence * 100)}%`;
      return cell;
    })));
}

function timings(stages) {
  const total = stages.total ?? Object.values(stages).reduce((sum, each) => sum + each, 0);
  const parts = Object.entries(stages).filter(([name]) => name !== "total");
  return el("details", { class: "timings" },
    el("summary", {}, `Read in ${total < 10 ? total.toFixed(1) : Math.round(total)} ms`),
    el("dl", {}, parts.flatMap(([name, ms]) => {
      const bar = el("span", { class: "length" });
      bar.style.width = `${Math.max(1, ms / total * 100)}%`;
      return [el("dt", {}, stageName(name)), el("dd", {}, bar, `${ms.toFixed(1)} ms`)];
    })));
}

const sentence = (text) => {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
};

// --- the outside ----------------------------------------------------------------------------------------------------

function sessionToken() {
  try { return sessionStorage.getItem("token") ?? ""; } catch { return ""; }
}

function keepToken(value) {
  token = value.trim();
  try { sessionStorage.setItem("token", token); } catch { /* kept for this page alone */ }
}

async function trySample() {
  const reply = await fetch("./sheet/sample.jpg").catch(() => null);
  if (reply?.ok) take([new File([await reply.blob()], "sample.jpg", { type: "image/jpeg" })]);
}

function step(by) {
  const at = sheets.indexOf(selected) + by;
  if (!sheets[at]) return;
  selected = sheets[at];
  show();
  announce(selected.name);
}

function listen() {
  const pick = (input) => () => byId(input).click();
  byId("choose").addEventListener("click", pick("files"));
  byId("camera").addEventListener("click", pick("shot"));
  byId("sample").addEventListener("click", trySample);
  for (const id of ["files", "shot"])
    byId(id).addEventListener("change", (event) => { take(event.target.files); event.target.value = ""; });

  // Enter and leave come for every element passed over; only the last leave is the real one.
  let depth = 0;
  const curtain = (change) => { depth = Math.max(0, change); byId("curtain").hidden = depth === 0; };
  addEventListener("dragenter", (event) => { if (event.dataTransfer?.types.includes("Files")) curtain(depth + 1); });
  addEventListener("dragleave", () => curtain(depth - 1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => { event.preventDefault(); curtain(0); take(event.dataTransfer.files); });
  addEventListener("paste", (event) => take(event.clipboardData.files));
  addEventListener("online", look, { once: true });

  const some = () => sheets.length > 0;
  shortcuts([
    { key: "o", says: "Choose files", when: () => true, run: pick("files") },
    { key: "s", says: "Try the sample", when: () => true, run: trySample },
    { key: "j", says: "Next sheet", when: () => sheets.length > 1, run: () => step(1) },
    { key: "k", says: "Previous sheet", when: () => sheets.length > 1, run: () => step(-1) },
    { key: "c", says: "Copy the answer as JSON", when: () => some() && selected.state === "read",
      run: () => copy(JSON.stringify(selected.reply, null, 2), byId("sheet-title").cloneNode()) },
    { key: "r", says: "Read again", when: () => some() && selected.state !== "reading", run: () => again(selected) },
  ]);
}

themeButton(byId("theme"));
listen();
look();
