// The page with its boxes, and the boxes cut out of it.

import { el } from "../shared/page.js";
import { bestBox, FIELDS } from "./words.js";

/** A picture of the page: the file itself where the browser can open it, else null (then the server is asked). */
export async function openPicture(blob) {
  try {
    return await createImageBitmap(blob);  // turned upright by its EXIF, as the reader does it
  } catch {
    return null;
  }
}

/** The page scaled to `width` CSS pixels with a frame around each box. */
export function pageFigure(picture, reply, name) {
  const shown = Math.min(1400, picture.width);
  const canvas = el("canvas", { width: shown, height: Math.round(picture.height * shown / picture.width), role: "img" });
  canvas.setAttribute("aria-label", `The page of ${name}`);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const { width, height } = reply.page;
  const frames = el("svg", { viewBox: `0 0 ${width} ${height}`, class: "frames", "aria-hidden": "true" });
  const chosen = Object.keys(FIELDS).map((field) => bestBox(reply, field));
  for (const box of reply.boxes) if (!chosen.includes(box)) frames.append(otherFrame(box, width));
  for (const box of chosen) if (box) frames.append(frame(box, width));
  return el("div", { class: "page" }, canvas, frames);
}

// A box whose text was not chosen.
function otherFrame({ box: [left, top, right, bottom] }, pageWidth) {
  return el("g", { class: "frame other" }, el("rect", { x: left, y: top, width: right - left, height: bottom - top,
    "stroke-width": pageWidth / 600, rx: pageWidth / 200 }));
}

function frame({ field, box: [left, top, right, bottom] }, pageWidth) {
  const unit = pageWidth / 100;  // so that frames look alike on pages of any size
  const label = FIELDS[field] ?? field;
  const above = top > 4 * unit;
  const tall = 2.6 * unit;
  const y = above ? top - tall - 0.6 * unit : bottom + 0.6 * unit;
  const wide = label.length * 1.32 * unit + 1.6 * unit;
  const x = Math.min(left, pageWidth - wide);
  return el("g", { class: `frame ${field}` },
    el("rect", { x: left - 0.4 * unit, y: top - 0.4 * unit, width: right - left + 0.8 * unit,
      height: bottom - top + 0.8 * unit, rx: 0.6 * unit, "stroke-width": 0.42 * unit,
      "stroke-dasharray": field === "subject_code" ? `${1.4 * unit} ${0.8 * unit}` : null }),
    el("rect", { class: "tag", x, y, width: wide, height: tall, rx: 0.5 * unit }),
    el("text", { x: x + 0.8 * unit, y: y + 0.72 * tall, "font-size": 1.9 * unit }, label));
}

/** The box cut out with a little of the page around it, at most `height` pixels high. */
export function cutOut(picture, reply, box, height) {
  const scale = picture.width / reply.page.width;
  const [left, top, right, bottom] = box.box.map((value) => value * scale);
  const rim = (bottom - top) * 0.18;
  const x = Math.max(0, left - rim), y = Math.max(0, top - rim);
  const w = Math.min(picture.width, right + rim) - x, h = Math.min(picture.height, bottom + rim) - y;
  if (w < 1 || h < 1) return null;
  const tall = Math.min(height, Math.max(24, Math.round(h * 1.5)));
  const canvas = el("canvas", { class: "cutout", width: Math.max(1, Math.round(w * tall / h)), height: tall, role: "img" });
  canvas.setAttribute("aria-label", `${FIELDS[box.field] ?? box.field}, cut out of the page`);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, x, y, w, h, 0, 0, canvas.width, canvas.height);
  return canvas;
}
