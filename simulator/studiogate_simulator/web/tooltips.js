// Tooltips: what floats over the page for as long as the mouse rests on something that has an explanation.

import { h } from "./dom.js";
import { say } from "./labels.js";

const SHOW_MS = 300;

/** Explain an element by a tooltip above it. */
export function explain(element, text) {
  let shown = null;
  let waiting = null;
  const hide = () => {
    clearTimeout(waiting);
    shown?.remove();
    shown = null;
  };
  const show = () => {
    const surface = h("div", { class: "mdc-tooltip mat-mdc-tooltip mdc-tooltip--shown" }, h("div", { class: "mdc-tooltip__surface" }, say(text)));
    const panel = h("div", { class: "cdk-overlay-pane mat-mdc-tooltip-panel", role: "tooltip" }, h("mat-tooltip-component", {}, surface));
    shown = h("div", { class: "cdk-overlay-connected-position-bounding-box tooltip-box" }, panel);
    document.querySelector(".cdk-overlay-container").append(shown);
    const anchor = element.getBoundingClientRect();
    const { width, height } = panel.getBoundingClientRect();
    panel.style.left = `${Math.max(0, Math.min(anchor.left, innerWidth - width))}px`;
    panel.style.top = `${Math.max(0, anchor.top - height - 4)}px`;
  };
  element.addEventListener("mouseenter", () => {
    hide();
    waiting = setTimeout(() => element.isConnected && show(), SHOW_MS);
  });
  element.addEventListener("mouseleave", hide);
  element.addEventListener("click", hide);
}
