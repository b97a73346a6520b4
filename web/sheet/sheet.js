// The answer-sheet page, wired: files come in, the server's state and the sheets are shown, keys do what buttons do.

import { announce, byId, copy, count, download, duration, el, shortcuts, themeButton } from "../shared/page.js";
import { pictureOf } from "./draw.js";
import { droppedFiles, namedFiles } from "./files.js";
import { add, again, hold, onChange, progress, pump, release, sheets } from "./queue.js";
import { hasToken, keepToken, look, server } from "./server.js";
import { focusRow, showRow, shownSheets, showTable, startTable } from "./table.js";
import { curlFor, enlarge, factsOf, jsonOf, secretForm, sheetView } from "./view.js";
import { csvOf, problemOf, verdict } from "./words.js";

let opened = null;  // the sheet on the screen; null: the table, or nothing yet
let picture = null;

// --- the server's state ---------------------------------------------------------------------------------------------

async function watch() {
  const before = server.phase;
  await look();
  if (server.phase !== before && before !== "unknown") announce(server.phase === "ready" ? "The reader is ready" : notice()?.title ?? "");
  showServer();
  pump();
  clearTimeout(watch.next);
  watch.next = setTimeout(watch, server.phase === "ready" ? 15_000 : 1_000);
}

const STATES = { unknown: "Connecting", loading: "Starting", failed: "No models", draining: "Restarting", offline: "Offline", ready: "Ready" };

function notice() {
  const waiting = sheets.filter((sheet) => verdict(sheet).group === "waiting").length;
  const kept = (until) => waiting === 0 ? "" : waiting === 1 ? ` Your file stays in this window and is read ${until}.` : ` Your ${waiting} files stay in this window and are read ${until}.`;
  const since = Math.round((performance.now() - server.since) / 1000);
  const seconds = Math.ceil((hold.until - performance.now()) / 1000);
  if (server.phase === "ready" && hold.why === "busy")
    return { phase: "busy", title: "The server is busy", text: `It asked to wait: trying again in ${duration(seconds)}.${kept("then")}` };
  return {
    loading: { title: "The reader is starting", text: `Its models are being loaded, which takes some seconds; so far ${since} s.${kept("once it has started")}` },
    draining: { title: "The server is restarting", text: `It will be back in a moment.${kept("once it is back")}` },
    offline: { title: "No connection to the server", text: `Trying again every second, for ${since} s now.${kept("once it answers")}` },
    failed: { title: "The reader cannot start", text: `${server.status?.error ?? "Its models do not load"}. Whoever runs this server has to mend that; the reader looks again by itself.${kept("once it has started")}` },
  }[server.phase];
}

function showServer() {
  const { phase, status } = server;
  byId("state").dataset.phase = hold.why === "busy" && phase === "ready" ? "loading" : phase;
  const more = [status?.precision, status?.threads && count(status.threads, "thread")].filter(Boolean).join(" · ");
  byId("state-text").replaceChildren(hold.why === "busy" && phase === "ready" ? "Busy" : STATES[phase] ?? phase,
    phase === "ready" && !hold.why && more ? el("span", { class: "more" }, ` · ${more}`) : "");
  if (status?.version) byId("version").textContent = `Alcove ${status.version}`;
  if (status?.limits) byId("limit").textContent = `${Math.floor(status.limits.body_bytes / 1048576)} MB`;
  const said = notice();
  byId("notice").hidden = !said;
  if (said) {
    byId("notice").dataset.phase = said.phase ?? phase;
    byId("notice-title").textContent = said.title;
    byId("notice-text").textContent = said.text;
    byId("now").hidden = said.phase !== "busy";
  }
  showToken();
}

function showToken() {
  const wanted = hold.why === "token";
  const said = hasToken() ? "The server did not accept that token." : "Whoever runs it gave you one. It is kept until this tab is closed.";
  if (wanted && byId("token").hidden) {
    byId("token-form").replaceChildren(secretForm("Access token", "Go on", (value) => { keepToken(value); release(); }));
    announce("This server asks for an access token");
    byId("token").hidden = false;
    byId("secret").focus();
  }
  byId("token").hidden = !wanted;
  byId("token-text").textContent = said;
}

// --- the sheets -----------------------------------------------------------------------------------------------------

function take(named) {
  if (named.length === 0) return;
  const added = add(named);
  announce(added.length === 1 ? `${added[0].name} taken` : `${added.length} files taken`);
  go(added.length === 1 ? added[0] : null);
}

/** Opens a sheet, or the table; the address says which, so that the browser's way back leads back. */
function go(sheet) {
  const hash = sheet ? `#${sheet.number}` : "";
  // Stepping from sheet to sheet leaves one step for the way back.
  const how = opened && sheet ? "replaceState" : "pushState";
  if (location.hash !== hash) history[how](null, "", hash || location.pathname + location.search);
  show();
}

function show() {
  const before = opened;
  opened = sheets[Number(location.hash.slice(1)) - 1] ?? (sheets.length === 1 ? sheets[0] : null);
  document.body.classList.toggle("working", sheets.length > 0);
  byId("batch").hidden = sheets.length < 2 || opened !== null;
  byId("sheet").hidden = opened === null;
  if (before !== opened) {
    picture?.close?.();
    picture = null;
    if (opened) openPage(opened);
  }
  showServer();
  if (sheets.length > 1 && !opened) showTable();
  showPlace();
  // What was read stays as it is while others come in: it may have the focus, or a half-typed password.
  if (before !== opened || (opened && verdict(opened).group === "waiting")) showSheet();
}

async function openPage(sheet) {
  const { reply } = sheet;
  const found = await pictureOf(sheet);
  // A reading that came meanwhile says how the page is turned, and has asked for a picture of its own.
  if (sheet !== opened || sheet.reply !== reply) return found?.close();
  picture = found ?? (sheet.reply ? false : null);
  showSheet();
}

function showPlace() {
  if (!opened) return;
  const { done, total } = progress();
  byId("way").hidden = total < 2;
  byId("position").textContent = `${opened.number} of ${total}${done < total ? `, ${done} done` : ""}`;
}

function showSheet() {
  if (!opened) return;
  byId("sheet-title").textContent = opened.name;
  byId("sheet-facts").textContent = factsOf(opened);
  const view = byId("view");
  const held = view.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  view.replaceChildren(...sheetView(opened, picture));
  // The page's picture may come late; whoever has begun to step through the sheet by keyboard stays where they are.
  if (held) [...view.querySelectorAll("a, button, input, summary, [tabindex]")].find((part) => nameOf(part) === held)?.focus();
}

const nameOf = (part) => part.getAttribute("aria-label") ?? part.textContent;

function onSheet(sheet) {
  if (sheet && sheets.length > 1) showRow(sheet);
  if (!sheet) return show();
  if (sheet === opened) {
    // Now it is known which page was read, and how it was turned.
    const { orientation, skew, page } = sheet.reply ?? {};
    if (sheet.state === "read" && (orientation || skew || page.number > 1)) picture = null;
    showSheet();
    if (sheet.state === "read" && !picture) openPage(sheet);
    if (sheet.state === "read" || sheet.state === "failed") announce(`${sheet.name}: ${sheet.error ? problemOf(sheet)[0] : verdict(sheet).text}`);
  }
  schedule();
}

// Many sheets may come back in one frame.
let scheduled = false;
function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => { scheduled = false; show(); });
}

function step(by) {
  const shown = shownSheets();
  const next = opened ? shown[shown.indexOf(opened) + by] ?? null : shown[0];
  if (!next) return;
  go(next);
  announce(next.name);
}

function back() {
  const sheet = opened;
  go(null);
  focusRow(sheet);
}

// --- files ----------------------------------------------------------------------------------------------------------

async function trySample(name) {
  const reply = await fetch(`./sheet/${name}`).catch(() => null);
  if (reply?.ok) take([{ name, file: new File([await reply.blob()], name, { type: "image/jpeg" }) }]);
}

function saveCsv() {
  // The mark tells spreadsheets that names are UTF-8.
  download("sheets.csv", "text/csv", `\uFEFF${csvOf(sheets)}`);
}

// The button goes with its notice.
function tryNow() {
  byId("work").focus();
  release();
}

const retryFailed = () => sheets.filter((sheet) => sheet.state === "failed").forEach(again);
const pick = (input) => () => byId(input).click();

function listen() {
  for (const [button, input] of [["choose", "files"], ["folder", "tree"], ["camera", "shot"]]) {
    byId(button).addEventListener("click", pick(input));
    byId(input).addEventListener("change", ({ target }) => { take(namedFiles(target.files)); target.value = ""; });
  }
  for (const button of document.querySelectorAll("[data-sample]"))
    button.addEventListener("click", () => trySample(button.dataset.sample));
  const presses = { now: tryNow, save: saveCsv, retry: retryFailed, back, before: () => step(-1), after: () => step(1) };
  for (const [id, run] of Object.entries(presses)) byId(id).addEventListener("click", run);

  // Enter and leave come for every element passed over; only the last leave is the real one.
  let depth = 0;
  const curtain = (change) => { depth = Math.max(0, change); byId("curtain").hidden = depth === 0; };
  addEventListener("dragenter", (event) => { if (event.dataTransfer?.types.includes("Files")) curtain(depth + 1); });
  addEventListener("dragleave", () => curtain(depth - 1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => { event.preventDefault(); curtain(0); take(await droppedFiles(event.dataTransfer)); });
  addEventListener("paste", (event) => take(namedFiles(event.clipboardData.files)));
  addEventListener("online", watch);
  addEventListener("popstate", show);
  addEventListener("beforeunload", (event) => { if (progress().done < sheets.length) event.preventDefault(); });
  setInterval(() => { if (hold.why || server.phase !== "ready") showServer(); }, 500);
}

// The characters under a cut-out are set for its width; a keyboard that slides in changes the height alone.
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width && opened?.state === "read") showSheet();
  width = innerWidth;
});

const one = () => opened !== null;
const many = () => sheets.length > 1;
const wasRead = () => opened?.state === "read";
const theme = themeButton(byId("theme"));
shortcuts([
  { key: "o", says: "Choose files", when: () => true, run: pick("files") },
  { key: "f", says: "Choose a folder", when: () => true, run: pick("tree") },
  { key: "s", says: "Try a sample", when: () => true, run: () => trySample("sample.jpg") },
  { key: "j arrowright", says: "Next sheet", when: many, run: () => step(1) },
  { key: "k arrowleft", says: "Previous sheet", when: () => many() && one(), run: () => step(-1) },
  { key: "escape", says: "Back to all sheets", when: () => many() && one(), run: back },
  { key: "/", says: "Search the sheets", when: () => many() && !one(), run: () => byId("find").focus() },
  { key: "d", says: "Download CSV", when: () => many() && progress().done > 0, run: saveCsv },
  { key: "z", says: "Enlarge the page", when: wasRead, run: enlarge },
  { key: "c", says: "Copy the answer as JSON", when: wasRead, run: () => copy(jsonOf(opened)) },
  { key: "u", says: "Copy as a curl command", when: one, run: () => copy(curlFor(opened)) },
  { key: "r", says: "Read again", when: () => one() && opened.state !== "reading", run: () => again(opened) },
  { key: "t", says: "Light or dark", when: () => true, run: theme },
], byId("help"));
onChange(onSheet);
startTable((sheet) => { go(sheet); byId("sheet").focus(); });
listen();
if (location.hash) history.replaceState(null, "", location.pathname + location.search);  // the sheets went with the last page
watch();
