// Ids of turns and chunks: random, or with a seed the same in every run.

import { options } from "./options.js";

const HEX = 16;
let state = options.seed === null ? null : (options.seed >>> 0) + 1;

// Mulberry32: small, and good enough for ids.
function next() {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** Make an id in the form of a UUID. */
export function newId() {
  if (state === null) return crypto.randomUUID();
  return "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replaceAll("x", () => Math.floor(next() * HEX).toString(HEX));
}
