// Many sheets: how far they are, how many want a look, and a row for each.

import { announce, byId, count, duration, el, percent } from "../shared/page.js";
import { cutOut, openPicture } from "./draw.js";
import { isPicture } from "./files.js";
import { progress, sheets } from "./queue.js";
import { bestBox, certainty, DOUBTFUL, FIELDS, reasonsOf, problemOf, verdict } from "./words.js";

const GROUPS = { all: "All", read: "Read", check: "Needs attention", failed: "Failed" };
const rows = new Map();  // sheet → its row
let group = "all";
let open = () => {};
let spokenAt = 0;

/** `onOpen(sheet)` when a row is chosen. */
export function startTable(onOpen) {
  open = onOpen;
  byId("groups").replaceChildren(...Object.entries(GROUPS).map(([name, words]) =>
    el("button", { type: "button", class: "group", id: `group-${name}`, onclick: () => { group = name; showTable(); } }, el("b", {}, "0"), words)));
  byId("find").addEventListener("input", showTable);
}

const isShown = (sheet) => (group === "all" || verdict(sheet).group === group) &&
  [sheet.name, sheet.reply?.register_number, sheet.reply?.subject_code]
    .some((text) => text?.toLowerCase().includes(byId("find").value.trim().toLowerCase()));
export const shownSheets = () => sheets.filter(isShown);
export const focusRow = (sheet) => rows.get(sheet)?.querySelector("button").focus();

/** Everything but the rows' own cells. */
export function showTable() {
  const now = progress();
  const counts = { all: sheets.length, read: 0, check: 0, failed: 0 };
  for (const sheet of sheets) if (verdict(sheet).group in counts) counts[verdict(sheet).group] += 1;
  for (const name of Object.keys(GROUPS)) {
    byId(`group-${name}`).setAttribute("aria-pressed", String(name === group));
    byId(`group-${name}`).firstChild.textContent = counts[name];
  }
  byId("bar").max = now.total;
  byId("bar").value = now.done;
  byId("pace").textContent = [`${now.done} of ${count(now.total, "sheet")}`, now.perMinute && `${Math.max(1, Math.round(now.perMinute))} a minute`,
    now.done === now.total ? "done" : now.perMinute && `${duration(now.secondsLeft)} left`].filter(Boolean).join(" · ");
  byId("save").disabled = now.done === 0;
  byId("retry").hidden = counts.failed === 0 || now.done < now.total;
  for (const sheet of sheets) if (!rows.has(sheet)) showRow(sheet);
  for (const [sheet, row] of rows) row.hidden = !isShown(sheet);
  byId("none").hidden = shownSheets().length > 0;
  if (performance.now() > spokenAt + 5000 || now.done === now.total) {
    spokenAt = performance.now();
    announce(`${now.done} of ${now.total} done${counts.check ? `, ${counts.check} to look at` : ""}${counts.failed ? `, ${counts.failed} failed` : ""}`);
  }
}

/** A row as its sheet is now. */
export function showRow(sheet) {
  let row = rows.get(sheet);
  if (!row) {
    row = el("tr", { role: "row", onclick: () => open(sheet) });
    rows.set(sheet, row);
    byId("rows").append(row);
    seen.observe(row);
  }
  const said = verdict(sheet);
  if (row.dataset.group === said.group && said.group === "waiting") { row.lastChild.textContent = said.word; return; }
  row.dataset.group = said.group;
  row.classList.remove("drawn");
  row.replaceChildren(
    el("td", { role: "cell", class: `shape ${said.group}` }, el("span", { "aria-hidden": "true" }, said.mark), el("span", { class: "unseen" }, said.word)),
    el("th", { role: "rowheader", scope: "row" }, el("button", { type: "button", title: sheet.name }, sheet.name)),
    ...Object.keys(FIELDS).map((field) => valueCell(sheet, field)),
    el("td", { role: "cell", class: "number" }, weakestOf(sheet)),
    el("td", { role: "cell", class: "note" }, noteOf(sheet, said)));
  // Again, for its crops: they are drawn when the row is on the screen.
  if (sheet.reply && isPicture(sheet.name)) { seen.unobserve(row); seen.observe(row); }
}

const valueCell = ({ reply }, field) => el("td", { role: "cell", class: `value ${field}` },
  reply?.[field] ? marked(reply, field) : reply ? el("span", { class: "nothing" }, "–") : null);

/** Of the fields that were read: a sheet is as sure as its weakest character. */
function weakestOf({ reply }) {
  const shares = Object.keys(FIELDS).filter((field) => reply?.[field]).map((field) => certainty(reply, field).share);
  return shares.length ? percent(Math.min(...shares)) : "";
}

const marked = (reply, field) => el("span", {}, (bestBox(reply, field)?.symbols ?? []).map((symbol) =>
  symbol.confidence < DOUBTFUL ? el("u", {}, symbol.value) : symbol.value));

const noteOf = (sheet, said) => sheet.state === "failed" ? problemOf(sheet).join(" ")
  : said.group === "check" ? reasonsOf(sheet.reply).find((each) => !each.note)?.text ?? said.text : said.word;

// --- the crops in the rows ------------------------------------------------------------------------------------------

const sheetOf = (row) => [...rows].find(([, each]) => each === row)[0];
let drawing = Promise.resolve();  // one after the other: pages are large
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries)
    if (isIntersecting && !target.classList.contains("drawn")) drawing = drawing.then(() => drawCrops(sheetOf(target), target));
}, { rootMargin: "200px" });

async function drawCrops(sheet, row) {
  if (!sheet.reply || !isPicture(sheet.name) || row.classList.contains("drawn")) return;
  row.classList.add("drawn");
  const picture = await openPicture(sheet.file, sheet.reply);
  if (!picture) return;
  for (const field of Object.keys(FIELDS)) {
    const box = bestBox(sheet.reply, field);
    const cut = box && cutOut(picture, sheet.reply, box, 240);
    if (cut) row.querySelector(`.${field}`)?.prepend(cut.canvas);
  }
  picture.close();
}
