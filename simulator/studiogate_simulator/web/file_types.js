// Which files the page takes, by the type the browser gives them, which goes by the name's extension.

const BY_EXTENSION = { json: "application/json", markdown: "text/markdown", md: "text/markdown", zip: "application/zip" };
const TAKEN = /^(?:(?:image|video|audio|text)\/.+|application\/(?:pdf|json|xml|zip|x-zip-compressed))$/;

/** Tell a file's type; some browsers know none for some extensions. */
export function typeOf(file) {
  const extension = file.name.split(".").at(-1).toLowerCase();
  return file.type || (BY_EXTENSION[extension] ?? "application/octet-stream");
}

/** Tell whether the page takes a file. */
export const isTaken = (file) => TAKEN.test(typeOf(file));
