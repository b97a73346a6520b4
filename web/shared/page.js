// Small things every page needs: elements, announcements, the theme, the list of keys.

/** An element with properties (`on…` are listeners, `style` is an object) and children; empty children are left out. */
export function el(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    // Through the object model: the page's policy forbids style attributes.
    else if (key === "style") for (const [name, each] of Object.entries(value)) node.style.setProperty(name, each);
    else if (key in node && key !== "role") node[key === "class" ? "className" : key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Says something to those who do not see the screen. */
export function announce(text) {
  byId("announcer").textContent = text;
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Rounded down, so that only certainty is 100 %. */
export const percent = (share) => `${Math.floor(share * 100)} %`;

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

/** "8 s", "1 min 20 s", "3 min" */
export function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const rest = whole % 60;
  return whole < 180 && rest ? `${Math.floor(whole / 60)} min ${rest} s` : `${Math.round(whole / 60)} min`;
}

export const sentence = (text) => {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
};

/** Puts text on the clipboard and says so: on the button where one was pressed, and aloud. */
export async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without permission, as in another page's frame: the old way still works.
    const field = el("textarea", { value: text, class: "unseen" });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  announce("Copied");
  if (!button || button.textContent === "Copied") return;
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
}

/** Lets the browser save text as a file. */
export function download(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const THEMES = { auto: "◐", light: "○", dark: "●" };

/** The button walks auto → light → dark; the choice stays in this browser. Returns the step. */
export function themeButton(button) {
  let theme = "auto";
  try { theme = localStorage.getItem("theme") ?? theme; } catch { /* storage may be forbidden */ }
  const show = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = THEMES[theme] ?? THEMES.auto;
    button.setAttribute("aria-label", `Colours: ${theme}`);
    button.title = `Colours: ${theme}`;
  };
  const step = () => {
    const names = Object.keys(THEMES);
    theme = names[(names.indexOf(theme) + 1) % names.length];
    try { localStorage.setItem("theme", theme); } catch { /* kept for this page alone */ }
    show();
    announce(button.title);
  };
  show();
  button.addEventListener("click", step);
  return step;
}

/** keys: [{key, says, when, run}]. `?` and the button list those that do something now. */
export function shortcuts(keys, button) {
  const dialog = byId("keys");
  const name = (key) => ({ escape: "Esc", arrowdown: "↓", arrowup: "↑", arrowleft: "←", arrowright: "→" })[key] ?? key.toUpperCase();
  const list = () => {
    dialog.querySelector("dl").replaceChildren(...keys.filter((row) => row.when()).flatMap((row) => [
      el("dt", {}, row.key.split(" ").flatMap((key) => [el("kbd", {}, name(key)), " "])), el("dd", {}, row.says)]));
    dialog.showModal();
  };
  button.addEventListener("click", list);
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input:not([type=file]), textarea, select");
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || (typing && event.key !== "Escape")) return;
    if (event.key === "?") return list();
    const row = keys.find((each) => each.key.split(" ").includes(event.key.toLowerCase()) && each.when());
    if (!row) return;
    event.preventDefault();
    row.run();
  });
}
