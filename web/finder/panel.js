// The right pane: one paper, why it was found, what lies near it.

import { el } from "../shared/page.js";
import { entryOf, setNote, setState, STATES } from "./shelf.js";
import { marked, texNodes, whereOf } from "./text.js";

// Addresses come from the papers; only the web's own may be followed.
const web = (address) => /^https?:\/\//i.test(address ?? "") ? address : null;

/** paper: as /api/papers has it; why, near: null while they are on their way. on: {close, star, open, author, bibtex} */
export function panelView({ paper, why, near, words }, on) {
  const entry = entryOf(paper.id);
  const link = (address, text) => web(address) ? el("a", { class: "button", href: web(address), target: "_blank", rel: "noopener noreferrer" }, text) : null;
  return [
    el("header", {}, el("h2", { id: "panel-title" }, texNodes(paper.title)), el("button", { type: "button", class: "quiet", "aria-label": "Close the paper", onclick: on.close }, "✕")),
    el("p", { class: "authors" }, paper.authors.flatMap((name, index) => [index ? ", " : "", el("button", { type: "button", class: "name", onclick: () => on.author(name) }, name)])),
    el("p", { class: "where" }, [whereOf(paper), paper.decision ? el("span", { class: "badge" }, paper.decision) : null, paper.area ? el("span", {}, paper.area) : null]),
    el("div", { class: "actions" }, link(paper.pdf, "PDF"), link(paper.url, "Forum"),
      el("button", { type: "button", onclick: (event) => on.bibtex(paper, event.currentTarget) }, "BibTeX"),
      el("button", { type: "button", "aria-pressed": String(Boolean(entry)), onclick: () => on.star(paper) }, entry ? "★ On my list" : "☆ My list")),
    entry ? shelfPart(paper.id, entry) : null,
    paper.abstract ? el("p", { class: "abstract" }, marked(paper.abstract, words)) : el("p", { class: "fine" }, "This paper came without an abstract."),
    paper.keywords.length ? el("p", { class: "fine" }, paper.keywords.join(" · ")) : null,
    why === undefined ? null : el("section", { class: "why" }, el("h3", {}, "Why it was found"), why ? whyView(why, words) : el("div", { class: "bone" })),
    el("section", {}, el("h3", {}, "Nearest papers"), near ? nearView(near, on) : el("div", { class: "bone" })),
  ];
}

function shelfPart(id, entry) {
  return el("div", { class: "shelf" },
    el("label", {}, "Status ", el("select", { onchange: (event) => setState(id, event.target.value) },
      STATES.map((state) => el("option", { value: state, selected: state === entry.state }, state)))),
    el("textarea", { rows: 2, placeholder: "A note of your own", "aria-label": "Note", value: entry.note, onchange: (event) => setNote(id, event.target.value) }));
}

function whyView({ rank_by_meaning: meaning, rank_by_words: byWords, cosine, why }, words) {
  const { terms = [], sentence, shared = [] } = why ?? {};
  const ranks = [meaning ? `#${meaning} by meaning` : null, byWords ? `#${byWords} by words` : null].filter(Boolean).join(", ");
  return [
    el("p", {}, ranks || "Neither its meaning nor its words stand out", cosine === undefined || cosine === null ? "" : ` · cosine ${cosine.toFixed(3)}`),
    terms.length ? el("ul", { class: "terms" }, terms.map(({ term, share }) =>
      el("li", {}, el("span", {}, term), el("i", { style: { width: `${Math.round(share * 100)}%` } }), el("small", {}, `${Math.round(share * 100)} %`)))) : null,
    shared.length ? el("p", { class: "fine" }, `In common: ${shared.join(", ")}`) : null,
    sentence ? el("blockquote", {}, marked(sentence, words)) : null];
}

const nearView = (papers, on) => papers.length === 0 ? el("p", { class: "fine" }, "Nothing near it yet.")
  : el("ul", { class: "near" }, papers.map((paper) => el("li", {},
    el("button", { type: "button", class: "name", onclick: () => on.open(paper) }, texNodes(paper.title)), el("small", {}, [whereOf(paper), paper.cosine?.toFixed(2)].filter(Boolean).join(" · ")))));

