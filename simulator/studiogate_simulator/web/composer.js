// The prompt box. What will be submitted is the text that `input` events told of, not what the textarea happens to hold,
// and the files whose chips stand in it.

import { h, icon, setAttributes } from "./dom.js";
import { MediaBox } from "./media_box.js";
import { ctrlEnterSubmits } from "./preferences.js";
import { PromptTools } from "./prompt_tools.js";

const LARGE = 20_000;
const CHARACTERS_PER_MS = 500;

export class Composer {
  #text = "";
  #settled = true;
  #settling = null;
  #generating = false;
  #blocked = true;
  #textarea;
  #button;
  #tools = new PromptTools();
  #media;
  #on;

  /** `on` has submit(text, files), stop(), changed(text), filesChanged() and target(file). */
  constructor(on) {
    this.#on = on;
    this.#media = new MediaBox({ changed: () => this.#filesChanged(), target: on.target });
    this.element = this.#build();
    this.#show();
  }

  #build() {
    this.#textarea = h("textarea", {
      class: "cdk-textarea-autosize",
      cdktextareaautosize: true,
      formcontrolname: "promptText",
      "aria-label": "Enter a prompt",
      placeholder: "Start typing a prompt, use alt + enter to append",
      rows: "2",
      oninput: () => this.#typed(),
      onkeydown: (event) => this.#pressed(event),
    });
    this.#button = h("button", { type: "submit", mattooltipclass: "run-button-tooltip", onclick: () => this.#clicked() });
    return h(
      "ms-prompt-box",
      {},
      h(
        "div",
        { class: "prompt-box-container" },
        this.#media.hidden,
        this.#media.chips,
        h("div", { class: "text-wrapper" }, this.#textarea),
        h(
          "div",
          { class: "buttons-row" },
          h(
            "div",
            { class: "button-row-left" },
            h("ms-add-media-button", {}, this.#media.button),
            this.#tools.element,
          ),
          h("ms-run-button", {}, this.#button),
        ),
      ),
    );
  }

  get text() {
    return this.#text;
  }

  /** Tokens of the files. */
  get fileTokens() {
    return this.#media.tokens;
  }

  /** Take back the files of a prompt that was not answered. */
  giveBack(files) {
    this.#media.giveBack(files);
  }

  /** Give up what is under way. */
  dispose() {
    this.#media.dispose();
  }

  /** Take over what another composer held but for its files, when the host is rendered anew for a submitted prompt. */
  adopt(other) {
    this.#text = other.#text;
    this.#textarea.value = other.#text;
    this.#generating = other.#generating;
    this.#blocked = other.#blocked;
    this.#tools.show(other.#tools.tools);
    this.#show();
  }

  /** Empty the box. */
  clear() {
    this.#textarea.value = "";
    this.#accept("");
  }

  /** Show whether an answer is being generated. */
  set generating(generating) {
    this.#generating = generating;
    this.#show();
  }

  /** Forbid submitting, for example before there is a model. */
  set blocked(blocked) {
    this.#blocked = blocked;
    this.#show();
  }

  /** Show the tools: a chip for each that is on, all of them in the menu. [{label, chip, on, barred, set(on)}] */
  showTools(tools) {
    this.#tools.show(tools);
  }

  #typed() {
    const text = this.#textarea.value;
    if (text.length < LARGE) return this.#accept(text);
    // Large texts take the page a while.
    this.#settled = false;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#accept(text), text.length / CHARACTERS_PER_MS);
    this.#show();
  }

  #accept(text) {
    clearTimeout(this.#settling);
    this.#settled = true;
    this.#text = text;
    this.#show();
    this.#on.changed(text);
  }

  #pressed(event) {
    if (event.key !== "Enter" || event.isComposing || event.shiftKey || event.altKey) return;
    if (ctrlEnterSubmits() && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#submit();
  }

  #clicked() {
    if (this.#generating) this.#on.stop();
    else this.#submit();
  }

  get #ready() {
    const something = this.#text.trim() !== "" || !this.#media.isEmpty;
    return !this.#generating && !this.#blocked && this.#settled && this.#media.isReady && something;
  }

  #filesChanged() {
    this.#show();
    this.#on.filesChanged();
  }

  #submit() {
    if (this.#ready) this.#on.submit(this.#text, this.#media.take());
  }

  #show() {
    const keys = ctrlEnterSubmits() ? [icon("keyboard_command_key"), icon("keyboard_return")] : [icon("keyboard_return")];
    const classes = ["run-button", "ms-button-primary"];
    if (ctrlEnterSubmits()) classes.push("ctrl-enter-submits");
    if (this.#generating) classes.push("stoppable");
    setAttributes(this.#button, {
      type: this.#generating ? "button" : "submit",
      "aria-disabled": String(!this.#generating && !this.#ready),
      class: classes.join(" "),
    });
    this.#button.replaceChildren(
      h("span", { class: "run-button-label" }, this.#generating ? "Stop" : "Run"),
      ...(this.#generating ? [icon("progress_activity")] : keys),
    );
  }
}
