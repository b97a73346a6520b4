// The office's page: three places, who is here, how the reader is.

import { byId, el, shortcuts, themeButton } from "../shared/page.js";
import { choose, pump, startIntake, unsent } from "./intake.js";
import { leaveReview, openReview, refresh, reviewKeys, startReview } from "./review.js";
import { leaveExam, openExam, startExam } from "./exam.js";
import { look, lookWho, onLocked, server } from "./server.js";
import { showAccount } from "./accounts.js";
import { showDoor } from "./door.js";

const LOOK = 5000;
const PLACES = ["intake", "review", "exam"];

function go() {
  const [, place, rest] = /^#(\w+)\/?(.*)$/.exec(location.hash) ?? [];
  if (place === "setup" || place === "password") return showDoor({ [place]: rest }, enter);
  const name = PLACES.includes(place) ? place : "intake";
  for (const each of PLACES) byId(each).hidden = each !== name || server.locked;
  byId("places").hidden = server.locked;
  for (const link of document.querySelectorAll("nav a"))
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  if (server.locked) return;
  if (name === "review") openReview(rest); else leaveReview();
  if (name === "exam") openExam(rest); else leaveExam();
}

const PHASES = {
  ready: ["Ready", null, null],
  unknown: ["Connecting", null, null],
  waking: ["Reader is starting", "The reader is starting", "Sheets already handed in are safe; they are read as soon as it answers."],
  away: ["No reader", "Nobody can read at the moment", "Sheets already handed in are safe. New ones wait in this window: leave it open until they are sent."],
  offline: ["Offline", "The gateway does not answer", "This device may be offline. Sheets that were not sent wait in this window: leave it open."],
};

function showState() {
  const [short, title, text] = PHASES[server.phase];
  document.body.dataset.phase = { ready: "ready", waking: "loading", away: "failed", unknown: "unknown" }[server.phase] ?? "offline";
  byId("state-text").textContent = short;
  byId("state").title = short;
  if (server.status?.version) byId("version").textContent = `Alcove ${server.status.version}`;
  byId("notice").hidden = !title;
  if (!title) return;
  const waiting = (server.status?.sheets?.waiting ?? 0) + (server.phase === "offline" ? unsent() : 0);
  byId("notice-title").textContent = title;
  byId("notice-text").textContent = `${text}${waiting ? ` ${waiting} queued.` : ""}${server.status?.reads_here && server.phase === "waking" ? " Meanwhile they are read here." : ""}`;
}

async function watch() {
  await look();
  showState();
  pump();
}

function badge(number) {
  byId("badge").hidden = number === 0;
  byId("badge").textContent = number.toLocaleString("en");
  document.title = number ? `(${number.toLocaleString("en")}) Alcove · exam office` : "Alcove · exam office";
}

/** After somebody came in, or where nobody has to. */
async function enter() {
  server.locked = false;
  byId("door").hidden = true;
  await lookWho();
  showAccount(enter);
  await refresh();
  // Doubtful sheets come first, unless a place was asked for.
  if (!location.hash && !byId("badge").hidden) history.replaceState(null, "", "#review");
  go();
  pump();
}

startIntake();
startReview(badge);
startExam();
onLocked(() => { for (const each of PLACES) byId(each).hidden = true; showDoor({}, enter); });
addEventListener("hashchange", go);
addEventListener("online", watch);
setInterval(watch, LOOK);
const theme = themeButton(byId("theme"));
shortcuts([
  ...reviewKeys,
  { key: "g", says: "Next place", when: () => !server.locked, run: () => {
    const at = PLACES.findIndex((each) => !byId(each).hidden);
    location.hash = `#${PLACES[(at + 1) % PLACES.length]}`;
    byId("place").focus();
  } },
  { key: "o", says: "Choose files", when: () => !byId("intake").hidden, run: choose },
  { key: "t", says: "Light or dark", when: () => true, run: theme },
], byId("help"));
watch();
enter();
