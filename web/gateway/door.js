// The door: signing in, the administrator's first visit, a link to a new password.

import { byId, el } from "../shared/page.js";
import { ask, keepToken, server } from "./server.js";

let standing = false;

const field = (id, label, properties) => [el("label", { htmlFor: id }, label), el("input", { id, required: true, ...properties })];

function form(text, fields, press, run, aside = "") {
  const said = el("p", { class: "said", role: "alert" });
  byId("door-text").textContent = text;
  byId("door-form").replaceChildren(el("form", { class: "signin", onsubmit: async (event) => {
    event.preventDefault();
    said.textContent = (await run()) ?? "";
  } }, fields, said, el("button", { class: "main", type: "submit" }, press), aside ? el("p", { class: "fine" }, aside) : null));
  byId("places").hidden = true;
  byId("door").hidden = false;
  byId("door-form").querySelector("input")?.focus();
}

/** The one-time word of a link, if there is one: `setup` makes the administrator, `password` chooses a password. */
export function showDoor({ setup, password } = {}, enter) {
  const word = setup || password;
  if (standing && !word) return;
  standing = true;
  const through = async (reply) => {
    if (!reply.ok) return reply.body.detail;
    standing = false;
    if (word) history.replaceState(null, "", location.pathname);
    await enter();
  };
  const secret = (id) => byId(id).value;
  if (setup) {
    byId("door-title").textContent = "Make the administrator's account";
    return form("This link works once. The password has at least 10 characters; nobody can read it back.",
      [...field("name", "Name", { autocomplete: "username", maxlength: 64 }), ...field("password", "Password", { type: "password", autocomplete: "new-password", minlength: 10 })], "Make the account",
      async () => through(await ask("session/setup", { method: "POST", json: { setup, name: secret("name"), password: secret("password") } })));
  }
  if (password) {
    byId("door-title").textContent = "Choose your password";
    return form("This link works once. The password has at least 10 characters; nobody can read it back.",
      field("password", "Password", { type: "password", autocomplete: "new-password", minlength: 10 }), "Go on",
      async () => through(await ask("session/password", { method: "POST", json: { word, password: secret("password") } })));
  }
  byId("door-title").textContent = "Sign in";
  if (server.session?.accounts === false)
    return form("This gateway asks for its access token.", field("password", "Access token", { type: "password", autocomplete: "off" }), "Go on",
      async () => { keepToken(secret("password")); return through(await ask("exams")); });
  form("With the account the administrator made for you.",
    [...field("name", "Name", { autocomplete: "username", maxlength: 64 }), ...field("password", "Password", { type: "password", autocomplete: "current-password" })], "Sign in",
    async () => through(await ask("session", { method: "POST", json: { name: secret("name"), password: secret("password") } })),
    "Forgotten it? The administrator can give you a new link.");
}
