// What goes wrong in the page on demand. The faults of a load come with the document; those of a turn are asked for when
// its prompt was typed, while Run waits, but only once there were any faults at all; those that happen now, and that
// there are any, are told on a request that is always waiting.

import { wait } from "./dom.js";
import { pageFaults } from "./fault_page.js";
import { faultyGeneration } from "./fault_turns.js";
import { options } from "./options.js";
import { VISIT_ID } from "./rpc.js";

const AGAIN_MS = 1000;

async function ask(what, question) {
  const body = JSON.stringify({ page: VISIT_ID, ...question });
  const answer = await fetch(`/__sim/faults/${what}`, { method: "POST", body });
  if (!answer.ok) throw new Error(`faults: HTTP ${answer.status}`);
  return answer.json();
}

export class Faults {
  #stage;
  #armed = options.faultsArmed;
  #after = options.faultsAfter;
  #asking = 0;
  #forbidden = false;
  #trap = null;
  #turn = [];

  /** `stage` has composer(), recreateComposer(keepText), callouts() and changed(). */
  constructor(stage) {
    const forbid = (forbidden) => {
      this.#forbidden = forbidden;
      stage.changed();
    };
    const trap = (sprung) => {
      this.#trap = sprung;
    };
    this.#stage = { ...stage, forbid, trap };
  }

  /** Whether Run is to wait. */
  get holding() {
    return this.#asking > 0 || this.#forbidden;
  }

  /** Have happen what goes with the load, and listen for what is to happen later. */
  start() {
    this.#play(options.faults);
    void this.#listen();
  }

  /** Something was typed: ask what is to happen to it. */
  async typed(text) {
    if (!this.#armed) return;
    this.#asking += 1;
    this.#stage.changed();
    const told = await ask("turn", { text }).catch(() => []);
    this.#asking -= 1;
    this.#turn.push(...told.filter(({ at }) => at === "submitted"));
    this.#play(told.filter(({ at }) => at === "typed"));
    this.#stage.changed();
  }

  /** Run was pressed: whether something else happens instead of a turn. */
  springs() {
    const trap = this.#trap;
    this.#trap = null;
    trap?.();
    return trap !== null;
  }

  /** Make the generation of the turn that was submitted, with what is to happen in it. */
  generation() {
    const told = this.#turn;
    this.#turn = [];
    // The chat still prepares the turn, and clears what was said before.
    queueMicrotask(() => this.#play(told));
    return faultyGeneration(told, this.#stage);
  }

  #play(told) {
    for (const { fault, after_ms: afterMs = 0, ...parameters } of told) {
      const happen = () => pageFaults[fault]?.(this.#stage, parameters);
      if (afterMs) setTimeout(happen, afterMs);
      else happen();
    }
  }

  async #listen() {
    for (;;) {
      try {
        const news = await ask("now", { after: this.#after, armed: this.#armed });
        this.#armed = news.armed;
        this.#after = news.after;
        this.#play(news.faults);
      } catch {
        await wait(AGAIN_MS);
      }
    }
  }
}
