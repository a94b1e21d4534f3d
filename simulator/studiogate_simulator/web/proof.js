// The proof that a request's contents are those that the page made: SHA-256 of the contents mapping, a nonce, filler.

const NONCE_BYTES = 16;
const FILLER_BYTES = 560;

function boundPart(part) {
  return part[1] ?? part[2]?.[1] ?? part[5]?.[0] ?? "";
}

/** Map contents to the text that a proof covers. */
export function boundText(contents) {
  return contents.flatMap(([parts]) => parts.map(boundPart)).join(" ");
}

/** Make a single-use proof for contents. */
export async function makeProof(contents) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(boundText(contents))));
  const random = crypto.getRandomValues(new Uint8Array(NONCE_BYTES + FILLER_BYTES));
  const binary = String.fromCharCode(...digest, ...random);
  return `!${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}
