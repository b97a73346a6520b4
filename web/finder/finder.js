// The paper finder's page, wired: the address holds what is asked, the server answers, the panes show it, keys do what buttons do.

import { announce, byId, copy, count, download, duration, el, sentence, shortcuts, themeButton } from "../shared/page.js";
import { chipsOf, completion, FACETS, facetView } from "./facets.js";
import { panelView } from "./panel.js";
import { bones, row } from "./results.js";
import { address, exported, hasMeaning, look, paper as fetchPaper, search, server } from "./server.js";
import { entries, entryOf, load, onChange, pick, picked, saved, STATES, setState, toggle as toggleShelf, unpickAll } from "./shelf.js";
import { people, texNodes, whereOf, wordsOf } from "./text.js";

const PAGE = 20;       // papers asked for at once
const PAUSE = 120;     // ms of silence before what is typed is asked
const MODES = ["both", "meaning", "words"];
const FORMATS = { bib: "BibTeX", ris: "RIS (Zotero, EndNote)", csv: "CSV", json: "JSON", jsonl: "JSON lines", "csl-json": "CSL-JSON", md: "Markdown" };

let view = fromAddress();                                          // what is asked
let found = { papers: [], total: 0, facets: {}, relax: [] };       // what was answered
let state = "idle";                                                // idle, asking, more, failed
let failure = null;
let fresh = new Set();                                             // rows that meaning brought up after words had answered
let opened = null;                                                 // {paper, why, near} in the right pane

// --- the address ------------------------------------------------------------------------------------------------------

function fromAddress() {
  const asked = new URLSearchParams(location.search || location.hash.slice(1));
  const filters = Object.fromEntries(Object.keys(FACETS).map((name) => [name, asked.getAll(name)]).filter(([, values]) => values.length));
  const mode = asked.get("mode");
  return { q: asked.get("q") ?? "", mode: MODES.includes(mode) ? mode : "both", filters, like: asked.getAll("like"), unlike: asked.getAll("unlike"),
    list: asked.has("list"), id: asked.get("id") };
}

// What is too long to be asked of a server stays behind the #, which no server sees.
function hrefOf({ q, mode, filters, like, unlike, list, id }) {
  const whole = address("./", { q, mode: mode === "both" ? null : mode, filters, like, unlike, list: list ? "1" : null, id });
  return whole.length > 2000 ? whole.replace("?", "#") : whole;
}

/** Changes what is asked. One step back leads to what was asked before; typing alone makes no steps. */
function go(change, { step = true } = {}) {
  view = { ...view, ...change };
  history[step ? "pushState" : "replaceState"](null, "", hrefOf(view));
  follow();
}

let before = "";
function follow() {
  const { id, ...asked } = view;
  const question = JSON.stringify(asked);
  if (question !== before) { before = question; run(); }
  if (id !== (opened?.paper.id ?? null)) openPanel(id);
}

// --- asking -----------------------------------------------------------------------------------------------------------

let running = null;
let answered = false;  // whether what was found answers what is asked, or what was asked before

async function run() {
  running?.abort();
  const { signal } = running = new AbortController();
  showAsked();
  if (view.list) { state = "idle"; return show(); }
  state = "asking";
  answered = false;
  failure = null;
  fresh = new Set();
  show();
  let whole = false;
  const { mode } = asked();
  const take = (answer) => { found = { ...answer, papers: answer.results }; answered = true; };
  try {
    // Words answer at once; meaning follows and says what it brought up.
    const first = view.mode === "both" && view.q && server.phase === "ready" && hasMeaning()
      ? search({ ...asked(), mode: "words", n: PAGE }, signal).then((answer) => { if (!whole) { take(answer); show(); } }).catch(() => {}) : null;
    const answer = await ask(0, signal);
    whole = true;
    if (first) {
      const place = new Map(found.papers.map((paper, index) => [paper.id, index]));
      fresh = new Set(answer.results.filter((paper, index) => place.size && (place.get(paper.id) ?? Infinity) > index + 2).map((paper) => paper.id));
    }
    take(answer);
    state = "idle";
    announce(view.q || view.like.length || held() ? count(found.total, "paper") : "");
  } catch (error) {
    if (error.name === "AbortError") return;
    if (mode !== asked().mode) return run();  // it was not known that meaning cannot be searched
    failure = error;  // what was found last stays on the screen
    state = "failed";
    if (!error.status) watch();  // the server may be away
  }
  show();
}

// Where words alone are searched, "both" makes do with them.
const asked = () => ({ q: view.q, mode: hasMeaning() ? view.mode : view.mode === "words" ? "words" : "both", filters: view.filters, like: view.like, unlike: view.unlike });
const held = () => Object.values(view.filters).flat().length;
const ask = (offset, signal) => search({ ...asked(), n: PAGE, offset }, signal);

async function more() {
  if (state !== "idle" || found.papers.length >= found.total || view.list) return;
  state = "more";
  const { signal } = running;
  try {
    const answer = await ask(found.papers.length, signal);
    const have = new Set(found.papers.map((paper) => paper.id));
    found.papers = [...found.papers, ...answer.results.filter((paper) => !have.has(paper.id))];
    if (answer.results.length === 0) found.total = found.papers.length;
    state = "idle";
  } catch (error) {
    if (error.name === "AbortError") return;
    failure = error;
    state = "failed";
    if (!error.status) watch();
  }
  show();
}

// --- showing ----------------------------------------------------------------------------------------------------------

/** New children, with the focus where it was. */
function draw(container, ...children) {
  const key = container.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  container.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (key) [...container.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key)?.focus({ preventScroll: true });
}

function showAsked() {
  const q = view.list ? "" : view.q;  // the list answers no question
  if (byId("q").value.trim() !== q.trim()) byId("q").value = q;
  grow();
  byId("clear").hidden = !byId("q").value;
  showModes();
  byId("list").setAttribute("aria-pressed", String(view.list));
  document.title = view.list ? "My list · Alcove" : view.q ? `${view.q.slice(0, 60)} · Alcove` : "Alcove · paper finder";
}

function showModes() {
  const mode = hasMeaning() ? view.mode : "words";
  for (const button of document.querySelectorAll("[data-mode]")) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    button.disabled = button.dataset.mode !== "words" && !hasMeaning();
    button.title = button.disabled ? wordsAlone() : "";
  }
}

const wordsAlone = () => `Only words are searched ${server.status?.store?.error || server.status?.index?.state === "indexing" ? "for the moment" : "here"}, not meanings.`;

const shown = () => view.list ? entries().map(({ paper, note }) => ({ ...paper, snippet: note })) : found.papers;

function show() {
  const blank = !view.q && !view.like.length && !held() && !view.list;
  const papers = shown();
  document.body.classList.toggle("blank", blank);
  document.body.classList.toggle("listing", view.list);
  byId("count").textContent = heading(blank, papers);
  byId("export").hidden = byId("link").hidden = papers.length === 0;
  draw(byId("facets"), view.list ? null : facetView(found.facets, view.filters, toggleFilter, show));
  draw(byId("chips"), view.list ? null : [seedChips("like", "Like"), seedChips("unlike", "Unlike"), chipsOf(view.filters, toggleFilter)]);
  draw(byId("empty"), failure ? problem() : view.list ? listTools(papers) : blank ? welcome() : papers.length === 0 && state === "idle" ? nothing() : notes());
  const words = wordsOf(view.q);
  const authors = [...(view.filters.author ?? []), ...[...view.q.matchAll(/author:("([^"]+)"|(\S+))/gi)].map((match) => match[2] ?? match[3])].map((name) => name.toLowerCase());
  draw(byId("results"), state === "asking" && papers.length === 0 ? bones()
    : papers.map((paper) => row(paper, { words, authors, open: paper.id === view.id, fresh: fresh.has(paper.id) }, acts)));
  byId("results").classList.toggle("stale", state === "asking");
  draw(byId("more"), !view.list && papers.length && papers.length < found.total
    ? el("button", { type: "button", "data-key": "more", onclick: more }, state === "more" ? "Loading…" : `More of the ${found.total.toLocaleString()}`) : null);
  showTray();
  showServer();
}

function heading(blank, papers) {
  if (view.list) return `My list: ${count(papers.length, "paper")}`;
  if (!answered) return papers.length ? byId("count").textContent : state === "asking" ? "Searching…" : "";
  if (blank) return found.total ? "Newest papers" : "";
  return `${found.total.toLocaleString()} ${found.total === 1 ? "paper" : "papers"}`;
}

function problem() {
  // That there is no connection is said above, where the server is known to be away.
  const [title, text] = failure.status ? ["That could not be searched", forVisitors(failure.message)]
    : server.phase === "offline" ? ["This was not searched yet", "It is asked again as soon as the server answers."]
    : ["No connection to the server", "Your question got no answer."];
  return el("section", { class: "problem card" }, el("h2", {}, title),
    el("p", {}, text, found.papers.length ? " Below is what was found before." : ""),
    el("button", { type: "button", onclick: run }, "Try again"));
}

/** The server's sentence without the command line that would mend it: only who runs the server has one. */
const forVisitors = (text) => sentence(text.replace(/; [^;]*--[a-z].*$/, ""));

function welcome() {
  const topics = (found.facets.keyword ?? []).slice(0, 5);
  if (topics.length === 0) return null;
  return el("div", { class: "welcome" },
    el("p", {}, "Type a topic, a half-remembered title, a name, or paste an abstract.", server.phase === "ready" && !hasMeaning() ? ` ${wordsAlone()}` : null),
    el("div", { class: "actions" }, topics.map(({ value }) => el("button", { type: "button", class: "chip", onclick: () => go({ q: value }) }, value))));
}

function nothing() {
  if (server.status?.papers === 0) return el("p", { class: "none card" }, "There is nothing to search yet: the index is empty. Whoever runs this server fills it with ", el("code", {}, "alcove papers index"), " or ", el("code", {}, "alcove papers import"), ".");
  return el("div", { class: "none card" }, el("h2", {}, "No paper fits."), notes(),
    found.relax.length || held() ? el("div", { class: "actions" }, found.relax.map(({ without, total }) =>
      el("button", { type: "button", onclick: () => relax(without) }, `${relaxed(without)}: ${count(total, "paper")}`)),
      held() ? el("button", { type: "button", onclick: () => go({ filters: {} }) }, "Clear all filters") : null) : null);
}

/** "Without year 1950 and author Ho", "With keyword survey" */
function relaxed(conditions) {
  const part = (word, those) => those.length ? `${word} ${those.map(({ field, value }) => field === "phrase" ? `“${value}”` : `${field} ${value}`).join(" and ")}` : null;
  const isExcluded = ({ text }) => text.startsWith("-");
  const [first, ...more] = [part("without", conditions.filter((each) => !isExcluded(each))), part("with", conditions.filter(isExcluded))].filter(Boolean);
  return [first.charAt(0).toUpperCase() + first.slice(1), ...more].join(", ");
}

// Why words alone are searched is for whoever runs the server; that they are is told above until the server is ready.
const notes = () => (found.notes ?? []).map((note) => !note.startsWith("by words alone") ? sentence(note) : server.phase === "ready" ? wordsAlone() : null)
  .filter(Boolean).map((text) => el("p", { class: "fine" }, text));

/** Asks again without these conditions, wherever they were set: in the panes or in the text. */
function relax(without) {
  let { q, filters } = view;
  for (const { field, value, text } of without) {
    const values = (filters[field] ?? []).filter((each) => each !== value && !text.endsWith(`:${each}`));
    filters = { ...filters, [field]: values };
    const typed = new RegExp(`-?\\b${field}:("[^"]*"|\\S+)`, "gi");
    q = q.replace(typed, (part) => part.replace(/"/g, "").toLowerCase() === text.replace(/"/g, "").toLowerCase() ? " " : part);
    if (field === "phrase") q = q.replace(text, " ");
  }
  go({ q: q.replace(/\s+/g, " ").trim(), filters: Object.fromEntries(Object.entries(filters).filter(([, values]) => values.length)) });
}

const seedChips = (kind, says) => view[kind].map((id) => el("button", { type: "button", class: "chip", onclick: () => go({ [kind]: view[kind].filter((each) => each !== id) }) },
  el("small", {}, says), ` ${titles.get(id) ?? id} `, el("span", { "aria-hidden": "true" }, "✕")));

const listTools = (papers) => el("div", { class: "actions list-tools" },
  el("button", { type: "button", class: "quiet", onclick: () => go({ list: false, id: null }) }, "← Back to the search"),
  papers.length === 0 ? el("p", {}, "Nothing here yet. A star, or the key S, puts a paper on your list; it stays in this browser and nowhere else.") : null,
  el("button", { type: "button", onclick: () => byId("import").click() }, "Open a saved list"),
  papers.length ? el("button", { type: "button", onclick: () => download("reading-list.json", "application/json", saved()) }, "Save the list") : null);

function showTray() {
  const papers = [...picked.values()];
  byId("tray").hidden = papers.length === 0;
  if (papers.length === 0) return;
  draw(byId("tray"), el("b", {}, `${count(papers.length, "paper")} selected`),
    el("button", { type: "button", "data-key": "tray export", onclick: () => chooseFormat(papers) }, "Export"),
    el("button", { type: "button", "data-key": "tray list", onclick: () => papers.filter(({ id }) => !entryOf(id)).forEach(toggleShelf) }, "On my list"),
    papers.length > 1 && papers.length < 5 ? el("button", { type: "button", "data-key": "tray compare", onclick: () => compare(papers) }, "Compare") : null,
    el("button", { type: "button", "data-key": "tray like", onclick: () => { go({ like: papers.map(({ id }) => id), unlike: [], q: "" }); unpickAll(); } }, "More like these"),
    el("button", { type: "button", class: "quiet", "data-key": "tray none", onclick: unpickAll }, "Clear"));
}

// --- one paper --------------------------------------------------------------------------------------------------------

const titles = new Map();  // of papers seen, for the chips of seeds

async function openPanel(id) {
  opened = null;
  byId("panel").hidden = !id;
  document.body.classList.toggle("reading", Boolean(id));
  for (const node of document.querySelectorAll(".row")) node.classList.toggle("open", node.dataset.id === id);
  if (!id) return;
  const mine = opened = { paper: { id, title: "", authors: [], keywords: [] }, why: view.q || view.like.length ? null : undefined, near: null };
  byId("panel").setAttribute("aria-busy", "true");
  draw(byId("panel"), el("div", { class: "bone" }));
  const still = () => opened === mine;
  try {
    mine.paper = await fetchPaper(id);
  } catch (error) {
    if (still()) draw(byId("panel"), el("p", {}, sentence(error.message)), el("button", { type: "button", onclick: closePanel }, "Close"));
    return;
  }
  titles.set(id, mine.paper.title);
  if (!still()) return;
  byId("panel").setAttribute("aria-busy", "false");
  showPanel();
  byId("panel").scrollTop = 0;
  const part = (name, ask) => ask.then((answer) => { mine[name] = answer; }).catch(() => { mine[name] = name === "near" ? [] : undefined; }).then(() => { if (still()) showPanel(); });
  part("near", search({ like: id, n: 6, facets: 0 }).then((answer) => answer.results));
  // Only what was found has a reason; its place says which one to ask for.
  const place = found.papers.findIndex((paper) => paper.id === id);
  if (mine.why === null) part("why", place < 0 ? Promise.reject() : search({ ...asked(), n: 1, offset: place, facets: 0, explain: 1 }).then(({ results: [first] }) => first?.id === id ? first : undefined));
}

function showPanel() {
  if (!opened?.paper.title) return;
  draw(byId("panel"), panelView({ ...opened, words: wordsOf(view.q) }, { close: closePanel, star, open: (paper) => go({ id: paper.id }),
    author: (name) => go({ q: "", filters: { author: [name] }, like: [], unlike: [], list: false }), bibtex }));
}

const closePanel = () => go({ id: null }, { step: false });

async function bibtex(paper, button) {
  try { await copy(await exported("bib", paper.id), button); } catch (error) { announce(sentence(error.message)); }
}

function star(paper) {
  announce(toggleShelf(paper) ? "On your list" : "Off your list");
}

const acts = {
  open: (paper) => go({ id: paper.id }), star, pick,
  more: (paper) => { titles.set(paper.id, paper.title); go({ like: [...new Set([...view.like, paper.id])], unlike: view.unlike.filter((id) => id !== paper.id), q: "", list: false }); },
  less: (paper) => { titles.set(paper.id, paper.title); go({ unlike: [...new Set([...view.unlike, paper.id])], like: view.like.length ? view.like.filter((id) => id !== paper.id) : found.papers.filter((each) => each.id !== paper.id).slice(0, 3).map((each) => { titles.set(each.id, each.title); return each.id; }), q: "" }); },
};

// --- out --------------------------------------------------------------------------------------------------------------

function chooseFormat(papers) {
  const those = papers ? { id: papers.map(({ id }) => id) } : view.list ? { id: entries().map(({ paper }) => paper.id) } : asked();
  byId("formats-title").textContent = papers || view.list ? `Export ${count((those.id ?? []).length, "paper")}` : `Export all ${found.total.toLocaleString()}`;
  byId("formats").querySelector("ul").replaceChildren(...Object.entries(FORMATS).map(([format, name]) => el("li", {},
    el("a", { href: address("./api/export", { ...those, format }), download: `papers.${format === "csl-json" ? "json" : format}`, onclick: () => byId("formats").close() }, name))));
  byId("formats").showModal();
}

async function compare(papers) {
  const whole = await Promise.all(papers.map(({ id }) => fetchPaper(id).catch(() => null)));
  const sides = whole.filter(Boolean);
  const line = (name, of) => el("tr", {}, el("th", { scope: "row" }, name), sides.map((paper) => el("td", {}, of(paper))));
  const shared = (paper, word) => sides.every((other) => other === paper || other.keywords.includes(word));
  byId("compare").querySelector("div").replaceChildren(el("table", {}, el("tbody", {},
    line("Title", (paper) => texNodes(paper.title)), line("Authors", (paper) => people(paper.authors)), line("Venue", (paper) => [whereOf(paper), paper.decision].filter(Boolean).join(", ")),
    line("Keywords", (paper) => paper.keywords.flatMap((word, index) => [index ? ", " : "", shared(paper, word) ? el("mark", {}, word) : word])), line("Abstract", (paper) => texNodes(paper.abstract)))));
  byId("compare").showModal();
}

// --- the server -------------------------------------------------------------------------------------------------------

const STATE_NAMES = { unknown: "Connecting", loading: "Starting", ready: "Ready", failed: "Words only", offline: "Offline" };

/** What is on its way: papers from OpenReview, then their vectors. */
function coming(index, papers) {
  const pace = `${index.per_second >= 1 ? ` · ${Math.round(index.per_second)} a second` : ""}${index.seconds_left >= 1 ? ` · ${duration(index.seconds_left)} left` : ""}.`;
  if (index.phase === "fetching") return { done: index.phase_done, total: index.phase_total || undefined,
    text: `${index.phase_done.toLocaleString()}${index.phase_total ? ` of ${index.phase_total.toLocaleString()}` : ""} papers fetched from ${index.venue}${pace}` };
  return { done: index.done, total: index.total || undefined,
    text: `${index.done.toLocaleString()} of ${index.total.toLocaleString()} can be found by meaning, all ${papers.toLocaleString()} by their words${pace}` };
}

function notice() {
  const { phase, status } = server;
  const index = status?.index;
  const since = Math.round((performance.now() - server.since) / 1000);
  if (phase === "offline") return { title: "No connection to the server", text: `Trying again every second, for ${since} s now. What was found stays here.` };
  if (index?.state === "indexing") return { title: "Papers are coming in", ...coming(index, status.papers) };
  if (index?.error && !status.papers) return { title: "No papers yet", text: forVisitors(index.error) };
  if (phase === "loading") return { title: "Searching by words for the moment", text: `The reader of meanings is being loaded, for ${since} s now; it joins by itself.` };
  if (phase === "failed") return { title: "Searching by words alone", text: `The reader of meanings could not be loaded${status?.error ? `: ${status.error}` : ""}.` };
  return null;
}

function showServer() {
  const { phase, status } = server;
  byId("state").dataset.phase = phase;
  byId("state-text").textContent = phase === "ready" && !hasMeaning() ? STATE_NAMES.failed : STATE_NAMES[phase] ?? phase;
  showModes();
  if (status?.version) byId("version").textContent = `Alcove ${status.version}`;
  if (status?.papers !== undefined) byId("holdings").textContent = `${count(status.papers, "paper")}${status.index?.updated ? `, indexed ${new Date(status.index.updated).toLocaleDateString()}` : ""}`;
  const said = notice();
  byId("notice").hidden = !said;
  if (!said) return;
  byId("notice").dataset.phase = phase;
  byId("notice-title").textContent = said.title;
  byId("notice-text").textContent = said.text;
  byId("notice-bar").hidden = said.total === undefined;
  if (said.total) Object.assign(byId("notice-bar"), { max: said.total, value: said.done });
}

async function watch() {
  const was = server.phase, had = server.status?.papers, meant = hasMeaning();
  await look();
  // Meaning has joined, or papers have come in: ask again, where nobody is in the middle of the answer.
  const better = (was !== server.phase && server.phase === "ready" && was !== "unknown") || (had !== undefined && had !== server.status?.papers)
    || (was === "offline" && server.phase !== "offline") || (!meant && hasMeaning());
  const refused = failure?.status && meant && !hasMeaning();  // meaning was asked for before it was known that there is none
  if (((better && (failure || scrollY < 200)) || refused) && !view.list) run();
  else if (meant !== hasMeaning() || (failure && was !== server.phase)) show();
  else showServer();
  clearTimeout(watch.next);
  watch.next = setTimeout(watch, server.phase === "ready" && server.status?.index?.state !== "indexing" ? 15_000 : 1_000);
}

// --- hands ------------------------------------------------------------------------------------------------------------

function toggleFilter(name, value) {
  const values = view.filters[name] ?? [];
  const next = values.includes(value) ? values.filter((each) => each !== value) : [...values, value];
  const { [name]: _, ...others } = view.filters;
  go({ filters: next.length ? { ...others, [name]: next } : others });
}

function grow() {
  const field = byId("q");
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 220)}px`;
}

function typed() {
  clearTimeout(typed.next);
  grow();
  hint();
  byId("clear").hidden = !byId("q").value;
  typed.next = setTimeout(() => go({ q: byId("q").value.trim(), like: [], unlike: [], list: false, id: null }, { step: false }), PAUSE);
}

function asks(event) {
  event?.preventDefault();
  clearTimeout(typed.next);
  // The typing has replaced the last step; this one stays.
  go({ q: byId("q").value.trim(), like: [], unlike: [], list: false });
}

let offered = null;
function hint() {
  const field = byId("q");
  offered = field.selectionStart === field.value.length ? completion(field.value, found.facets) : null;
  byId("hint").replaceChildren(...(offered ? [el("kbd", {}, "Tab"), ` ${offered[1]}`] : []));
}

function step(by) {
  const rows = [...document.querySelectorAll(".row[data-id]")];
  const now = rows.findIndex((node) => node.contains(document.activeElement));
  const at = now < 0 ? rows.findIndex((node) => node.dataset.id === view.id) : now;
  const next = rows[at < 0 ? 0 : at + by];
  if (next) next.querySelector("h2 a").focus();
  else if (by > 0) more();
}

/** The paper that keys are meant for: the one in focus, else the one that is open. */
function current() {
  const id = document.activeElement?.closest?.(".row")?.dataset.id ?? view.id;
  return shown().find((paper) => paper.id === id) ?? (opened?.paper.id === id ? opened.paper : null);
}

function listen() {
  byId("ask").addEventListener("submit", asks);
  const field = byId("q");
  field.addEventListener("input", typed);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) asks(event);
    if (event.key === "Escape") field.blur();
    if (event.key === "Tab" && !event.shiftKey && offered) {
      event.preventDefault();
      field.value = field.value.slice(0, field.value.length - offered[0]) + offered[1];
      typed();
    }
  });
  field.addEventListener("blur", () => { offered = null; byId("hint").replaceChildren(); });
  addEventListener("resize", grow);
  byId("clear").addEventListener("click", () => { field.value = ""; asks(); field.focus(); });
  for (const button of document.querySelectorAll("[data-mode]")) button.addEventListener("click", () => go({ mode: button.dataset.mode }));
  byId("list").addEventListener("click", () => go({ list: !view.list, id: null }));
  byId("link").addEventListener("click", (event) => copy(location.href, event.currentTarget));
  byId("export").addEventListener("click", () => chooseFormat(null));
  byId("dense").addEventListener("click", ({ currentTarget }) => currentTarget.setAttribute("aria-pressed", String(document.body.classList.toggle("dense"))));
  byId("narrow").addEventListener("click", ({ currentTarget }) => currentTarget.setAttribute("aria-expanded", String(document.body.classList.toggle("narrowing"))));
  for (const dialog of ["formats", "compare"]) byId(dialog).querySelector(":scope > button").addEventListener("click", () => byId(dialog).close());
  byId("import").addEventListener("change", async ({ target }) => {
    try { announce(`${count(load(await target.files[0].text()), "paper")} added to your list`); } catch { failure = { status: 1, message: "this file is no reading list saved here" }; show(); failure = null; }
    target.value = "";
  });
  addEventListener("popstate", () => { view = fromAddress(); follow(); });
  addEventListener("online", watch);
  addEventListener("keydown", (event) => { if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); field.focus(); field.select(); } });
  new IntersectionObserver((seen) => { if (seen.some((each) => each.isIntersecting)) more(); }, { rootMargin: "600px" }).observe(byId("more"));
  onChange(() => { show(); showPanel(); });
  setInterval(() => { if (server.phase !== "ready") showServer(); }, 1000);
}

const any = () => shown().length > 0;
const one = () => current() !== null;
const visit = (address) => { if (/^https?:\/\//i.test(address ?? "")) window.open(address, "_blank", "noopener"); };
let afterG = 0;  // until when L leads to the list
listen();
shortcuts([
  { key: "/", says: "Search", when: () => true, run: () => { byId("q").focus(); byId("q").select(); } },
  { key: "j arrowdown", says: "Next paper", when: any, run: () => step(1) },
  { key: "k arrowup", says: "Previous paper", when: any, run: () => step(-1) },
  { key: "o", says: "Open the paper", when: one, run: () => acts.open(current()) },
  { key: "escape", says: "Close the paper", when: () => view.id !== null, run: closePanel },
  { key: "p", says: "Its PDF", when: () => Boolean(current()?.pdf), run: () => visit(current().pdf) },
  { key: "f", says: "Its forum page", when: () => Boolean(current()?.url), run: () => visit(current().url) },
  { key: "s", says: "Onto my list, or off it", when: one, run: () => star(current()) },
  { key: "t", says: "To read, reading, done", when: () => Boolean(entryOf(current()?.id)), run: () => {
    const { id } = current();
    setState(id, STATES[(STATES.indexOf(entryOf(id).state) + 1) % STATES.length]);
    announce(entryOf(id).state);
  } },
  { key: "m", says: "More like this", when: one, run: () => acts.more(current()) },
  { key: "n", says: "Less like this", when: one, run: () => acts.less(current()) },
  { key: "x", says: "Select", when: one, run: () => pick(current()) },
  { key: "c", says: "Copy BibTeX", when: one, run: () => bibtex(current()) },
  { key: "e", says: "Export", when: any, run: () => chooseFormat(picked.size ? [...picked.values()] : null) },
  { key: "g", says: "then L: my list", when: () => true, run: () => { afterG = Date.now() + 1500; } },
  { key: "l", says: "after G: my list", when: () => Date.now() < afterG, run: () => go({ list: true, id: null }) },
  { key: "[", says: "What was asked before", when: () => true, run: () => history.back() },
  { key: "]", says: "What was asked after", when: () => true, run: () => history.forward() },
], byId("help"));
themeButton(byId("theme"));
byId("q").focus();
follow();
watch();
