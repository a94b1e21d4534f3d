// A code block, as answers and function calls have them.

import { h, icon } from "./dom.js";

/** Build a block; `symbol` stands before its title. */
export function codeBlock(language, code, { title = language || "code", titleClass = null, symbol = null } = {}) {
  const pre = h("pre", {}, h("code", {}, code));
  const panel = h("mat-expansion-panel", { class: "mat-expansion-panel mat-expanded" });
  const toggle = () => {
    const open = panel.classList.toggle("mat-expanded");
    pre.hidden = !open;
  };
  const stay = (action) => (event) => {
    event.stopPropagation();
    action();
  };
  const button = (label, name, action) => h("button", { type: "button", "aria-label": label, onclick: stay(action) }, icon(name));
  const header = h(
    "mat-expansion-panel-header",
    { role: "button", tabindex: "0", onclick: toggle },
    h("mat-panel-title", {}, symbol && icon(symbol), h("span", { class: titleClass }, title)),
    h(
      "div",
      { class: "code-actions" },
      button("Download", "download", () => download(language, code)),
      button("Copy", "content_copy", () => void navigator.clipboard.writeText(code)),
      button("Expand or collapse", "expand_more", toggle),
    ),
  );
  panel.append(header, h("div", { class: "mat-expansion-panel-body" }, pre));
  return h("ms-code-block", { "data-test-language": language || null, icon: symbol }, panel);
}

function download(language, code) {
  const address = URL.createObjectURL(new Blob([code]));
  h("a", { href: address, download: `code.${language || "txt"}` }).click();
  URL.revokeObjectURL(address);
}
