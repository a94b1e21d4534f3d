// The chat session: its turns, and the one generation that may run.

import { h } from "./dom.js";
import { Generation } from "./generation.js";
import { announce, toast } from "./overlays.js";
import { reportError } from "./rpc.js";
import { placeholderTurn, Turn } from "./turn.js";
import { generateRequest, userContent } from "./wire.js";

const RESOURCE_EXHAUSTED = 8;
const PERMISSION_DENIED = 7;
const BLOCKED = new Set([3, 7, 8, 9]);
const TICK_MS = 100;

export class Chat {
  element = h("div", { class: "chat-session-content" });
  callouts = h("div", { class: "callouts" });
  #turns = [];
  #placeholder = placeholderTurn();
  #generation = null;
  #previousResponseId = null;
  #settings;
  #on;

  /** `on` has changed() and unanswered(files). */
  constructor(settings, on) {
    this.#settings = settings;
    this.#on = on;
    this.element.append(this.#placeholder);
  }

  get isEmpty() {
    return this.#turns.length === 0;
  }

  get isGenerating() {
    return this.#generation !== null;
  }

  /** Append a user turn and have it answered; files of one that is refused are given back. */
  async submit(text, files) {
    const turn = new Turn("user", "text", this.#actions);
    turn.text = text;
    turn.files = files;
    turn.content = userContent(text, files.map(({ part }) => part));
    turn.render();
    this.#add(turn);
    const answered = await this.#generate();
    if (!answered && files.length) this.#on.unanswered(files);
  }

  /** Give up the answer that is being generated. */
  stop() {
    this.#generation?.stop();
  }

  #actions = { onRerun: (turn) => this.#rerun(turn), onDelete: (turn) => this.#remove(turn) };

  #add(turn) {
    this.#turns.push(turn);
    this.#placeholder.before(turn.element);
    turn.element.scrollIntoView({ block: "end" });
    this.#on.changed();
  }

  #remove(turn) {
    if (this.isGenerating) return;
    this.#turns = this.#turns.filter((kept) => kept !== turn);
    turn.element.remove();
    this.#on.changed();
  }

  #rerun(turn) {
    if (this.isGenerating) return;
    const index = this.#turns.findLastIndex((before, at) => at <= this.#turns.indexOf(turn) && before.content?.[1] === "user");
    if (index < 0) return;
    for (const dropped of this.#turns.splice(index + 1)) dropped.element.remove();
    void this.#generate();
  }

  /** Have the turns answered; resolves to false if nothing came but a failure. */
  async #generate() {
    const generation = new Generation();
    this.#generation = generation;
    this.callouts.replaceChildren();
    announce("");
    const answer = new AnswerTurns(this.#actions, (turn) => this.#add(turn));
    this.#on.changed();
    const contents = this.#turns.filter(({ content }) => content).map(({ content }) => content);
    const makeMessage = () => generateRequest(contents, this.#settings, this.#previousResponseId);
    const ended = await generation.run(makeMessage, (part) => answer.take(part));
    if (generation.parts.length) answer.last.content = [generation.parts, "model"];
    this.#previousResponseId = generation.responseId ?? this.#previousResponseId;
    if (ended.outcome === "failed") this.#showFailure(ended.status, answer);
    if (ended.outcome === "done" && BLOCKED.has(ended.finish)) answer.last.showError("Content blocked");
    answer.finish(ended.outcome === "done");
    this.#generation = null;
    if (ended.outcome === "done") announce("Response ready.");
    this.#on.changed();
    return ended.outcome !== "failed" || generation.parts.length > 0;
  }

  #showFailure({ code, message }, answer) {
    if (code === RESOURCE_EXHAUSTED) {
      const text = "Failed to generate content: user has exceeded quota. Please try again later.";
      toast("error", text);
      reportError(text);
      const callout = h("div", { class: "message" }, "You've reached your rate limit. Please try again later.");
      this.callouts.replaceChildren(h("ms-callout", { class: "error-callout" }, callout));
    } else if (code === PERMISSION_DENIED) {
      toast("error", "Failed to generate content: permission denied. Please try again.");
    } else {
      if (message) toast("error", `Failed to generate content: ${message}`);
      answer.last.showError("An internal error has occurred.");
      return;
    }
    answer.dropIfEmpty();
  }
}

/** The model's turns of one answer: thoughts in a turn of their own, then the answer. */
class AnswerTurns {
  #actions;
  #add;
  #thought = null;
  #answer = null;
  #started = performance.now();
  #ticking;

  constructor(actions, add) {
    this.#actions = actions;
    this.#add = add;
    this.#answer = this.#make("text");
    this.#answer.showLoading();
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  get last() {
    return this.#answer;
  }

  #make(kind) {
    const turn = new Turn("model", kind, this.#actions);
    this.#add(turn);
    return turn;
  }

  take(part) {
    if (part.kind === "thought") this.#takeThought(part.text);
    else if (part.kind === "text") this.#answer.append(part.text);
    else if (part.kind === "call") this.#answer.appendCall(part);
  }

  #takeThought(text) {
    if (!this.#thought) {
      this.#thought = new Turn("model", "thought", this.#actions);
      this.#answer.element.before(this.#thought.element);
    }
    this.#thought.append(text);
  }

  #tick() {
    const seconds = (performance.now() - this.#started) / 1000;
    this.#thought?.showTime(seconds);
    this.#answer.showTime(seconds);
  }

  dropIfEmpty() {
    if (!this.#answer.text && !this.#answer.content) this.#answer.element.classList.replace("text-chunk-host", "empty-turn");
  }

  finish(rated) {
    clearInterval(this.#ticking);
    this.#tick();
    this.#thought?.finish({ rated: false });
    this.#answer.finish({ rated });
  }
}
