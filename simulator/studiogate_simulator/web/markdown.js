// Render the markdown that models write into nested `ms-cmark-node` elements. The nesting loses the source on purpose:
// as upstream, the raw text is only to be had by editing or copying.

import { codeBlock } from "./code_block.js";
import { h } from "./dom.js";
import { inline } from "./inline.js";
import { katex } from "./math.js";

const FENCE = /^( {0,3})(`{3,}|~{3,})\s*(\S*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])\s*(?:\1\s*){2,}$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])( +|$)(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const MATH_OPENS = /^\s*(\$\$|\\\[)/;
const MATH_CLOSES = { $$: "$$", "\\[": "\\]" };

/** Render markdown to one root node. */
export function renderMarkdown(source, extraClass = "") {
  return h("ms-cmark-node", { class: `cmark-node ${extraClass}`.trim() }, blocks(source.split("\n")));
}

const node = (...children) => h("ms-cmark-node", { class: "cmark-node" }, children);
const indentOf = (line) => line.length - line.trimStart().length;

const BLOCKS = [fence, heading, rule, math, quote, list, table, paragraph];

/** Read lines as blocks; each reader gives [element, how many lines it took], or null if they are none of its. */
function blocks(lines) {
  const elements = [];
  for (let at = 0; at < lines.length; ) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const rest = lines.slice(at);
    const [element, taken] = first(BLOCKS, rest);
    elements.push(element);
    at += taken;
  }
  return elements;
}

function first(readers, lines) {
  for (const reader of readers) {
    const found = reader(lines);
    if (found) return found;
  }
  throw new Error("every line is at least a paragraph");
}

function endOf(lines, from, isEnd) {
  const found = lines.findIndex((line, index) => index >= from && isEnd(line));
  return found < 0 ? lines.length : found;
}

function fence(lines) {
  const opened = FENCE.exec(lines[0]);
  if (!opened) return null;
  const [, indent, marks, language] = opened;
  const closes = (line) => line.trim().startsWith(marks) && line.trim().split(marks[0]).join("") === "";
  const end = endOf(lines, 1, closes);
  const code = lines.slice(1, end).map((line) => line.slice(Math.min(indent.length, indentOf(line))));
  return [node(codeBlock(language, code.join("\n"))), end + 1];
}

function heading(lines) {
  const found = HEADING.exec(lines[0]);
  return found && [node(h(`h${found[1].length}`, {}, inline(found[2]))), 1];
}

function rule(lines) {
  return RULE.test(lines[0]) ? [node(h("hr")), 1] : null;
}

function math(lines) {
  const opened = MATH_OPENS.exec(lines[0]);
  if (!opened) return null;
  const closing = MATH_CLOSES[opened[1]];
  const whole = lines.join("\n").trimStart().slice(opened[1].length);
  const length = whole.indexOf(closing);
  // What is not closed yet, or goes on behind it, is a paragraph.
  if (length < 0 || whole.slice(length + closing.length).split("\n")[0].trim()) return null;
  return [node(h("p", {}, katex(whole.slice(0, length).trim(), true))), whole.slice(0, length).split("\n").length];
}

function quote(lines) {
  if (!QUOTE.test(lines[0])) return null;
  const end = endOf(lines, 1, (line) => !QUOTE.test(line));
  return [node(h("blockquote", {}, blocks(lines.slice(0, end).map((line) => line.replace(QUOTE, ""))))), end];
}

function list(lines) {
  const opened = ITEM.exec(lines[0]);
  if (!opened || opened[1].length > 3) return null;
  const ordered = /\d/.test(opened[2]);
  const belongs = (found) => found && found[1].length < 4 && /\d/.test(found[2]) === ordered;
  const items = [];
  let at = 0;
  let loose = false;
  while (at < lines.length) {
    const found = ITEM.exec(lines[at]);
    if (!belongs(found) || RULE.test(lines[at])) break;
    const width = found[1].length + found[2].length + Math.max(1, found[3].length > 4 ? 1 : found[3].length);
    const end = endOf(lines, at + 1, (line) => (line.trim() ? indentOf(line) < Math.min(width, 2 + found[1].length) : false));
    const inner = lines.slice(at, end);
    while (inner.length > 1 && !inner.at(-1).trim()) inner.pop();
    loose ||= end < lines.length && end - at > inner.length && belongs(ITEM.exec(lines[end]));
    items.push([found[4], ...inner.slice(1).map((line) => line.slice(Math.min(width, indentOf(line))))]);
    at = end;
  }
  const start = ordered ? Number.parseInt(opened[2], 10) : 1;
  const attributes = ordered && start !== 1 ? { start } : {};
  return [node(h(ordered ? "ol" : "ul", attributes, items.map((item) => h("li", {}, blocks(item))))), at];
}

function table(lines) {
  if (!lines[0].includes("|") || lines.length < 2 || !TABLE_RULE.test(lines[1]) || !lines[1].includes("-")) return null;
  const columns = cells(lines[1]).map(alignment);
  if (cells(lines[0]).length !== columns.length) return null;
  const end = endOf(lines, 2, (line) => !line.trim() || !line.includes("|"));
  const row = (tag) => (line) => {
    const found = cells(line);
    return h("tr", {}, columns.map((align, column) => h(tag, { align }, node(...inline(found[column] ?? "")))));
  };
  const head = h("thead", {}, row("th")(lines[0]));
  const body = h("tbody", {}, lines.slice(2, end).map(row("td")));
  return [node(h("div", { class: "table-container" }, h("table", {}, head, body))), end];
}

// A pipe within code or behind a backslash does not end a cell.
function cells(line) {
  const inside = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  const found = inside.match(/(?:\\.|`[^`]*`|[^|])+|(?<=\|)(?=\|)|^(?=\|)/g) ?? [];
  return found.map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function alignment(mark) {
  if (mark.startsWith(":") && mark.endsWith(":")) return "center";
  if (mark.endsWith(":")) return "right";
  return mark.startsWith(":") ? "left" : null;
}

function paragraph(lines) {
  const starts = (line) => !line.trim() || [FENCE, HEADING, QUOTE, RULE, ITEM].some((pattern) => pattern.test(line));
  const end = endOf(lines, 1, starts);
  return [node(h("p", {}, inline(lines.slice(0, end).map((line) => line.trimStart()).join("\n")))), end];
}
