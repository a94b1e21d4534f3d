// The model's thoughts: a panel that is closed at first, and has its body in the document only while it is open.

import { h } from "./ui.js";

export class ThoughtPanel {
  #image = h("img", { class: "thinking-progress-icon in-progress", alt: "Thinking" });

  constructor(content) {
    const body = h("div", { class: "mat-expansion-panel-body" }, content);
    const hint = h("span", { class: "thought-hint" }, "Expand to view model thoughts");
    const wrapper = h("div", { class: "mat-expansion-panel-content-wrapper" });
    const toggle = () => {
      const expanded = panel.classList.toggle("mat-expanded");
      header.setAttribute("aria-expanded", String(expanded));
      hint.textContent = expanded ? "Collapse to hide model thoughts" : "Expand to view model thoughts";
      wrapper.replaceChildren(...(expanded ? [body] : []));
    };
    const title = h("mat-panel-title", {}, this.#image, h("span", {}, "Thoughts"));
    const attributes = { role: "button", tabindex: "0", "aria-expanded": "false", onclick: toggle };
    const header = h("mat-expansion-panel-header", attributes, title, hint);
    const panel = h("mat-expansion-panel", { class: "thought-panel" }, header, wrapper);
    this.element = h("ms-thought-chunk", {}, h("mat-accordion", {}, panel));
  }

  /** No more thoughts come. */
  finish() {
    this.#image.classList.remove("in-progress");
  }
}
