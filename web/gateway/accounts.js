// Who is signed in; for an administrator everybody who may, and the tokens of scanners.

import { byId, copy, el } from "../shared/page.js";
import { ask, server } from "./server.js";

const ROLES = { viewer: "looks and takes out", staff: "hands in and reviews", administrator: "may do everything" };

let whenOut = () => {};
const said = (text) => { byId("accounts-said").textContent = text ?? ""; };
const isAdministrator = () => server.session?.role === "administrator";
const of = (name) => `accounts/${encodeURIComponent(name)}`;

/** The button with the name of who is here. */
export function showAccount(enter) {
  whenOut = async () => { await ask("session", { method: "DELETE" }); server.session = { accounts: true }; byId("account").hidden = true; byId("accounts").close(); await enter(); };
  const button = byId("account"), who = server.session?.name;
  button.hidden = !who;
  if (!who) return;
  button.textContent = who;
  button.setAttribute("aria-label", `Account of ${who}`);
  button.onclick = open;
}

async function open() {
  byId("accounts-title").textContent = `${server.session.name}, ${server.session.role}`;
  byId("accounts-body").replaceChildren();
  byId("accounts-secret").replaceChildren();
  said("");
  byId("accounts-actions").replaceChildren(el("button", { type: "button", onclick: () => whenOut() }, "Sign out"), el("button", { type: "button", onclick: () => byId("accounts").close() }, "Close"));
  byId("accounts").showModal();
  if (isAdministrator()) await change("accounts");
}

/** Asks, and draws what everybody is like from then on. */
async function change(path, method = "GET", json) {
  const held = document.activeElement?.id;
  const { ok, body } = await ask(path, { method, json });
  said(ok ? "" : body.detail);
  if (ok && body.accounts) draw(body);
  if (held) byId(held)?.focus();
  return ok ? body : null;
}

/** What is said once and never again. */
function reveal(about, text) {
  const button = el("button", { type: "button", class: "small", onclick: () => copy(text, button) }, "Copy");
  byId("accounts-secret").replaceChildren(el("div", { class: "secret", role: "status" }, el("p", {}, about), el("code", {}, text), button));
  button.focus();
}

async function giveLink(name) {
  const made = await change(`${of(name)}/link`, "POST");
  if (made) reveal(`With this link ${name} chooses a password. It works once, for ${made.hours} hours; send it to nobody else.`, new URL(`.${made.link}`, document.baseURI).href);
}

const roleChoice = (id, label, value, changed) => el("select", { id, "aria-label": label, onchange: changed }, Object.keys(ROLES).map((role) => el("option", { value: role, selected: role === value }, role)));

function person({ name, role, active, has_password: ready }, index) {
  const note = !active ? "rests: cannot sign in" : ready ? ROLES[role] : "has no password yet: give a link";
  return el("li", { class: active ? "" : "resting" }, el("span", {}, el("b", {}, name), el("small", {}, note)),
    roleChoice(`role-${index}`, `Role of ${name}`, role, ({ target }) => change(of(name), "PUT", { role: target.value }).then((done) => { if (!done) target.value = role; })),
    el("span", { class: "deeds" }, el("button", { type: "button", class: "small", id: `link-${index}`, "aria-label": `Password link for ${name}`, onclick: () => giveLink(name) }, "Password link"),
      el("button", { type: "button", class: "small", id: `rest-${index}`, "aria-label": `${active ? "Deactivate" : "Activate"} ${name}`, onclick: () => change(of(name), "PUT", { active: !active }) }, active ? "Deactivate" : "Activate"),
      active ? null : el("button", { type: "button", class: "small", id: `remove-${index}`, "aria-label": `Remove ${name}`, onclick: () => change(of(name), "DELETE") }, "Remove")));
}

function draw({ accounts, tokens }) {
  const name = el("input", { id: "new-name", required: true, maxlength: 64, autocomplete: "off", placeholder: "Name", "aria-label": "Name of the new account" });
  const role = roleChoice("new-role", "Role of the new account", "staff");
  const device = el("input", { id: "new-token", required: true, maxlength: 64, autocomplete: "off", placeholder: "Scanner in room 4", "aria-label": "Name of the new token" });
  byId("accounts-body").replaceChildren(
    el("h3", {}, "People"), el("ul", { class: "folk" }, accounts.map(person)),
    el("form", { class: "adding", onsubmit: async (event) => {
      event.preventDefault();
      const who = name.value.trim();
      if (await change("accounts", "POST", { name: who, role: role.value })) await giveLink(who);
    } }, name, role, el("button", { type: "submit" }, "Add a person")),
    el("h3", {}, "Scanners"), tokens.length ? el("ul", { class: "folk" }, tokens.map((token) => el("li", {}, el("span", {}, el("b", {}, token.name), el("small", {}, `may ${token.rights.replaceAll(",", ", ")}`)),
      el("span", { class: "deeds" }, el("button", { type: "button", class: "small", "aria-label": `Remove ${token.name}`, onclick: () => change(`tokens/${encodeURIComponent(token.name)}`, "DELETE") }, "Remove"))))) : el("p", { class: "fine" }, "None yet. A scanner's token lets it hand in sheets, and nothing else."),
    el("form", { class: "adding", onsubmit: async (event) => {
      event.preventDefault();
      const made = await change("tokens", "POST", { name: device.value.trim(), rights: "upload" });
      if (!made) return;
      await change("accounts");
      reveal(`The token of ${made.name}: alcove watch takes it as ALCOVE_TOKEN. Nobody can read it back.`, made.token);
    } }, device, el("button", { type: "submit" }, "Add a scanner")));
}
