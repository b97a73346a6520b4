// A line that comes and goes, with one way back.

import { announce, byId, el } from "../shared/page.js";

let timer = 0;

/** `action`: {text, run}. */
export function toast(text, action) {
  clearTimeout(timer);
  const box = byId("toast");
  box.replaceChildren(el("span", {}, text), action ? el("button", { type: "button", class: "small", onclick: () => { box.hidden = true; action.run(); } }, action.text) : "");
  box.hidden = false;
  announce(text);
  timer = setTimeout(() => { box.hidden = true; }, 6000);
}
