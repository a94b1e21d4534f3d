// Read the growing text of a streamed answer: `[[frame,frame,…],status]`, cut anywhere by the network.
// A frame is an array that opens at depth 3; it is given out when it closes.

const FRAME_DEPTH = 3;
const ELIDED_BEFORE = new Set(["[", ","]);

/** Write null into the elided slots of a compact array, outside of strings. */
export function fillElisions(text) {
  let filled = "";
  let last = "";
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|\s+|[[\],]|[^\s[\],"]+/gs)) {
    if (!token.trim()) continue;
    if (token === "," && ELIDED_BEFORE.has(last)) filled += "null";
    filled += token;
    last = token;
  }
  return filled;
}

export class FrameScanner {
  #position = 0;
  #start = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** Scan what is new of the whole text so far; gives the frames that it completed. */
  scan(text) {
    const frames = [];
    for (; this.#position < text.length; this.#position += 1) {
      const character = text[this.#position];
      if (this.#inString) this.#scanString(character);
      else if (character === '"') this.#inString = true;
      else if (character === "[") {
        this.#depth += 1;
        if (this.#depth === FRAME_DEPTH) this.#start = this.#position;
      } else if (character === "]") {
        if (this.#depth === FRAME_DEPTH) frames.push(text.slice(this.#start, this.#position + 1));
        this.#depth -= 1;
      }
    }
    return frames.map((frame) => JSON.parse(fillElisions(frame)));
  }

  #scanString(character) {
    if (this.#escaped) this.#escaped = false;
    else if (character === "\\") this.#escaped = true;
    else if (character === '"') this.#inString = false;
  }
}

/** Read the status of an ended answer as {code, message}; null when it has none, undefined when the body is broken. */
export function readStatus(text) {
  let root;
  try {
    root = JSON.parse(fillElisions(text));
  } catch {
    return undefined;
  }
  const status = Number.isInteger(root[0]) ? root : root[1];
  return Array.isArray(status) ? { code: status[0], message: status[1] ?? "" } : null;
}
