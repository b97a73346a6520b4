// Files out of drops, folders and the clipboard.

const SHEETS = /\.(pdf|jpe?g|png|bmp|tiff?|webp|hei[cf]|avif)$/i;

/** Whether any browser shows it; of the others the server is asked for a picture. */
export const isPicture = (name) => /\.(jpe?g|png|bmp|webp)$/i.test(name);

/** [{name, file}] of a file input or the clipboard; a chosen folder's files keep their path, and only sheets of it are taken. */
export function namedFiles(files) {
  return sorted([...files].filter((file) => !file.webkitRelativePath || isSheet(file.webkitRelativePath))
    .map((file) => ({ name: file.webkitRelativePath || file.name || "photo.jpg", file })));
}

/** The same of a drop, folders and all. */
export async function droppedFiles(transfer) {
  // Taken at once: the list is empty after the event.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return namedFiles(transfer.files);
  const found = [];
  for (const entry of entries) await walk(entry, found, "");
  return sorted(found);
}

async function walk(entry, found, folder) {
  const name = folder + entry.name;
  if (entry.isFile) {
    if (folder && !isSheet(name)) return;
    found.push({ name, file: await new Promise((done, failed) => entry.file(done, failed)) });
    return;
  }
  const reader = entry.createReader();
  while (true) {  // it hands out a hundred at a time
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return;
    for (const each of some) await walk(each, found, `${name}/`);
  }
}

const isSheet = (path) => SHEETS.test(path) && !path.split("/").some((part) => part.startsWith("."));
const sorted = (named) => named.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
