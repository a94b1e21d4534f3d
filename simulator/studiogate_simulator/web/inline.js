// The inline part of markdown: what stands within a paragraph, a heading or a cell.

import { h } from "./dom.js";
import { katex } from "./math.js";

const PATTERNS = [
  { pattern: /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/, build: (match) => node(h("span", { class: "inline-code" }, codeOf(match[2]))) },
  { pattern: /\$\$([^$]+)\$\$/, build: ([, source]) => katex(source.trim(), true) },
  { pattern: /\\\[([\s\S]+?)\\\]/, build: ([, source]) => katex(source.trim(), true) },
  { pattern: /\\\(([\s\S]+?)\\\)/, build: ([, source]) => katex(source.trim(), false) },
  { pattern: /\$(?![\s\d$])([^$\n]*[^\s$\\])\$(?!\d)|\$(\d[^$\n]*[\\^_={+][^$\n]*[^\s$\\]|\d+)\$(?!\d)/, build: (match) => katex(match[1] ?? match[2], false) },
  { pattern: /\*\*\*(?!\s)([\s\S]+?)\*\*\*/, build: ([, text]) => node(h("strong", {}, node(h("em", {}, inline(text))))) },
  { pattern: /\*\*(?!\s)([\s\S]+?)(?<!\s)\*\*(?!\*)|__(?!\s)([\s\S]+?)(?<!\s)__(?!\w)/, build: (match) => node(h("strong", {}, inline(match[1] ?? match[2]))) },
  { pattern: /\*(?![\s*])([^*]+?)(?<!\s)\*(?!\*)|(?<!\w)_(?!\s)([^_]+?)(?<!\s)_(?!\w)/, build: (match) => node(h("em", {}, inline(match[1] ?? match[2]))) },
  { pattern: /~~(?!\s)([\s\S]+?)(?<!\s)~~/, build: ([, text]) => node(h("del", {}, inline(text))) },
  { pattern: /\[([^\]\n]+)\]\(((?:https?:|mailto:)[^)\s]+)(?:\s+"([^"]*)")?\)/, build: ([, text, href, title]) => link(text, href, title) },
  { pattern: /<(https?:[^>\s]+)>|(?<![\w/])(https?:\/\/[^\s<>()]*[^\s<>().,;:!?"'*_])/, build: (match) => link(null, match[1] ?? match[2], null) },
  { pattern: /\\([!-/:-@[-`{-~])/, build: ([, character]) => span(character) },
  { pattern: /(?: {2,}|\\)\n/, build: () => node(h("br")) },
];

/** Render inline markdown to a list of nodes. */
export function inline(text) {
  const readers = PATTERNS.map(({ pattern, build }) => ({ pattern: new RegExp(pattern, `${pattern.flags}g`), build, match: undefined }));
  const nodes = [];
  let at = 0;
  for (let found = earliest(readers, text, at); found; found = earliest(readers, text, at)) {
    if (found.match.index > at) nodes.push(span(text.slice(at, found.match.index)));
    nodes.push(found.build(found.match));
    at = found.match.index + found.match[0].length;
  }
  if (at < text.length) nodes.push(span(text.slice(at)));
  return nodes;
}

// Of those that begin at the same place the one that stands first in the list counts. A reader's next match is kept
// until it is passed, so that long texts stay quick.
function earliest(readers, text, at) {
  let best = null;
  for (const reader of readers) {
    if (reader.match === undefined || (reader.match && reader.match.index < at)) {
      reader.pattern.lastIndex = at;
      reader.match = reader.pattern.exec(text);
    }
    if (reader.match && (!best || reader.match.index < best.match.index)) best = reader;
  }
  return best;
}

const node = (...children) => h("ms-cmark-node", { class: "cmark-node" }, children);
const span = (text) => node(h("span", {}, text));
// A space at both ends is there to keep the marks off.
const codeOf = (text) => (/^ .*[^ ].* $/s.test(text) ? text.slice(1, -1) : text).replaceAll("\n", " ");

function link(text, href, title) {
  return node(h("a", { href, title, target: "_blank", rel: "noopener" }, text === null ? span(href) : inline(text)));
}
