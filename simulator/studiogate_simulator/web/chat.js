// The chat session: its turns, and the one generation that may run.

import { AnswerTurns } from "./answer_turns.js";
import { followEnd } from "./autoscroll.js";
import { since } from "./options.js";
import { announce, toast } from "./overlays.js";
import { reportError } from "./rpc.js";
import { placeholderTurn, Turn } from "./turn.js";
import { h } from "./ui.js";
import { VirtualScroll } from "./virtual_scroll.js";
import { generateRequest, responsesContent, userContent } from "./wire.js";

const RESOURCE_EXHAUSTED = 8;
const PERMISSION_DENIED = 7;
const BLOCKED = new Set([3, 7, 8, 9]);

export class Chat {
  callouts = h("div", { class: "callouts" });
  #turns = [];
  #content = h("div", { class: "chat-session-content" });
  #scroller = h("ms-autoscroll-container", {}, this.#content);
  #virtual = new VirtualScroll(this.#scroller);
  /** Where new turns go: before the empty one for the next prompt, which only the newest builds have. */
  #placeholder = since("g3") ? placeholderTurn() : h("div", { class: "session-end" });
  #generation = null;
  #previousResponseId = null;
  #settings;
  #on;
  element = h("ms-chat-session", {}, this.#scroller);

  /** `on` has changed(), unanswered(files), and generation(), which makes one. */
  constructor(settings, on) {
    this.#settings = settings;
    this.#on = on;
    this.#content.append(this.#placeholder);
    followEnd(this.#scroller, this.#content);
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
    turn.fill(text, files);
    turn.content = userContent(text, files.map(({ part }) => part));
    this.#add(turn);
    const answered = await this.#generate();
    if (!answered && files.length) this.#on.unanswered(files);
  }

  /** Give up the answer that is being generated. */
  stop() {
    this.#generation?.stop();
  }

  #actions = { onRerun: (turn) => this.#rerun(turn), onDelete: (turn) => this.#remove(turn) };

  #add(turn, before = null) {
    const at = before ? this.#turns.indexOf(before) : this.#turns.length;
    this.#turns.splice(at, 0, turn);
    (before?.element ?? this.#placeholder).before(turn.element);
    this.#virtual.add(turn);
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#on.changed();
  }

  #drop(turn) {
    this.#virtual.remove(turn);
    turn.element.remove();
  }

  #remove(turn) {
    if (this.isGenerating) return;
    this.#turns = this.#turns.filter((kept) => kept !== turn);
    this.#drop(turn);
    this.#on.changed();
  }

  #rerun(turn) {
    if (this.isGenerating) return;
    const asked = (before, at) => at <= this.#turns.indexOf(turn) && before.content?.[1] === "user";
    const index = this.#turns.findLastIndex(asked);
    if (index < 0) return;
    for (const dropped of this.#turns.splice(index + 1)) this.#drop(dropped);
    void this.#generate();
  }

  async #answerCalls(turn, calls) {
    if (this.isGenerating) return;
    turn.reply = responsesContent(calls);
    await this.#generate();
  }

  get #contents() {
    return this.#turns.flatMap(({ content, reply }) => [content, reply].filter(Boolean));
  }

  /** Have the turns answered; resolves to false if nothing came but a failure. */
  async #generate() {
    const generation = this.#on.generation();
    this.#generation = generation;
    this.callouts.replaceChildren();
    announce("");
    const contents = this.#contents;
    const turns = new AnswerTurns(this.#actions, {
      add: (turn, before) => this.#add(turn, before),
      hide: (turn) => turn.element.remove(),
      answered: (turn, calls) => void this.#answerCalls(turn, calls),
    });
    this.#on.changed();
    const makeMessage = () => generateRequest(contents, this.#settings, this.#previousResponseId);
    const ended = await generation.run(makeMessage, (part) => turns.take(part));
    if (generation.parts.length) turns.answer.content = [generation.parts, "model"];
    this.#previousResponseId = generation.responseId ?? this.#previousResponseId;
    const untold = ended.outcome === "failed" && !this.#showFailure(ended.status, turns.answer);
    if (ended.outcome === "done" && BLOCKED.has(ended.finish)) turns.answer.showError("Content blocked");
    if (ended.outcome === "blocked") turns.answer.showError(ended.message || "Content blocked");
    const done = ended.outcome === "done";
    turns.finish({ rated: done, kept: !untold });
    this.#generation = null;
    if (done) announce("Response ready.");
    this.#on.changed();
    return ended.outcome !== "failed" || generation.parts.length > 0;
  }

  /** Show a failure; returns whether the turn tells of it. */
  #showFailure({ code, message }, answer) {
    if (code === RESOURCE_EXHAUSTED) {
      const text = "Failed to generate content: user has exceeded quota. Please try again later.";
      toast("error", text);
      reportError(text);
      const callout = h("div", { class: "message" }, "You've reached your rate limit. Please try again later.");
      this.callouts.replaceChildren(h("ms-callout", { class: "error-callout" }, callout));
      return false;
    }
    if (code === PERMISSION_DENIED) {
      toast("error", "Failed to generate content: permission denied. Please try again.");
      return false;
    }
    if (message) toast("error", `Failed to generate content: ${message}`);
    answer.showError("An internal error has occurred.");
    return true;
  }
}
