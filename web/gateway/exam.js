// How an exam stands: who is there, who is missing, what is doubtful; and the ways out.

import { byId, count, el } from "../shared/page.js";
import { ask } from "./server.js";
import { reasonText } from "./words.js";
import { toast } from "./toast.js";

const LOOK = 4000;
let exams = [], chosen = null, shown = false, filter = "", written = "";

const keyOf = (exam) => `exam_type=${encodeURIComponent(exam.exam_type)}&subject_code=${encodeURIComponent(exam.subject_code)}&attempt=${exam.attempt_number}`;

export function startExam() {
  byId("import").addEventListener("click", () => byId("list").click());
  byId("list").addEventListener("change", ({ target }) => { if (target.files[0]) preview(target.files[0]); target.value = ""; });
  setInterval(() => { if (shown && !document.hidden) refresh(); }, LOOK);
}

export function openExam(key) {
  shown = true;
  chosen = key || chosen;
  written = "";
  refresh();
}
export const leaveExam = () => { shown = false; };

async function refresh() {
  const { ok, body } = await ask("exams");
  if (!ok) return;
  exams = body.exams;
  if (!exams.some((exam) => keyOf(exam) === chosen)) chosen = exams[0] ? keyOf(exams[0]) : null;
  const overview = chosen ? (await ask(`exam?${chosen}`)) : null;
  if (!shown || (overview && !overview.ok)) return;
  // Nothing moves under the hand of somebody who reads.
  const text = JSON.stringify([exams, overview?.body, filter]);
  if (text === written) return;
  written = text;
  drawExams();
  if (overview) drawOverview(overview.body); else byId("overview").replaceChildren();
}

function drawExams() {
  const held = document.activeElement?.dataset?.exam;
  byId("exams").replaceChildren(exams.length === 0
    ? el("div", { class: "empty card" }, el("p", { class: "big" }, "No sheets yet"), el("p", {}, "Add a class list, then hand in the sheets: each exam appears here with who is there and who is not."),
      el("p", { class: "actions" }, el("a", { class: "button", href: "#intake" }, "Hand in sheets")))
    : el("div", { class: "tiles" }, exams.map((exam) => el("a", { class: "tile card", href: `#exam/${keyOf(exam)}`, "data-exam": keyOf(exam), "aria-current": keyOf(exam) === chosen ? "true" : null },
      el("b", {}, exam.subject_code || "No subject"), el("span", {}, `${exam.exam_type}${exam.attempt_number > 1 ? `, attempt ${exam.attempt_number}` : ""}`),
      el("span", { class: "shares", "aria-hidden": "true" }, ["accepted", "review", "rejected"].map((part) => exam[part] ? el("i", { class: part, style: { "flex-grow": exam[part] } }) : null)),
      el("small", {}, `${exam.accepted} of ${count(exam.papers, "paper")} settled`)))));
  if (held) [...byId("exams").querySelectorAll("a")].find((link) => link.dataset.exam === held)?.focus();
}

function drawOverview(exam) {
  const of = (test) => exam.papers.filter(test);
  const accepted = of((paper) => paper.decision === "accepted");
  const isCopy = (paper) => paper.workflow_status === "duplicate";
  const blank = accepted.filter((paper) => paper.workflow_status === "blank"), copies = accepted.filter(isCopy);
  const named = accepted.filter((paper) => !blank.includes(paper) && !isCopy(paper));
  const present = named.filter((paper) => paper.register_number && paper.listed);
  const doubtful = of((paper) => paper.decision === "review");
  const failed = of((paper) => paper.decision === "rejected");
  const unlisted = named.filter((paper) => !present.includes(paper));
  const facts = [[present.length, exam.listed ? "present" : "with a name"], [exam.absent_in_all, "missing"], [doubtful.length, "doubtful"], [unlisted.length, exam.listed ? "not on the list" : "filed"], [failed.length, "to scan again"],
    ...[[blank.length, "blank"], [copies.length, copies.length === 1 ? "duplicate" : "duplicates"]].filter(([number]) => number)];
  const query = chosen;
  const held = document.activeElement?.id;
  byId("overview").replaceChildren(...[
    el("dl", { class: "facts card" }, facts.map(([number, word]) => el("div", { class: number ? "" : "zero" }, el("dd", {}, number.toLocaleString("en")), el("dt", {}, word)))),
    el("div", { class: "actions ways", role: "group", "aria-label": "Download" }, el("span", { class: "note", "aria-hidden": "true" }, "Download:"), [["csv", "CSV"], ["jsonl", "JSONL"], ["zip", "PDFs as ZIP"], ["moodle", "ZIP for Moodle"]].map(([format, says]) =>
      el("button", { type: "button", id: `out-${format}`, onclick: () => save(query, format) }, says)),
      doubtful.length ? el("a", { class: "button main", href: `#review/${doubtful[0].artifact_uuid}` }, `Review ${doubtful.length.toLocaleString("en")}`) : null),
    exam.pairs.length ? el("section", { class: "card pairs", "aria-labelledby": "pairs-title" }, el("h2", { id: "pairs-title" }, "Likely pairs"),
      el("p", { class: "fine" }, `${exam.absent_in_all} missing, ${doubtful.length} doubtful: these seem to belong together.`),
      el("ul", {}, exam.pairs.slice(0, 12).map((pair) => el("li", {}, el("b", {}, pair.name || "no name"), el("code", {}, pair.register_number), el("a", { href: `#review/${pair.artifact_uuid}` }, "look at the sheet"))))) : null,
    el("label", { class: "filter" }, el("span", { class: "unseen" }, "Search this exam"), el("input", { type: "search", id: "filter", placeholder: "Search number, name or file", value: filter, oninput: ({ target }) => { filter = target.value; drawPeople(exam); } })),
    el("div", { id: "people" }),
  ].filter(Boolean));
  drawPeople(exam);
  if (held && byId(held)) byId(held).focus();
}

// A file name is broken at its joints, where it has to be.
const jointed = (name) => name.split(/(?<=_)/).flatMap((part) => [part, el("wbr")]);

const STATES = { accepted: ["●", "present"], review: ["◐", "doubtful"], rejected: ["✕", "scan again"], absent: ["○", "missing"] };
const MOST = 600;

function drawPeople(exam) {
  const wanted = filter.trim().toLowerCase();
  const word = (paper) => paper.decision === "accepted" && paper.workflow_status !== "pending" ? paper.workflow_status : STATES[paper.decision ?? "review"][1];
  const lines = [
    ...exam.papers.map((paper) => ({ state: paper.decision ?? "review", number: paper.register_number, name: paper.name, word: word(paper), note: paper.decision === "accepted" ? paper.renamed_filename ?? "" : paper.error ?? paper.reasons.map(reasonText).join(" · "), file: paper.original_filename, uuid: paper.artifact_uuid })),
    ...exam.absent.map((person) => ({ state: "absent", number: person.register_number, name: person.name, note: "", file: "" })),
  ].filter((line) => !wanted || [line.number, line.name, line.file].some((text) => text?.toLowerCase().includes(wanted)));
  const order = ["review", "rejected", "absent", "accepted"];
  lines.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || (a.number ?? "").localeCompare(b.number ?? ""));
  byId("people").replaceChildren(el("ul", { class: "people card", "aria-label": "People and papers" }, lines.slice(0, MOST).map((line) => el("li", { class: line.state },
    el("span", { class: "mark", "aria-hidden": "true" }, STATES[line.state]?.[0]), el("span", { class: "who" }, el("code", {}, line.number || "–"), el("b", {}, line.name || "")),
    el("span", { class: "note" }, line.state === "accepted" ? jointed(line.note) : line.note, line.file ? el("small", {}, line.file) : null),
    el("span", { class: "chip" }, line.uuid ? el("a", { href: `#review/${line.uuid}`, "aria-label": `${line.word}: look at ${line.number ?? line.file}` }, line.word) : STATES[line.state][1])))),
  lines.length > MOST ? el("p", { class: "fine" }, `and ${(lines.length - MOST).toLocaleString("en")} more; search for them`) : "");
}

async function save(query, format) {
  const { ok, body, reply } = await ask(`export?format=${format}&${query}`, { raw: true });
  if (!ok) return toast(body.detail);
  const name = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "")?.[1] ?? `exam.${format}`;
  const address = URL.createObjectURL(body);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  toast(`${name} saved`);
}

// --- the class list --------------------------------------------------------------------------------------------------

async function preview(file) {
  const name = encodeURIComponent(file.name);
  const { ok, body } = await ask(`roster?preview=1&name=${name}`, { method: "POST", body: file });
  const close = () => byId("findings").close();
  byId("findings-body").replaceChildren(...(ok ? [
    el("p", {}, `${count(body.entries, "person", "people")} on it, ${count(body.left_out, "line")} left out.`),
    body.findings.length ? el("ul", { class: "findings", tabIndex: 0 }, body.findings.slice(0, 200).map((finding) => el("li", {}, el("b", {}, finding.line ? `Line ${finding.line}` : "File"), finding.left_out ? " left out: " : ": ", finding.message))) : null,
    el("div", { class: "actions" }, el("button", { type: "button", class: "main", disabled: body.entries === 0, autofocus: body.entries > 0, onclick: async () => {
      const kept = await ask(`roster?name=${name}`, { method: "POST", body: file });
      close();
      toast(kept.ok ? `Class list kept as version ${kept.body.version}` : kept.body.detail);
      refresh();
    } }, "Add this list"), el("button", { type: "button", autofocus: body.entries === 0, onclick: close }, "Cancel")),
  ] : [el("p", {}, body.detail), el("div", { class: "actions" }, el("button", { type: "button", onclick: close }, "Close"))]).filter(Boolean));
  byId("findings").showModal();
}
