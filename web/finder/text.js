// Titles and abstracts as nodes: TeX made readable, the words that were asked for marked. Never as HTML.

import { el } from "../shared/page.js";

const SIGNS = {
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", varepsilon: "ε", zeta: "ζ", eta: "η", theta: "θ", kappa: "κ", lambda: "λ", mu: "μ",
  nu: "ν", xi: "ξ", pi: "π", rho: "ρ", sigma: "σ", tau: "τ", phi: "φ", varphi: "φ", chi: "χ", psi: "ψ", omega: "ω", Gamma: "Γ", Delta: "Δ", Theta: "Θ",
  Lambda: "Λ", Pi: "Π", Sigma: "Σ", Phi: "Φ", Psi: "Ψ", Omega: "Ω", le: "≤", leq: "≤", ge: "≥", geq: "≥", ne: "≠", neq: "≠", approx: "≈", sim: "∼", equiv: "≡",
  times: "×", cdot: "·", pm: "±", infty: "∞", in: "∈", notin: "∉", subset: "⊂", subseteq: "⊆", cup: "∪", cap: "∩", to: "→", rightarrow: "→", leftarrow: "←",
  mapsto: "↦", forall: "∀", exists: "∃", nabla: "∇", partial: "∂", sum: "∑", prod: "∏", int: "∫", sqrt: "√", ell: "ℓ", langle: "⟨", rangle: "⟩", dots: "…",
  ldots: "…", cdots: "⋯", ll: "≪", gg: "≫", propto: "∝", circ: "∘", oplus: "⊕", otimes: "⊗", top: "⊤", bot: "⊥", mid: "|", star: "⋆", quad: " ", log: "log",
  exp: "exp", min: "min", max: "max", arg: "arg", "%": "%", "&": "&", "#": "#", _: "_", $: "$", ",": " ", ";": " ", " ": " ", "{": "{", "}": "}", "|": "‖",
};
const DOUBLE = { R: "ℝ", N: "ℕ", Z: "ℤ", Q: "ℚ", C: "ℂ", E: "𝔼", P: "ℙ" };
const PLAIN = new Set(["mathbf", "mathrm", "mathit", "mathcal", "mathsf", "text", "textbf", "textit", "textrm", "texttt", "emph", "operatorname", "bm", "boldsymbol", "left", "right", "tilde", "hat", "bar"]);

/** One TeX formula without its dollars, as nodes; what is not known stands as it was typed, without its backslash. */
function formula(tex) {
  let at = 0;
  const argument = () => {
    while (tex[at] === " ") at++;
    if (tex[at] === "{") { at++; return run("}"); }
    if (tex[at] === "\\") return [command()].flat();
    return at < tex.length ? [tex[at++]] : [];
  };
  const plain = (nodes) => nodes.map((node) => node.textContent ?? node).join("");
  function command() {
    at++;
    const name = /^([A-Za-z]+|.)/s.exec(tex.slice(at))?.[0] ?? "";
    at += name.length;
    if (name === "mathbb") { const what = plain(argument()); return DOUBLE[what] ?? what; }
    if (name === "frac") { const top = argument(), bottom = argument(); return [...top, "⁄", ...bottom]; }
    if (PLAIN.has(name)) return name === "left" || name === "right" ? "" : argument();
    if (tex[at] === " " && /^\p{L}$/u.test(SIGNS[name] ?? "")) at++;  // the blank only ends the name of a letter
    return SIGNS[name] ?? name;
  }
  function run(end) {
    const nodes = [];
    while (at < tex.length && tex[at] !== end) {
      const letter = tex[at];
      if (letter === "\\") nodes.push(command());
      else if (letter === "^" || letter === "_") { at++; nodes.push(el(letter === "^" ? "sup" : "sub", {}, argument())); }
      else if (letter === "{") { at++; nodes.push(run("}")); }
      else { at++; nodes.push(letter === "~" ? " " : letter); }
    }
    at++;
    return nodes.flat(Infinity);
  }
  return run("");
}

// Dollars count as marks of a formula only in pairs that hold something TeX-like; "$5 to $10" are prices.
const FORMULAS = /\$\$?([^$\n]*?[\\^_{}=<>+|][^$\n]*?|[A-Za-z]\w?)\$\$?|\\\((.+?)\\\)/g;

/** Text as nodes, its formulas made readable. */
export function texNodes(text, plain = (piece) => [piece]) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(FORMULAS)) {
    nodes.push(...plain(text.slice(from, match.index)), el("span", { class: "tex" }, formula(match[1] ?? match[2])));
    from = match.index + match[0].length;
  }
  nodes.push(...plain(text.slice(from)));
  return nodes;
}

const folded = (word) => word.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const stem = (word) => folded(word).replace(/(ies|es|s)$/, "");

const LITTLE = new Set("all and any are can for from has how its not that the their this was what when which who why will with you your".split(" "));

/** What to mark: the words of a query without fields, exclusions and the little words. */
export function wordsOf(query) {
  const bare = query.replace(/-?\b\w+:("[^"]*"|\S+)/g, " ").replace(/(^|\s)-\S+/g, " ");
  return new Set((bare.match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word.length > 2 && !LITTLE.has(folded(word))).map(stem).filter((word) => word.length > 1));
}

/** Text as nodes with the words marked and formulas readable. */
export function marked(text, words) {
  if (words.size === 0) return texNodes(text);
  return texNodes(text, (piece) => piece.split(/([\p{L}\p{N}]+)/u).map((part, index) => index % 2 && words.has(stem(part)) ? el("mark", {}, part) : part));
}

/** "NeurIPS 2017", "Nature 2021": with the year where the venue's name lacks it. */
export const whereOf = ({ venue, year }) => [venue, year && !venue?.includes(year) ? year : null].filter(Boolean).join(" ");

/** "Vaswani, Shazeer, Parmar and 5 more" */
export function people(authors, most = 4) {
  if (authors.length <= most + 1) return authors.join(", ");
  return `${authors.slice(0, most).join(", ")} and ${authors.length - most} more`;
}
