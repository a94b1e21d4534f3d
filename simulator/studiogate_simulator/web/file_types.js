// Which files the page takes, by the type the browser gives them, which goes by the name's extension.

const BY_EXTENSION = { json: "application/json", markdown: "text/markdown", md: "text/markdown", zip: "application/zip" };
const APPLICATIONS = ["pdf", "json", "xml", "zip", "x-zip-compressed", "javascript", "x-javascript", "sql", "toml", "yaml", "x-yaml", "x-sh", "x-shellscript"];
const TAKEN = new RegExp(`^(?:(?:image|video|audio|text)/.+|application/(?:${APPLICATIONS.join("|")}))$`);

/** Tell a file's type; some browsers know none for some extensions. */
export function typeOf(file) {
  const extension = file.name.split(".").at(-1).toLowerCase();
  return file.type || (BY_EXTENSION[extension] ?? "application/octet-stream");
}

/** Tell whether the page takes a file. */
export const isTaken = (file) => TAKEN.test(typeOf(file));
