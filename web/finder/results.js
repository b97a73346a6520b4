// The middle pane: a row for each paper found.

import { el } from "../shared/page.js";
import { entryOf, picked } from "./shelf.js";
import { marked, people, texNodes, whereOf } from "./text.js";

/** on: {open, star, more, less, pick}, each called with the paper. `fresh`: ids to point out. */
export function row(paper, { words, authors, open, fresh }, on) {
  const entry = entryOf(paper.id);
  const button = (text, label, run, pressed) => el("button", { type: "button", class: "quiet small", "aria-label": `${label}: ${paper.title}`,
    "aria-pressed": pressed === undefined ? null : String(pressed), "data-key": `${label} ${paper.id}`, onclick: () => run(paper) }, text);
  return el("li", { class: `row${open ? " open" : ""}${fresh ? " fresh" : ""}`, "data-id": paper.id },
    el("input", { type: "checkbox", class: "pick", checked: picked.has(paper.id), "aria-label": `Select ${paper.title}`, "data-key": `pick ${paper.id}`, onchange: () => on.pick(paper) }),
    el("article", {},
      el("h2", {}, el("a", { href: `./?id=${encodeURIComponent(paper.id)}`, "data-key": `title ${paper.id}`,
        onclick: (event) => { if (plain(event)) { event.preventDefault(); on.open(paper); } } }, texNodes(paper.title))),
      el("p", { class: "authors" }, authorsOf(paper, authors)),
      el("p", { class: "where" }, [whereOf(paper), paper.decision ? el("span", { class: "badge" }, paper.decision) : null, entry ? el("span", { class: "badge kept" }, entry.state) : null]),
      paper.snippet ? el("p", { class: "snippet" }, marked(paper.snippet, words)) : null,
      el("p", { class: "acts" },
        button(entry ? "★" : "☆", entry ? "Off my list" : "On my list", on.star, Boolean(entry)), button("More like this", "More like", on.more), button("Less", "Less like", on.less))));
}

const plain = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);

function authorsOf({ authors }, asked) {
  const hit = (name) => asked.some((part) => part && name.toLowerCase().includes(part));
  const found = authors.filter(hit);
  if (found.length === 0) return people(authors);
  const shown = authors.slice(0, 4).concat(authors.slice(4).filter(hit));
  const left = authors.length - shown.length;
  return [shown.flatMap((name, index) => [index ? ", " : "", hit(name) ? el("b", {}, name) : name]), left ? ` and ${left} more` : ""];
}

/** Rows that stand for papers on their way. */
export const bones = () => Array.from({ length: 5 }, () => el("li", { class: "row bone-row", "aria-hidden": "true" }, el("div", { class: "bone" })));
