// What the server's codes and numbers mean, in words. Pure functions.

export const FIELDS = { register_number: "Register number", subject_code: "Subject code" };

const REASONS = {
  no_register_box: "No register number box was found. Is this the page with the boxes, and is all of it in the picture?",
  no_subject_box: "No subject code box was found. Is this the page with the boxes, and is all of it in the picture?",
  blank_register: "The register number box was found, but nothing could be read in it. Is it filled in?",
  blank_subject: "The subject code box was found, but nothing could be read in it. Is it filled in?",
};

export const reasonSentence = (code) => REASONS[code] ?? `The reader says: ${code.replaceAll("_", " ")}.`;

const ADVICE = {
  empty_file: "Save or scan the sheet again: this file has nothing in it.",
  unknown_format: "Send a scan as PDF, JPEG, PNG, TIFF, BMP or WebP. A renamed document stays what it is.",
  damaged: "Scan or export the sheet again, then drop the new file.",
  truncated: "The file broke off on its way. Copy or download it again in full.",
  pdf_encrypted: "Type the PDF's password, or save a copy without one.",
  no_such_page: "The document has no pages. Scan it again.",
  unsupported_format: "Save it as JPEG or PDF; on an iPhone: Settings, Camera, Formats, Most Compatible.",
  too_many_pixels: "Scan with a lower resolution. 200 dpi is enough.",
  too_many_pages: "Split the document; only its first page is read.",
  too_large: "Scan with a lower resolution, or in grey. 200 dpi is enough.",
  unauthorized: "Type the access token that whoever runs this server gave you.",
  no_connection: "Check the connection. The file stays here and is sent again when you press Try again.",
};

/** Where the server's sentence speaks to programs. */
export const SAID = {
  pdf_encrypted: "This PDF is locked with a password.",
  unauthorized: "This server asks for an access token.",
};

export const advice = (code, status) => ADVICE[code] ??
  (status >= 500 ? "Try again. If it stays, give the code below to whoever runs this server." :
    "Try again, or try another scan of the sheet.");

/** Below this a character is underlined. */
export const DOUBTFUL = 0.9;

/** How sure a field is: a shape, a word and a name for the style. Its mean hides one bad character among eleven good
    ones, so the weakest of them has a say. */
export function certainty(share, symbols) {
  const weak = symbols.some((symbol) => symbol.confidence < DOUBTFUL);
  if (share >= 0.9 && !weak) return { mark: "●", word: "sure", name: "sure" };
  if (share >= 0.6) return { mark: "◐", word: "check it", name: "check" };
  return { mark: "○", word: "doubtful", name: "doubt" };
}

/** What a reading amounts to. */
export function verdict(reply) {
  const missing = Object.keys(FIELDS).filter((field) => !reply[field]);
  if (missing.length === 2) return { mark: "○", word: "Not read", text: "Neither field could be read." };
  if (missing.length === 1)
    return { mark: "◐", word: "Incomplete", text: `The ${FIELDS[missing[0]].toLowerCase()} is missing.` };
  if (reply.confidence < DOUBTFUL || doubtful(reply))
    return { mark: "◐", word: "Check", text: "Both fields were read. Compare the underlined characters with the sheet." };
  return { mark: "●", word: "Read", text: "Both fields were read." };
}

const doubtful = (reply) => Object.keys(FIELDS).some((field) =>
  bestBox(reply, field)?.symbols.some((symbol) => symbol.confidence < DOUBTFUL));

/** The box the field's value came from; boxes come best text first. */
export const bestBox = (reply, field) =>
  reply.boxes.find((box) => box.field === field && box.value === reply[field]) ??
  reply.boxes.find((box) => box.field === field) ?? null;

const STAGES = { decode: "open", letterbox: "fit", detect: "find boxes", crop: "cut out", read: "read text" };
export const stageName = (name) => STAGES[name] ?? name;
