// Formulas as KaTeX builds them: once for readers of MathML, with the source as an annotation, once for the eye.

import { h } from "./dom.js";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const SYMBOLS = {
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", theta: "θ", lambda: "λ", mu: "μ", pi: "π", sigma: "σ", phi: "φ", omega: "ω",
  sum: "∑", int: "∫", prod: "∏", infty: "∞", sqrt: "√", cdot: "⋅", times: "×", pm: "±", le: "≤", leq: "≤", ge: "≥", geq: "≥",
  neq: "≠", approx: "≈", to: "→", rightarrow: "→", partial: "∂", nabla: "∇", in: "∈",
};

/** Build a formula from its source. */
export function katex(source, display) {
  const seen = glyphs(source);
  const annotation = mathml("annotation", { encoding: "application/x-tex" }, source);
  const semantics = mathml("semantics", {}, mathml("mrow", {}, mathml("mi", {}, seen)), annotation);
  const forReaders = h("span", { class: "katex-mathml" }, mathml("math", display ? { display: "block" } : {}, semantics));
  const forEyes = h("span", { class: "katex-html", "aria-hidden": "true" }, h("span", { class: "base" }, seen));
  const formula = h("span", { class: "katex" }, forReaders, forEyes);
  const shown = display ? h("span", { class: "katex-display" }, formula) : formula;
  return h("ms-cmark-node", { class: "cmark-node" }, h("ms-katex", { class: display ? "display" : "inline" }, shown));
}

function mathml(tag, attributes, ...children) {
  const element = document.createElementNS(MATHML, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// What is left to see of a formula when its notation is gone.
function glyphs(source) {
  return source.replaceAll(/\\([a-zA-Z]+)/g, (_, name) => SYMBOLS[name] ?? "").replaceAll(/[\\{}^_&$\s]/g, "");
}
