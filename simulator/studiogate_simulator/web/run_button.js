// The button that runs a prompt, and stops its answer. Older builds disable it natively; the newest only says that it is.
// While an answer is generated some builds make it a plain button that shows the time, others leave it to submit and
// call it Stop.

import { options, since } from "./options.js";
import { ctrlEnterSubmits } from "./preferences.js";
import { explain } from "./tooltips.js";
import { h, icon, setAttributes } from "./ui.js";

const TICK_MS = 100;
const SVG = "http://www.w3.org/2000/svg";

export class RunButton {
  #button;
  #generating = false;
  #started = 0;
  #ticking = null;

  constructor(onClick) {
    const attributes = { mattooltipclass: "run-button-tooltip", onclick: onClick };
    this.#button = h("button", since("g3") ? attributes : { "aria-label": "Run", ...attributes });
    explain(this.#button, "Run prompt");
    this.element = h("ms-run-button", {}, this.#button);
  }

  /** Show the state: {generating, ready}. */
  show({ generating, ready }) {
    if (generating !== this.#generating) this.#count(generating);
    const enabled = generating || ready;
    const timed = generating && options.stop === "timer";
    setAttributes(this.#button, {
      type: timed ? "button" : "submit",
      "aria-disabled": String(!enabled),
      disabled: !since("g3") && !enabled,
      class: this.#classes(enabled),
    });
    this.#button.replaceChildren(...this.#content(timed));
  }

  /** The host is gone. */
  dispose() {
    clearInterval(this.#ticking);
  }

  #count(generating) {
    this.#generating = generating;
    clearInterval(this.#ticking);
    if (!generating || options.stop !== "timer") return;
    this.#started = performance.now();
    this.#ticking = setInterval(() => {
      this.#button.querySelector(".label, .run-button-label").textContent = this.#time;
    }, TICK_MS);
  }

  get #time() {
    return `${((performance.now() - this.#started) / 1000).toFixed(1)}s`;
  }

  #classes(enabled) {
    const classes = ["run-button", "ms-button-primary"];
    if (since("g3") && ctrlEnterSubmits()) classes.push("ctrl-enter-submits");
    if (this.#generating) classes.push("stoppable");
    if (!since("g3") && !enabled) classes.push("disabled");
    return classes.join(" ");
  }

  #content(timed) {
    const words = timed ? this.#time : this.#generating ? "Stop" : "Run";
    const label = h("span", { class: since("g3") ? "run-button-label" : "label" }, words);
    if (this.#generating) return [label, ...(since("g3") ? [icon("progress_activity")] : [spinner(), h("span", { class: "stoppable-stop" })])];
    return [label, ...(ctrlEnterSubmits() ? [icon("keyboard_command_key")] : []), icon("keyboard_return")];
  }
}

function spinner() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "stoppable-spinner");
  svg.setAttribute("viewBox", "0 0 24 24");
  return svg;
}
