// The page with its boxes, and the boxes cut out of it.

import { el } from "../shared/page.js";
import { extract } from "./server.js";
import { bestBox, FIELDS, SHORT } from "./words.js";

/** A picture of a file's page, upright by its EXIF and, with a reading, turned and levelled as the reader did it; null where
    the browser cannot open the file. */
export async function openPicture(blob, reply) {
  const picture = await createImageBitmap(blob).catch(() => null);
  const degrees = (reply?.orientation ?? 0) + (reply?.skew ?? 0);
  if (!picture || !degrees) return picture;
  const canvas = new OffscreenCanvas(reply.page.width, reply.page.height);
  const context = canvas.getContext("2d");
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate(degrees * Math.PI / 180);
  context.drawImage(picture, -picture.width / 2, -picture.height / 2);
  picture.close();
  return canvas.transferToImageBitmap();
}

/** The page as it was read: out of the file where the browser can, else from the server, which sends it beside a reading. */
export async function pictureOf(sheet) {
  const isFirst = (sheet.reply?.page.number ?? 1) === 1;
  const own = isFirst ? await openPicture(sheet.file, sheet.reply) : null;
  if (own || !sheet.reply) return own;
  sheet.preview ??= (await extract(sheet, { preview: true })).preview;
  return sheet.preview ? openPicture(sheet.preview) : null;
}

function canvasOf(picture, { x = 0, y = 0, w = picture.width, h = picture.height }, width, label) {
  const canvas = el("canvas", { width, height: Math.max(1, Math.round(h * width / w)), role: "img", "aria-label": label });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, x, y, w, h, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The page with a frame around each box. Nothing else lies on it: beside every box somebody has written something. */
export function pageFigure(picture, reply, name) {
  const canvas = canvasOf(picture, {}, Math.min(1600, picture.width), `The page of ${name}`);
  if (!reply) return el("div", { class: "page" }, canvas);
  const chosen = Object.keys(FIELDS).map((field) => bestBox(reply, field)).filter(Boolean);
  const others = reply.boxes.filter((box) => !chosen.includes(box));
  return el("div", { class: "page" }, canvas, [...others, ...chosen].map((box) => frame(box, reply.page, chosen.includes(box))));
}

function frame({ field, box: [left, top, right, bottom] }, { width, height }, chosen) {
  const share = (part, whole) => `${part / whole * 100}%`;
  return el("div", { class: `frame ${chosen ? field : "other"}`, "aria-hidden": "true",
    style: { left: share(left, width), top: share(top, height), width: share(right - left, width), height: share(bottom - top, height) } });
}

/** Which frame is whose, by the look of their rims. */
export const legend = (reply) => el("p", { class: "legend", "aria-hidden": "true" }, Object.keys(FIELDS)
  .filter((field) => reply && bestBox(reply, field)).map((field) => el("span", {}, el("i", { class: field }), SHORT[field])));

const RIM = 0.15;  // of the box's height, shown around it

/** The box cut out, `width` pixels wide, with `place(share)`: where on it a share of the box's width lies. */
export function cutOut(picture, reply, box, width) {
  const scale = picture.width / reply.page.width;
  const [left, top, right, bottom] = box.box.map((value) => value * scale);
  const rim = (bottom - top) * RIM;
  const x = Math.max(0, left - rim), y = Math.max(0, top - rim);
  const w = Math.min(picture.width, right + rim) - x, h = Math.min(picture.height, bottom + rim) - y;
  if (w < 1 || h < 1) return null;
  const canvas = canvasOf(picture, { x, y, w, h }, width, `${FIELDS[box.field] ?? box.field}, cut out of the page`);
  return { canvas, place: (share) => (left + share * (right - left) - x) / w };
}

/** Where each of `count` symbols stands in its line, 0..1: where it was read, moved apart where they would touch.
    Readings of servers that do not say where are spread evenly. */
export function places(symbols, place, gap) {
  const wanted = symbols.map((symbol, index) => place(symbol.at ?? (index + 0.5) / symbols.length));
  const pushedRight = (at) => at.reduce((done, each, index) => [...done, Math.max(each, index ? done[index - 1] + gap : gap / 2)], []);
  const mirrored = (at) => at.map((each) => 1 - each).reverse();
  const pushedLeft = (at) => mirrored(pushedRight(mirrored(at)));
  // Halfway between the two keeps the distances and leans to neither side; the last two keep it all inside.
  const right = pushedRight(wanted), left = pushedLeft(wanted);
  return pushedLeft(pushedRight(wanted.map((_, index) => (right[index] + left[index]) / 2)));
}
