// One sheet on the screen: its page with the boxes, the boxes enlarged with what they say, how long it took.

import { announce, byId, copy, el, percent, size } from "../shared/page.js";
import { cutOut, legend, pageFigure, places } from "./draw.js";
import { again, hold, unlock } from "./queue.js";
import { extractUrl, hasToken, server } from "./server.js";
import { bestBox, certainty, curlOf, DOUBTFUL, doubtful, FIELDS, time, problemOf, reasonsOf, stageName, verdict } from "./words.js";

/** The parts below the heading. `picture` is null while it is being opened and false where there is none. */
export function sheetView(sheet, picture) {
  if (sheet.state === "failed") return [problem(sheet)];
  const page = el("div", { class: "card paper" }, picture
    ? [el("div", { class: "paper-head" }, legend(sheet.reply), el("button", { type: "button", class: "quiet small", id: "enlarge", onclick: enlarge }, sizing())),
      el("div", { class: "window", tabIndex: 0, role: "group", "aria-label": "The page; Z enlarges it" }, pageFigure(picture, sheet.reply, sheet.name))]
    : el("p", { class: "blank" }, picture === false ? "This browser cannot show the page." : "Opening the page…"));
  page.classList.toggle("busy", sheet.state === "reading");
  return [el("div", { class: "columns" }, page,
    el("div", { class: "results" }, sheet.state === "read" ? results(sheet, picture) : bones(sheet)))];
}

const sizing = () => byId("view").classList.contains("large") ? "Shrink" : "Enlarge";

/** Enlarges the page, or makes it fit again. */
export function enlarge() {
  announce(byId("view").classList.toggle("large") ? "Enlarged" : "Fits again");
  byId("enlarge")?.replaceChildren(sizing());
}

export const jsonOf = (sheet) => JSON.stringify(sheet.reply, null, 2);
export const curlFor = (sheet) => curlOf(sheet.name.split("/").pop(), extractUrl(), hasToken());

/** What is said beside the name. */
export function factsOf({ file, reply }) {
  const facts = [size(file.size)];
  if (reply) facts.push(`${reply.page.width} × ${reply.page.height}`);
  if (reply?.page.of > 1) facts.push(`page ${reply.page.number} of ${reply.page.of}`);
  return facts.join(" · ");
}

function bones(sheet) {
  const why = sheet.state === "reading" ? "Reading…" : hold.why === "token" ? "Waiting for the access token…"
    : server.phase === "ready" ? "Waiting for its turn…" : "Waiting for the reader…";
  return [el("p", { class: "verdict" }, el("span", { class: "shape waiting", "aria-hidden": "true" }, "◌"), why),
    Object.values(FIELDS).map((name) => el("div", { class: "card field" }, el("h3", {}, name), el("div", { class: "bone" })))];
}

function problem(sheet) {
  const { error } = sheet;
  const [what, fix] = problemOf(sheet);
  // The same file would be refused again, unless it only came too slowly.
  const final = error.code === "too_large" || (error.status >= 400 && error.status < 500 && error.status !== 408);
  const onward = final ? another("main") : el("button", { type: "button", class: "main", onclick: () => again(sheet) }, "Try again");
  const tag = [error.code, error.status || null, error.id].filter(Boolean).join(" · ");
  return el("section", { class: "card problem", "aria-labelledby": "problem-title" },
    el("span", { class: "shape failed", "aria-hidden": "true" }, "✕"),
    el("div", {},
      el("h3", { id: "problem-title" }, what),
      el("p", {}, fix),
      error.code === "pdf_encrypted" ? secretForm("Password of the PDF", "Unlock", unlock)
        : el("div", { class: "actions" }, onward),
      tag ? el("p", { class: "fine" }, el("code", {}, tag), " ",
        el("button", { type: "button", class: "quiet small", onclick: (event) => copy(`${sheet.name}: ${error.detail} (${tag})`, event.currentTarget) }, "Copy"))
        : null));
}

const another = (style) => el("button", { type: "button", class: style, onclick: () => byId("choose").click() }, "Choose another file");

/** A field for something secret. */
export function secretForm(label, press, use) {
  const field = el("input", { type: "password", id: "secret", autocomplete: "off", required: true });
  return el("form", { class: "secret", onsubmit: (event) => { event.preventDefault(); use(field.value); } },
    el("label", { htmlFor: "secret" }, label), field, el("button", { class: "main", type: "submit" }, press));
}

function results(sheet, picture) {
  const { reply } = sheet;
  const said = verdict(sheet);
  return [
    el("p", { class: `verdict ${said.group}` }, el("span", { class: "shape", "aria-hidden": "true" }, said.mark), said.text),
    // What was not found is said by its card.
    reasonsOf(reply).filter(({ unfound }) => !unfound).map(({ text, note }) => el("p", { class: note ? "reason note" : "reason" }, text)),
    Object.keys(FIELDS).every((field) => reply[field]) ? null : wayOut(sheet),
    Object.keys(FIELDS).map((field) => fieldCard(reply, picture, field)),
    timings(sheet),
    el("div", { class: "actions" },
      el("button", { type: "button", onclick: (event) => copy(jsonOf(sheet), event.currentTarget) }, "Copy JSON"),
      el("button", { type: "button", onclick: (event) => copy(curlFor(sheet), event.currentTarget) }, "Copy curl")),
    el("details", {}, el("summary", {}, "The server's answer"), el("pre", { tabIndex: 0, role: "region", "aria-label": "JSON" }, jsonOf(sheet)))];
}

function wayOut(sheet) {
  const unfound = reasonsOf(sheet.reply).some((reason) => reason.unfound);
  return [
    unfound ? el("p", { class: "reason" }, "See that the whole cover page is in the picture, flat and sharp.") : null,
    el("div", { class: "actions" }, another("main"), el("button", { type: "button", onclick: () => again(sheet) }, "Read again"))];
}

function fieldCard(reply, picture, field) {
  const box = bestBox(reply, field);
  const value = reply[field];
  const sure = certainty(reply, field);
  return el("section", { class: `card field ${field}`, "aria-label": FIELDS[field] },
    el("div", { class: "field-head" }, el("h3", {}, FIELDS[field]),
      value ? el("p", { class: "sure" }, el("span", { "aria-hidden": "true" }, `${sure.mark} `), sure.text) : null,
      value ? el("button", { type: "button", class: "quiet small", "aria-label": `Copy ${FIELDS[field].toLowerCase()}`,
        onclick: (event) => copy(value, event.currentTarget) }, "Copy") : null),
    box ? line(reply, picture, box, value) : null,
    value ? null : el("p", { class: "nothing" }, box ? "Nothing was read here" : "Not found on the page"));
}

// The box, each symbol under its place, its probability under it.
function line(reply, picture, box, value) {
  const cut = picture ? cutOut(picture, reply, box, 960) : null;
  const symbols = value ? box.symbols ?? [] : [];
  // Wide enough to be read on a phone, else as close as people write.
  const gap = Math.min(0.98 / Math.max(1, symbols.length), Math.max(0.06, 20 / Math.min(380, innerWidth - 64)));
  const at = places(symbols, cut?.place ?? ((share) => share), gap);
  const strip = el("div", { class: "strip", style: { "--gap": gap, "--aspect": cut ? cut.canvas.width / cut.canvas.height : 6 } }, cut?.canvas,
    value ? el("p", { class: "unseen" }, spoken(value, box)) : null,
    value ? el("div", { class: "cells" }, symbols.map((symbol, index) => cell(symbol, at[index], index))) : null);
  return strip;
}

function spoken(value, box) {
  const weak = doubtful(box);
  return value + (weak.length ? `; doubtful: ${weak.map((symbol) => `${symbol.value} with ${percent(symbol.confidence)}`).join(", ")}` : "");
}

// A character that may be another one can be asked: by hovering, by focus, by a finger.
function cell(symbol, at, index) {
  const others = (symbol.alternatives ?? []).map((other) => `${other.value} (${percent(other.confidence)})`);
  const weak = symbol.confidence < DOUBTFUL;
  const share = Math.floor(symbol.confidence * 100);
  const inside = [el("b", {}, symbol.value), el("small", { class: share === 100 ? "whole" : null }, share)];
  const place = { class: weak ? "cell weak" : "cell", style: { left: `${at * 100}%` } };
  if (!weak && others.length === 0) return el("span", { ...place, "aria-hidden": "true", title: percent(symbol.confidence) }, inside);
  const words = others.length ? `or ${others.join(", ")}` : "or no character at all";
  return el("button", { type: "button", ...place,
    "aria-label": `Character ${index + 1}: ${symbol.value}, ${percent(symbol.confidence)}; ${words}` },
    inside, el("span", { class: at > 0.5 ? "tip left" : "tip", "aria-hidden": "true" }, `${symbol.value} (${percent(symbol.confidence)}), ${words}`));
}

function timings({ reply, took }) {
  const stages = Object.entries(reply.timings_ms ?? {}).filter(([name]) => name !== "total");
  const sum = stages.reduce((total, [, ms]) => total + ms, 0);
  const total = reply.timings_ms?.total ?? sum;
  if (!total) return null;
  const shown = stages.filter(([, ms]) => ms >= total / 100);
  return el("section", { class: "timings", "aria-label": "Time" },
    el("p", {}, `Read in ${time(total)}`, took > total ? el("span", {}, `, ${time(took)} including the network`) : null),
    el("div", { class: "lengths", "aria-hidden": "true" }, shown.map(([name, ms]) => el("i", { title: `${stageName(name)}: ${time(ms)}`, style: { "flex-grow": ms } }))),
    el("ul", {}, shown.map(([name, ms]) => el("li", {}, el("i", { "aria-hidden": "true" }), `${stageName(name)} ${time(ms)}`))));
}
