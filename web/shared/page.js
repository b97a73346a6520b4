// Small things every page needs: elements, announcements, the theme, the list of keys.

/** An element with attributes (`on…` are listeners) and children; null children are left out. */
export function el(name, attributes = {}, ...children) {
  const svg = ["svg", "rect", "text", "g", "path", "title"].includes(name);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.setAttribute("class", value);
    else if (key in node && !svg && key !== "list") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
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

export const percent = (share) => `${Math.floor(share * 1000) / 10 === 100 ? 100 : (share * 100).toFixed(share < 0.995 ? 0 : 1)} %`;

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
  const before = button.textContent;
  button.textContent = "Copied";
  announce("Copied");
  setTimeout(() => { button.textContent = before; }, 1500);
}

const THEMES = ["auto", "light", "dark"];

/** The button walks auto → light → dark; the choice stays in this browser. */
export function themeButton(button) {
  const remembered = (value) => {
    try {
      if (value) localStorage.setItem("theme", value);
      return localStorage.getItem("theme") ?? "auto";
    } catch {
      return value ?? "auto";  // storage may be forbidden
    }
  };
  const show = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = { auto: "◐", light: "☀", dark: "☾" }[theme];
    button.setAttribute("aria-label", `Colours: ${theme}`);
    button.title = `Colours: ${theme}`;
  };
  show(remembered());
  button.addEventListener("click", () => {
    show(remembered(THEMES[(THEMES.indexOf(button.title.slice(9)) + 1) % 3]));
  });
}

/** keys: [{key, says, when, run}]. `?` lists those that do something now. */
export function shortcuts(keys) {
  const dialog = byId("keys");
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input, textarea")) return;
    if (event.key === "?") {
      dialog.querySelector("dl").replaceChildren(
        ...keys.filter((row) => row.when()).flatMap((row) => [
          el("dt", {}, el("kbd", {}, row.key.toUpperCase())), el("dd", {}, row.says)]));
      dialog.showModal();
      return;
    }
    if (dialog.open) return;
    const row = keys.find((each) => each.key === event.key.toLowerCase() && each.when());
    if (!row) return;
    event.preventDefault();
    row.run();
  });
}
