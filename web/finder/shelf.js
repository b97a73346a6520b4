// What a visitor keeps: the reading list, in this browser alone, and the papers picked for the tray.

const KEY = "reading-list";
export const STATES = ["to read", "reading", "done"];

let shelf = read();
export const picked = new Map();  // id → paper, in the order they were picked; gone with the page

const changed = new Set();
export const onChange = (run) => changed.add(run);
const tell = () => changed.forEach((run) => run());

function read() {
  try { return sound(JSON.parse(localStorage.getItem(KEY) ?? "{}")); } catch { return {}; }
}

// A file that somebody hands over is as foreign as what is in storage.
function sound(list) {
  const entries = Object.entries(list && typeof list === "object" ? list : {}).filter(([, entry]) => typeof entry?.paper?.title === "string");
  return Object.fromEntries(entries.map(([id, { paper, state, note, added }]) => [id, {
    paper: { id, title: paper.title, authors: Array.isArray(paper.authors) ? paper.authors.map(String) : [], venue: String(paper.venue ?? ""), year: Number(paper.year) || 0 },
    state: STATES.includes(state) ? state : STATES[0], note: typeof note === "string" ? note : "", added: Number(added) || 0 }]));
}

/** False where the browser lets nothing be kept. */
function keep() {
  tell();
  try { localStorage.setItem(KEY, JSON.stringify(shelf)); return true; } catch { return false; }
}

addEventListener("storage", (event) => { if (event.key === KEY) { shelf = read(); tell(); } });

export const entryOf = (id) => shelf[id];
export const entries = () => Object.values(shelf).sort((a, b) => b.added - a.added);

export function toggle({ id, title, authors, venue, year }) {
  if (shelf[id]) delete shelf[id];
  else shelf[id] = { paper: { id, title, authors, venue, year }, state: STATES[0], note: "", added: Date.now() };
  keep();
  return Boolean(shelf[id]);
}

export function setState(id, state) {
  shelf[id].state = state;
  keep();
}

export function setNote(id, note) {
  shelf[id].note = note;
  keep();
}

export const saved = () => JSON.stringify({ list: shelf }, null, 1);

/** Adds what a saved list holds; what is here already stays. Gives how many came; throws where it is no list. */
export function load(text) {
  const found = sound(JSON.parse(text).list);
  const fresh = Object.keys(found).filter((id) => !shelf[id]).length;
  shelf = { ...found, ...shelf };
  keep();
  return fresh;
}

export function pick(paper) {
  if (!picked.delete(paper.id)) picked.set(paper.id, paper);
  tell();
}

export function unpickAll() {
  picked.clear();
  tell();
}
