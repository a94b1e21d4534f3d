// Faults inside of a turn: what the network tells and what the page makes of it differ. Each is a generation that hands
// on something else than it got, or at another time.

import { h, icon, wait } from "./dom.js";
import { Generation } from "./generation.js";
import { options } from "./options.js";

const INTERNAL = 13;
const GAP_PX = 3000;

/** The turn of the answer that is being generated; its element is the last one of the model. */
const answerTurn = () => [...document.querySelectorAll("ms-chat-turn")].findLast((turn) => turn.querySelector('[data-turn-role="Model"]'));

/** The page shows an error and nothing of the answer. */
class ModelError extends Generation {
  async run(makeMessage) {
    const ended = await super.run(makeMessage, () => {});
    return ended.outcome === "done" ? { outcome: "failed", status: { code: INTERNAL, message: "" } } : ended;
  }
}

/** The page shows other words than were said. */
class OtherText extends Generation {
  #text;

  constructor({ text = "" }) {
    super();
    this.#text = text;
  }

  async run(makeMessage, onPart) {
    const ended = await super.run(makeMessage, () => {});
    if (this.#text) onPart({ kind: "text", text: this.#text });
    return ended;
  }
}

/** The page does not notice that the answer has ended. */
class StuckSpinner extends Generation {
  #forMs;
  #stopped;
  #whenStopped = new Promise((resolve) => {
    this.#stopped = resolve;
  });

  constructor({ for_ms: forMs }) {
    super();
    this.#forMs = forMs;
  }

  async run(makeMessage, onPart) {
    const ended = await super.run(makeMessage, onPart);
    await Promise.race([this.#whenStopped, ...(this.#forMs === null ? [] : [wait(this.#forMs)])]);
    return ended;
  }

  stop() {
    super.stop();
    this.#stopped();
  }
}

/** The page takes the answer for ended while it still shows more and more of it. */
class StopGoneEarly extends Generation {
  #late;
  #delayMs;

  constructor({ parts, delay_ms: delayMs }) {
    super();
    this.#late = parts;
    this.#delayMs = delayMs;
  }

  async run(makeMessage, onPart) {
    const footer = answerTurn().querySelector(".turn-footer");
    const held = [];
    const ended = await super.run(makeMessage, (part) => {
      held.push(part);
      if (held.length > this.#late) onPart(held.shift());
    });
    if (ended.outcome !== "done") return ended;
    void this.#pour(held, onPart, footer);
    return { outcome: "stopped" };
  }

  async #pour(held, onPart, footer) {
    for (const part of held) {
      await wait(this.#delayMs);
      onPart(part);
    }
    await wait(this.#delayMs);
    footer.append(...rating());
  }
}

const rating = () => [
  h("button", { "aria-label": "Good response" }, icon("thumb_up")),
  h("button", { "aria-label": "Bad response" }, icon("thumb_down")),
];

/** The page asks which of two answers is better, and shows them nowhere else until it is told. */
class PreferenceVote extends Generation {
  #forbid;

  constructor(_, { forbid }) {
    super();
    this.#forbid = forbid;
  }

  async run(makeMessage, onPart) {
    const turn = answerTurn();
    const vote = new Vote();
    turn.replaceWith(vote.element);
    const ended = await super.run(makeMessage, (part) => {
      if (part.kind === "text") vote.append(part.text);
      onPart(part);
    });
    if (ended.outcome !== "done") vote.element.replaceWith(turn);
    else {
      this.#forbid(true);
      vote.ask(() => {
        vote.element.replaceWith(turn);
        this.#forbid(false);
      });
    }
    return ended;
  }
}

class Vote {
  #texts = [h("div", { class: "inline-preference-text" }), h("div", { class: "inline-preference-text" })];
  #footer = h("div", { class: "inline-preference-footer" });

  constructor() {
    const header = h("div", { class: "inline-preference-header" }, "Which response do you prefer?");
    const sides = ["left", "right"].map((side, index) =>
      h("button", { class: "inline-preference-option", "data-test-side": side, onclick: () => this.#choose(index) }, this.#texts[index]),
    );
    const host = `ms-opaque-container-${Math.floor(Math.random() * 1e6)}`;
    this.element = h(host, {}, header, h("div", { class: "inline-preference-options" }, sides), this.#footer);
  }

  #chosen = null;

  #choose(index) {
    this.#chosen = index;
    this.#footer.querySelector("[data-test-id='submit-button']")?.removeAttribute("disabled");
  }

  append(text) {
    for (const pane of this.#texts) pane.append(text);
  }

  ask(onVoted) {
    const skip = { "data-test-id": "skip-button", "aria-label": "Skip preference vote", onclick: onVoted };
    const submit = { "data-test-id": "submit-button", disabled: this.#chosen === null, onclick: onVoted };
    this.#footer.append(h("button", skip, "Skip"), h("button", submit, "Submit"));
  }
}

/** All text of this page is shown plainly from now on. */
class LargeContainer extends Generation {
  constructor() {
    super();
    options.largeText = 0;
  }
}

/** The turns of the prompt and the answer lie far from each other, and the view on neither. */
class VirtualScroll extends Generation {
  run(makeMessage, onPart) {
    const turn = answerTurn();
    turn.before(gap());
    turn.after(gap());
    return super.run(makeMessage, onPart);
  }
}

const gap = () => h("div", { class: "virtual-gap", style: `height: ${GAP_PX}px` });

/** The answer has something in it that looks like the page's own words of trouble. */
class AlertInAnswer extends Generation {
  #text;

  constructor({ text }) {
    super();
    this.#text = text;
  }

  run(makeMessage, onPart) {
    answerTurn().querySelector(".turn-content").append(h("div", { class: "code-output", role: "alert" }, this.#text));
    return super.run(makeMessage, onPart);
  }
}

const KINDS = {
  model_error: ModelError,
  error_as_text: OtherText,
  footer_only: OtherText,
  preference_vote: PreferenceVote,
  stuck_spinner: StuckSpinner,
  stop_gone_early: StopGoneEarly,
  large_container: LargeContainer,
  virtual_scroll: VirtualScroll,
  alert_in_answer: AlertInAnswer,
};

/** Make a generation with what is to happen in it; of several such faults the first happens. */
export function faultyGeneration(told, stage) {
  const found = told.find(({ fault }) => fault in KINDS);
  return found ? new KINDS[found.fault](found, stage) : new Generation();
}
