// The doubtful sheets, one after the other: the crop, whose it may be, one key for each decision.

import { announce, byId, count, duration, el } from "../shared/page.js";
import { cutOut, places } from "../sheet/draw.js";
import { ask, reviewer } from "./server.js";
import { reasonText } from "./words.js";
import { toast } from "./toast.js";

const LOOK = 4000;         // ms between looks at the queue
const HOLD = 25_000;       // ms between signs that the sheet is still on this screen
const AHEAD = 2;           // sheets fetched before they are wanted
const UNDO = 10;
const DOUBTFUL = 0.9;
const PACED = 3;           // answers before a pace is told
const SETTLING = 15_000;   // ms in which an answer reaches the queue
const FIELDS = { register_number: "Register number", subject_code: "Subject code" };

let queue = [], current = null, shown = false, inForm = false;
let tempo = { since: 0, answered: 0 };
const fetched = new Map();   // uuid → promise of {detail, picture}
const answered = new Map();  // uuid → when; the queue may still have them for a moment
const done = [];             // {uuid, item, version: promise}, for undoing
const skipped = new Set();

/** What this window may answer: not what lies on somebody else's screen. */
const mine = () => queue.filter((item) => !item.held_by && !answered.has(item.artifact_uuid));
let onCount = () => {};

export function startReview(countChanged) {
  onCount = countChanged;
  setInterval(() => { if (!document.hidden) refresh(); }, LOOK);
  addEventListener("resize", toNumber);
  setInterval(() => { if (shown && current && !document.hidden) hold(current.uuid); }, HOLD);
}

export async function refresh() {
  const { ok, body } = await ask(`review?reviewer=${reviewer}`);
  if (!ok) return;
  const now = performance.now();
  for (const [uuid, at] of answered) if (now - at > SETTLING) answered.delete(uuid);
  queue = body.items.filter((item) => !answered.has(item.artifact_uuid));
  onCount(mine().length);
  if (!shown) return;
  if (!current) next(); else showLeft();
}

/** Shows the place; `uuid`: the sheet that is wanted first. */
export async function openReview(uuid) {
  shown = true;
  if (!tempo.since) tempo = { since: performance.now(), answered: 0 };
  if (uuid) return show(uuid);
  await refresh();
  if (!current) next();
}

export function leaveReview() { shown = false; current = null; tempo.since = 0; }

const fetchOne = (uuid) => {
  if (!fetched.has(uuid)) fetched.set(uuid, (async () => {
    const [detail, page] = await Promise.all([ask(`review/${uuid}?reviewer=${reviewer}`), ask(`records/${uuid}/page`, { raw: true })]);
    const picture = page.ok ? await createImageBitmap(page.body).catch(() => null) : null;
    return { detail, picture };
  })());
  return fetched.get(uuid);
};

async function hold(uuid) {
  const { status, body } = await ask(`review/${uuid}/hold`, { method: "POST", json: { reviewer } });
  return status === 409 ? body.detail : null;
}

const free = (item) => !skipped.has(item.artifact_uuid);

function next() {
  let item = mine().find(free);
  if (!item && skipped.size) { skipped.clear(); item = mine().find(free); }
  if (item) return show(item.artifact_uuid);
  current = null;
  showLeft();
  const others = queue.filter((each) => each.held_by).length;
  byId("desk").replaceChildren(el("div", { class: "empty card" }, el("p", { class: "big" }, others ? "The rest is with others" : "Nothing waits for you"),
    el("p", {}, others ? `${count(others, "sheet")} ${others === 1 ? "is" : "are"} on somebody else's screen. ${others === 1 ? "It comes" : "They come"} back here if they leave ${others === 1 ? "it" : "them"}.` : "Every sheet that was read has its name. New doubtful ones appear here by themselves."),
    el("p", { class: "actions" }, el("a", { class: "button", href: "#exam" }, "See the exams"), el("a", { class: "button", href: "#intake" }, "Hand in sheets"),
      done.length ? el("button", { type: "button", onclick: undo }, "Undo the last answer ", el("kbd", {}, "U")) : null)));
}

async function show(uuid) {
  const wanted = current = { uuid };
  const taken = hold(uuid);
  const { detail, picture } = await fetchOne(uuid);
  if (wanted !== current) return;
  if (!detail.ok) { fetched.delete(uuid); answered.set(uuid, performance.now()); toast(detail.body.detail); return next(); }
  Object.assign(wanted, { sheet: detail.body, picture });
  draw();
  prefetch();
  const other = await taken;
  if (wanted !== current || !other) return;
  toast(other);
  fetched.delete(uuid);
  const item = queue.find((each) => each.artifact_uuid === uuid);
  if (item) item.held_by = "another";  // until the next look at the queue says who
  next();
}

function prefetch() {
  const ahead = mine().filter(free).map((item) => item.artifact_uuid).filter((uuid) => uuid !== current.uuid).slice(0, AHEAD);
  for (const uuid of ahead) fetchOne(uuid);
  for (const uuid of fetched.keys()) if (uuid !== current.uuid && !ahead.includes(uuid)) fetched.delete(uuid);
}

// --- one sheet on the screen ----------------------------------------------------------------------------------------

const bestBox = (sheet, field) => {
  const boxes = (sheet.boxes ?? []).filter((box) => box.field === field);
  return boxes.find((box) => box.value) ?? boxes[0] ?? null;
};

function draw() {
  const { sheet, picture } = current;
  const left = el("div", { class: "paper card" }, picture
    ? [el("p", { class: "actions looks" }, el("button", { type: "button", class: "small", id: "enlarge", onclick: enlarge }, el("span", {}, "Enlarge"), el("kbd", {}, "Z")), el("button", { type: "button", class: "small", onclick: turn }, "Turn ", el("kbd", {}, "R"))),
      movable(el("div", { class: "window", id: "window", tabIndex: 0, role: "group", "aria-label": "The page; Z enlarges it, R turns it, arrow keys move it" }, pageOf(sheet, picture, 0)))]
    : el("p", { class: "blank" }, "There is no picture of this sheet: its file cannot be opened without its password, or is gone."));
  const middle = el("div", { class: "middle" },
    el("p", { class: "reasons" }, sheet.reasons.length ? sheet.reasons.map((code) => el("span", { class: "chip" }, reasonText(code))) : el("span", { class: "chip" }, "looked up")),
    Object.keys(FIELDS).map((field) => crop(sheet, picture, field)),
    el("form", { class: "card edit", id: "edit", onsubmit: (event) => { event.preventDefault(); fileTyped(); },
      onfocusin: () => { inForm = true; markEnter(); }, onfocusout: ({ relatedTarget }) => { inForm = Boolean(relatedTarget?.closest("#edit")); markEnter(); } },
      el("label", {}, "Register number", el("input", { id: "number", value: sheet.register_number ?? "", autocomplete: "off", spellcheck: false, maxlength: 32,
        oninput: () => { markEnter(); lookUp(); }, "aria-describedby": "found" })),
      el("label", {}, "Subject", el("input", { id: "subject", value: sheet.subject_code ?? "", autocomplete: "off", spellcheck: false, maxlength: 32 })),
      el("button", { type: "submit" }, "File under this number", el("kbd", { id: "enter-typed" }, "Enter")),
      el("ul", { id: "found", class: "found", "aria-live": "polite" })),
    el("p", { class: "fine" }, `${sheet.original_filename || "no name"} · ${sheet.exam_type}${sheet.page?.of > 1 ? ` · page ${sheet.page.number} of ${sheet.page.of}` : ""}`));
  const right = el("div", { class: "right" }, suggestions(sheet),
    el("div", { class: "verbs" }, VERBS.map(({ key, says, run }) => el("button", { type: "button", disabled: key === "U" && done.length === 0, onclick: run }, el("kbd", {}, key), says))));
  byId("desk").replaceChildren(el("div", { class: "desk" }, middle, right, left));
  inForm = false;
  markEnter();
  showLeft();
  const top = firstFree(sheet);
  announce(`Sheet read as ${spell(sheet.register_number) || "nothing"}. ${top ? `Likeliest: ${top.name || spell(top.register_number)}` : "No suggestion"}`);
}

const spell = (text) => (text ?? "").split("").join(" ");
const firstFree = (sheet) => sheet.roster_candidates.find((each) => !each.taken_by) ?? null;

/** `quarters`: of a turn, clockwise. */
function pageOf(sheet, picture, quarters) {
  const { width, height } = picture, lies = quarters % 2 === 1;
  const canvas = el("canvas", { width: lies ? height : width, height: lies ? width : height, role: "img", "aria-label": "The page of this sheet" });
  const pen = canvas.getContext("2d");
  pen.translate(canvas.width / 2, canvas.height / 2);
  pen.rotate(quarters * Math.PI / 2);
  pen.drawImage(picture, -width / 2, -height / 2);
  const share = (part) => `${part * 100}%`;
  const frames = Object.keys(FIELDS).map((field) => [field, bestBox(sheet, field)]).filter(([, box]) => box && sheet.page).map(([field, { box }]) => {
    let [left, top, right, bottom] = box.map((at, index) => at / (index % 2 ? sheet.page.height : sheet.page.width));
    for (let turned = 0; turned < quarters; turned++) [left, top, right, bottom] = [1 - bottom, left, 1 - top, right];
    return el("div", { class: `frame ${field}`, "aria-hidden": "true", style: { left: share(left), top: share(top), width: share(right - left), height: share(bottom - top) } });
  });
  return el("div", { class: "page" }, canvas, frames);
}

function enlarge() {
  const frame = byId("window");
  if (!frame) return;
  byId("enlarge").firstChild.textContent = frame.classList.toggle("large") ? "Shrink" : "Enlarge";
  toNumber();
}

/** Brings the register number's box into an enlarged page's window, from its beginning where it is longer. */
function toNumber() {
  const frame = byId("window"), box = frame?.querySelector(".frame");
  if (!box || !frame.classList.contains("large")) return;
  const start = (at, length, room) => Math.min(at - 12, at + length / 2 - room / 2);
  frame.scrollTo(start(box.offsetLeft, box.offsetWidth, frame.clientWidth), start(box.offsetTop, box.offsetHeight, frame.clientHeight));
}

function turn() {
  if (!current?.picture) return;
  current.quarters = ((current.quarters ?? 0) + 1) % 4;
  byId("window").replaceChildren(pageOf(current.sheet, current.picture, current.quarters));
  toNumber();
}

/** An enlarged page follows the hand; with the keyboard, the arrow keys move it and not the queue. */
function movable(frame) {
  let from = null;
  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch" || !frame.classList.contains("large")) return;
    from = { x: event.clientX + frame.scrollLeft, y: event.clientY + frame.scrollTop };
    frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", (event) => { if (from) frame.scrollTo(from.x - event.clientX, from.y - event.clientY); });
  for (const name of ["pointerup", "pointercancel"]) frame.addEventListener(name, () => { from = null; });
  frame.addEventListener("dblclick", enlarge);
  frame.addEventListener("keydown", (event) => { if (event.key.startsWith("Arrow")) event.stopPropagation(); });
  return frame;
}

function crop(sheet, picture, field) {
  const box = bestBox(sheet, field);
  const cut = box && picture && sheet.page ? cutOut(picture, sheet, box, 1200) : null;
  const symbols = box?.symbols ?? [];
  const gap = Math.min(0.98 / Math.max(1, symbols.length), 0.09);
  const at = cut ? places(symbols, cut.place, gap) : symbols.map((_, index) => (index + 0.5) * gap);
  return el("section", { class: `card crop ${field}`, "aria-label": FIELDS[field] },
    el("h3", {}, FIELDS[field], box?.value ? null : el("span", {}, box ? " · nothing was read" : " · not found on the page")),
    cut ? el("div", { class: "cut", style: { "--aspect": cut.canvas.width / cut.canvas.height } }, cut.canvas) : null,
    symbols.length ? el("div", { class: "cut cells", style: { "--gap": gap, "--aspect": cut ? cut.canvas.width / cut.canvas.height : 6 } }, symbols.map((symbol, index) => {
      const others = (symbol.alternatives ?? []).map((other) => other.value).join(" ");
      const weak = symbol.confidence < DOUBTFUL;
      return el("span", { class: weak ? "cell weak" : "cell", style: { left: `${at[index] * 100}%` }, title: others ? `or ${others}` : null }, el("b", {}, symbol.value),
        weak && others ? el("small", {}, `or ${others}`) : null);
    })) : null);
}

function suggestions(sheet) {
  const top = firstFree(sheet);
  if (sheet.roster_candidates.length === 0)
    return el("p", { class: "card none" }, "Nobody on the class list comes near. ", el("kbd", {}, "E"), " types the number.");
  return el("ol", { class: "names", "aria-label": "Whose it may be" }, sheet.roster_candidates.map((each, index) => {
    const times = Math.round(Math.exp(sheet.roster_candidates[0].log_probability - each.log_probability));
    const odds = index === 0 ? "best fit" : times > 10_000 ? "over 10,000× less likely" : times > 1 ? `${times.toLocaleString("en")}× less likely` : "about as likely";
    return el("li", {}, el("button", { type: "button", class: each === top ? "name main" : "name", disabled: Boolean(each.taken_by), onclick: () => choose(index) },
      el("kbd", {}, String(index + 1)), el("span", {}, el("b", {}, each.name || "no name"), el("code", {}, difference(each.register_number, sheet.register_number))),
      el("small", {}, each.taken_by ? "taken" : odds), each === top ? el("kbd", { id: "enter-top" }, "Enter") : null),
      each.taken_by ? el("a", { class: "taken", href: `#review/${each.taken_by}` }, "see its sheet") : null);
  }));
}

// Where a suggestion differs from what was read.
const difference = (number, read) => [...number].map((letter, index) => letter === (read ?? "")[index] ? letter : el("u", {}, letter));

function showLeft() {
  const left = mine().length;
  const pace = tempo.answered >= PACED ? (performance.now() - tempo.since) / tempo.answered / 1000 : null;
  byId("left").textContent = left ? `${left.toLocaleString("en")} left${pace ? `, ~${duration(left * pace)}` : ""}` : "";
}

// --- answers ---------------------------------------------------------------------------------------------------------

function say(verdict, number = "", subject = null) {
  if (!current?.sheet) return;
  const { uuid, sheet } = current;
  const item = queue.find((each) => each.artifact_uuid === uuid);
  answered.set(uuid, performance.now());
  fetched.delete(uuid);
  tempo.answered += 1;
  const version = ask(`review/${uuid}`, { method: "POST", json: { verdict, register_number: number, version: sheet.version, reviewer,
    subject_code: subject ?? sheet.subject_code ?? "" } }).then(({ ok, body }) => {
    if (ok) return body.version;
    answered.delete(uuid);  // it was not taken: back it goes
    done.splice(done.findIndex((each) => each.uuid === uuid), 1);
    toast(body.detail);
    return null;
  });
  done.push({ uuid, item, version });
  if (done.length > UNDO) done.shift();
  queue = queue.filter((each) => each !== item);
  onCount(mine().length);
  toast({ belongs: `Filed under ${number}`, blank: "Marked blank", unlisted: "Marked: not on the list", duplicate: "Marked a duplicate" }[verdict], { text: "Undo", run: undo });
  next();
}

const choose = (index) => {
  const name = current?.sheet?.roster_candidates[index];
  if (name && !name.taken_by) say("belongs", name.register_number, byId("subject").value.trim());
};

function fileTyped() {
  if (!current?.sheet) return;
  const typed = byId("number").value.trim();
  if (typed) return say("belongs", typed, byId("subject").value.trim());
  toast("Nothing to file: type the number, or say B, X or D");
}

/** Whether Enter files the number in the field: where somebody is at it or changed it, or no suggestion is free. */
const entersTyped = () => inForm || !firstFree(current.sheet) || byId("number").value.trim() !== (current.sheet.register_number ?? "");

/** The sign of the key stands on what the key would do. */
function markEnter() {
  if (!current?.sheet || !byId("enter-typed")) return;
  byId("enter-typed").hidden = !entersTyped();
  if (byId("enter-top")) byId("enter-top").hidden = entersTyped();
}

function accept() {
  if (!current?.sheet) return;
  if (entersTyped()) return fileTyped();
  say("belongs", firstFree(current.sheet).register_number, byId("subject").value.trim());
}

export async function undo() {
  const last = done.pop();
  if (!last) return toast("Nothing to undo");
  current = { uuid: last.uuid };  // no key acts on the sheet that is still to be seen
  const version = await last.version;
  if (version === null) return next();
  const { ok, body } = await ask(`review/${last.uuid}`, { method: "POST", json: { verdict: "withdrawn", version } });
  toast(ok ? "Taken back" : body.detail);
  answered.delete(last.uuid);
  fetched.delete(last.uuid);
  if (!ok) return next();
  if (last.item) queue.unshift(last.item);
  onCount(mine().length);
  if (shown) show(last.uuid); else location.hash = `#review/${last.uuid}`;
}

async function lookUp() {
  const text = byId("number").value.trim();
  const { ok, body } = text.length > 2 ? await ask(`people?q=${encodeURIComponent(text)}`) : { ok: true, body: { people: [] } };
  if (!ok || byId("number")?.value.trim() !== text) return;
  byId("found").replaceChildren(...body.people.slice(0, 5).map((person) => el("li", {}, el("button", { type: "button", class: "small", onclick: () => say("belongs", person.register_number, byId("subject").value.trim()) },
    el("code", {}, person.register_number), person.name))));
}

function step(by) {
  const open = mine();
  const at = open.findIndex((item) => item.artifact_uuid === current?.uuid);
  const wanted = open[(at + by + open.length) % open.length];
  if (wanted) show(wanted.artifact_uuid);
}

function skip() {
  if (!current) return;
  skipped.add(current.uuid);
  next();
}

const VERBS = [
  { key: "B", says: "Blank", run: () => say("blank") },
  { key: "X", says: "Not listed", run: () => say("unlisted") },
  { key: "D", says: "Duplicate", run: () => say("duplicate") },
  { key: "S", says: "Skip", run: skip },
  { key: "U", says: "Undo", run: () => undo() },
];

const here = () => shown && Boolean(current?.sheet);
export const reviewKeys = [
  ...[0, 1, 2, 3, 4].map((index) => ({ key: String(index + 1), says: index ? `Suggestion ${index + 1}` : "It is the first suggestion, and so on to 5", when: () => here() && index < current.sheet.roster_candidates.length, run: () => choose(index) })),
  { key: "enter", says: "Do what is marked Enter", when: () => here() && !document.activeElement?.closest?.("a, button"), run: accept },
  { key: "e", says: "Type the number", when: here, run: () => { byId("number").focus(); byId("number").select(); } },
  { key: "escape", says: "Leave the field", when: () => here() && inForm, run: () => document.activeElement.blur() },
  ...VERBS.map(({ key, says, run }) => ({ key: key.toLowerCase(), says, when: () => shown && (key === "U" ? done.length > 0 : here()), run })),
  { key: "j arrowdown", says: "Next sheet", when: here, run: () => step(1) },
  { key: "k arrowup", says: "Previous sheet", when: here, run: () => step(-1) },
  { key: "z .", says: "Enlarge the page; drag it, or move it with the arrow keys", when: here, run: enlarge },
  { key: "r", says: "Turn the page", when: here, run: turn },
];
