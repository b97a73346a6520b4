// The left pane: what the found papers have in common, with counts; and the filters that hold, as chips.

import { el } from "../shared/page.js";

export const FACETS = { venue: "Venue", year: "Year", decision: "Decision", area: "Area", keyword: "Keyword", author: "Author" };
const SHOWN = 6;

const unfolded = new Set();

/** counts: {venue: [{value, count}, …], …}; held: the filters; toggle(name, value) adds or takes away. */
export function facetView(counts, held, toggle, redraw) {
  return Object.entries(FACETS).map(([name, title]) => {
    const chosen = held[name] ?? [];
    const rows = counts?.[name] ?? [];
    const all = [...chosen.filter((value) => !rows.some((row) => String(row.value) === value)).map((value) => ({ value, count: 0 })), ...rows];
    if (all.length === 0) return null;
    const open = unfolded.has(name);
    const shown = open ? all : all.filter((row, index) => index < SHOWN || chosen.includes(String(row.value)));
    return el("fieldset", {}, el("legend", {}, title),
      shown.map((row) => facet(name, String(row.value), row.count, chosen.includes(String(row.value)), toggle)),
      all.length > SHOWN ? el("button", { type: "button", class: "quiet small", "aria-expanded": String(open), "data-key": `fold ${name}`,
        onclick: () => { open ? unfolded.delete(name) : unfolded.add(name); redraw(); } }, open ? "Fewer" : `${all.length - SHOWN} more`) : null);
  });
}

function facet(name, value, count, on, toggle) {
  return el("label", { class: "facet", title: value },
    el("input", { type: "checkbox", checked: on, "data-key": `${name} ${value}`, onchange: () => toggle(name, value) }),
    el("span", {}, value), el("small", {}, count.toLocaleString()));
}

export const chipsOf = (held, toggle) => Object.entries(held).flatMap(([name, values]) => values.map((value) =>
  el("button", { type: "button", class: "chip", "aria-label": `Without ${FACETS[name]} ${value}`, onclick: () => toggle(name, value) },
    el("small", {}, FACETS[name]), ` ${value} `, el("span", { "aria-hidden": "true" }, "✕"))));

/** What `author:` and its like could go on as: [what is typed in the end, what stands there then], or null. */
export function completion(text, counts) {
  const typed = /(^|\s)(-?)([a-z]+)(:"?([^"]*))?$/i.exec(text);
  if (!typed) return null;
  const [, , minus, word, colon, begun = ""] = typed;
  const name = Object.keys(FACETS).find((each) => each.startsWith(word.toLowerCase()));
  if (!name || (!colon && word.length < 3)) return null;
  const stump = minus.length + word.length + (colon?.length ?? 0);
  if (!colon) return word === name ? null : [stump, `${minus}${name}:`];
  if (word !== name || !begun) return null;
  const row = (counts?.[name] ?? []).find(({ value }) => String(value).toLowerCase().split(/\s+/).some((part, index, parts) => parts.slice(index).join(" ").startsWith(begun.toLowerCase())));
  if (!row || String(row.value) === begun) return null;
  return [stump, `${minus}${name}:${/\s/.test(row.value) ? `"${row.value}"` : row.value} `];
}
