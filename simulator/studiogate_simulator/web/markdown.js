// Render the markdown that models write into nested `ms-cmark-node` elements. The nesting loses the source on purpose:
// as upstream, the raw text is only to be had by editing or copying.

import { h } from "./dom.js";

const INLINE = /`([^`\n]+)`|\*\*(.+?)\*\*|\*([^*\s][^*\n]*)\*|\[([^\]\n]+)\]\((https?:[^)\s]+)\)/g;
const FENCE = /^```\s*(\S*)\s*$/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const BULLET = /^\s*[-*]\s+(.*)$/;
const NUMBER = /^\s*\d+[.)]\s+(.*)$/;

/** Render markdown to one root node. */
export function renderMarkdown(source, extraClass = "") {
  const root = node(extraClass);
  root.append(...blocks(source.split("\n")));
  return root;
}

function node(extraClass = "", ...children) {
  return h("ms-cmark-node", { class: `cmark-node ${extraClass}`.trim() }, children);
}

function* blocks(lines) {
  for (let at = 0; at < lines.length; ) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (!line.trim()) at += 1;
    else if (fence) {
      const end = endOf(lines, at + 1, (candidate) => candidate.trim() === "```");
      yield codeBlock(fence[1], lines.slice(at + 1, end).join("\n"));
      at = end + 1;
    } else if (heading) {
      yield node("", h(`h${heading[1].length}`, {}, inline(heading[2])));
      at += 1;
    } else if (BULLET.test(line) || NUMBER.test(line)) {
      const pattern = BULLET.test(line) ? BULLET : NUMBER;
      const end = endOf(lines, at, (candidate) => !pattern.test(candidate));
      yield list(pattern === BULLET ? "ul" : "ol", lines.slice(at, end).map((item) => pattern.exec(item)[1]));
      at = end;
    } else {
      const starts = (candidate) => !candidate.trim() || FENCE.test(candidate) || HEADING.test(candidate) || BULLET.test(candidate);
      const end = endOf(lines, at + 1, starts);
      yield node("", h("p", {}, inline(lines.slice(at, end).join("\n"))));
      at = end;
    }
  }
}

function endOf(lines, from, isEnd) {
  const found = lines.findIndex((line, index) => index >= from && isEnd(line));
  return found < 0 ? lines.length : found;
}

function list(tag, items) {
  return node("", h(tag, {}, items.map((item) => h("li", {}, node("", h("p", {}, inline(item)))))));
}

function inline(text) {
  const pieces = [];
  let last = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, strong, emphasis, label, link] = match;
    if (match.index > last) pieces.push(span(text.slice(last, match.index)));
    if (code) pieces.push(node("", h("span", { class: "inline-code" }, code)));
    else if (strong) pieces.push(node("", h("strong", {}, span(strong))));
    else if (emphasis) pieces.push(node("", h("em", {}, span(emphasis))));
    else pieces.push(node("", h("a", { href: link, target: "_blank", rel: "noopener" }, span(label))));
    last = match.index + whole.length;
  }
  if (last < text.length) pieces.push(span(text.slice(last)));
  return pieces;
}

const span = (text) => node("", h("span", {}, text));

/** Build a code block with its language, as answers and function calls have them. */
export function codeBlock(language, code) {
  return h(
    "ms-code-block",
    { "data-test-language": language || null },
    h(
      "mat-expansion-panel",
      { class: "mat-expanded" },
      h("mat-panel-title", {}, h("span", {}, language || "code")),
      h("pre", {}, h("code", {}, code)),
    ),
  );
}
