// The prompt box. What will be submitted is the text that `input` events told of, not what the textarea happens to hold,
// and the files whose chips stand in it.

import { composerHost, textareaAttributes } from "./composer_layout.js";
import { MediaBox } from "./media_box.js";
import { options } from "./options.js";
import { ctrlEnterSubmits } from "./preferences.js";
import { PromptTools } from "./prompt_tools.js";
import { RunButton } from "./run_button.js";
import { h } from "./ui.js";

const LARGE = 20_000;
const PER = 100_000;

export class Composer {
  #text = "";
  #settled = true;
  #settling = null;
  #generating = false;
  #blocked = true;
  /** Whether somebody pressed a key since the text area was empty. */
  #keyed = false;
  #textarea;
  #run;
  #tools = new PromptTools();
  #media;
  #on;

  /** `on` has submit(text, files), stop(), changed(text), filesChanged() and target(file). */
  constructor(on) {
    this.#on = on;
    this.#media = new MediaBox({ changed: () => this.#filesChanged(), target: on.target });
    this.#run = new RunButton(() => this.#clicked());
    this.#textarea = h("textarea", {
      ...textareaAttributes(),
      rows: "2",
      oninput: () => this.#typed(),
      onkeydown: (event) => this.#pressed(event),
      onkeyup: (event) => this.#released(event),
    });
    const parts = { textarea: this.#textarea, media: this.#media, tools: this.#tools.element, run: this.#run.element };
    this.element = composerHost(parts);
    this.#show();
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
    clearTimeout(this.#settling);
    this.#run.dispose();
    this.#media.dispose();
  }

  /** Take over what another composer held but for its files, when the host is rendered anew for a submitted prompt. */
  adopt(other) {
    this.#text = other.#text;
    this.#textarea.value = other.#text;
    this.#generating = other.#generating;
    this.#blocked = other.#blocked;
    this.#tools.show(other.#tools.tools);
    other.#run.dispose();
    this.#show();
  }

  /** Empty the box. */
  clear() {
    this.#textarea.value = "";
    this.#accept("");
  }

  /** Put the cursor into the text. */
  focus() {
    this.#textarea.focus();
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
    this.#mirror(text);
    if (options.typing === "keys" && !this.#keyed) return;
    if (text.length < LARGE) return this.#accept(text);
    // Large texts take the page a while.
    this.#settled = false;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#accept(text), (text.length / PER) * options.typingMs);
    this.#show();
  }

  #mirror(text) {
    const mirror = this.#textarea.closest("[data-value]");
    if (mirror) mirror.dataset.value = text;
  }

  #accept(text) {
    clearTimeout(this.#settling);
    this.#settled = true;
    this.#text = text;
    if (!text) this.#keyed = false;
    this.#mirror(text);
    this.#show();
    this.#on.changed(text);
  }

  #pressed(event) {
    if (event.key !== "Enter" || event.isComposing || event.shiftKey || event.altKey) return;
    if (ctrlEnterSubmits() && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#submit();
  }

  // In some builds the text is believed only once a real key was pressed.
  #released(event) {
    if (!event.isTrusted || this.#keyed || options.typing !== "keys") return;
    this.#keyed = true;
    this.#typed();
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
    this.#run.show({ generating: this.#generating, ready: this.#ready });
  }
}
