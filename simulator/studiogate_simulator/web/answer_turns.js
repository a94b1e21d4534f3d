// The model's turns of one answer: thoughts in a turn of their own, then the answer, then its function calls.

import { FunctionCall } from "./function_call.js";
import { options } from "./options.js";
import { Turn } from "./turn.js";

const TICK_MS = 100;

export class AnswerTurns {
  /** The turn of the text, which holds the whole content for the next request. */
  answer;
  #actions;
  #on;
  #thought = null;
  #callTurn = null;
  #calls = [];
  #started = performance.now();
  #ticking;

  /** `on` has add(turn, before), hide(turn) and answered(turn, calls). */
  constructor(actions, on) {
    this.#actions = actions;
    this.#on = on;
    this.answer = new Turn("model", "text", actions);
    on.add(this.answer);
    this.answer.showLoading();
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  take(part) {
    if (part.kind === "thought") this.#thoughtTurn().appendThought(part.text);
    else if (part.kind === "text") this.answer.append(part.text);
    else if (part.kind === "call") this.#takeCall(part);
    else if (part.kind !== "other") this.answer.appendPart(part);
  }

  #thoughtTurn() {
    if (options.thoughts === "inside") return this.answer;
    if (!this.#thought) {
      this.#thought = new Turn("model", "thought", this.#actions);
      this.#on.add(this.#thought, this.answer);
    }
    return this.#thought;
  }

  #takeCall(part) {
    if (!this.#callTurn) {
      this.#callTurn = new Turn("model", "function-call", this.#actions);
      this.#on.add(this.#callTurn);
    }
    const call = new FunctionCall(part, () => this.#answered());
    this.#calls.push(call);
    this.#callTurn.appendElement("call", call.element);
  }

  // The model goes on once the last of them is answered.
  #answered() {
    if (this.#calls.some(({ answer }) => answer === null)) return;
    this.#on.answered(this.answer, this.#calls);
  }

  #tick() {
    const seconds = (performance.now() - this.#started) / 1000;
    for (const turn of [this.#thought, this.answer, this.#callTurn]) turn?.showTime(seconds);
  }

  /** It is over; `rated` lets the user rate it, `kept` keeps an answer without any words. */
  finish({ rated, kept }) {
    clearInterval(this.#ticking);
    this.#tick();
    this.#thought?.finish({ rated: false });
    this.#callTurn?.finish({ rated: false });
    this.answer.finish({ rated: rated && !this.#callTurn });
    // The turn stays in the chat, for what it holds; a call alone, or nothing, has no body of text.
    if (this.answer.isEmpty && (this.#callTurn || !kept)) this.#on.hide(this.answer);
  }
}
