// Turns that are scrolled out of sight keep their host but lose their body, so that long chats stay light.

const MARGIN = "200px";

export class VirtualScroll {
  #turns = new Map();
  #observer;

  /** `scroller` is the element that scrolls. */
  constructor(scroller) {
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { root: scroller, rootMargin: `${MARGIN} 0px` });
  }

  add(turn) {
    this.#turns.set(turn.element, turn);
    this.#observer.observe(turn.element);
  }

  remove(turn) {
    this.#turns.delete(turn.element);
    this.#observer.unobserve(turn.element);
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) this.#turns.get(target)?.setBody(isIntersecting);
  }
}
