// A part of `page.js`: which elements the page has, and the ways into menus and dialogs that have more of them.

({ first, selectors, until, visible }) => {
  const matching = (selector) => {
    try {
      return [...document.querySelectorAll(selector)];
    } catch {
      return null; // no CSS
    }
  };

  const match = (element) => {
    const nodes = selectors[element].map(matching);
    let candidate = nodes.findIndex((each) => each?.some(visible));
    if (candidate < 0) candidate = nodes.findIndex((each) => each?.length);
    const found = nodes[candidate] ?? [];
    return {
      element,
      candidate: candidate < 0 ? null : candidate,
      selector: selectors[element][candidate] ?? null,
      visible: found.filter(visible).length,
      nodes: found.length,
      wrong: nodes.flatMap((each, index) => (each === null ? [index] : [])),
    };
  };

  const isOn = (node) => ["aria-checked", "aria-expanded"].some((name) => node.getAttribute(name) === "true");
  const isOff = (node) => node.disabled || node.getAttribute("aria-disabled") === "true";

  return {
    matches() {
      return Object.keys(selectors).map(match);
    },

    // Click what opens something or switches it on, or off, unless it is so.
    press({ element, off }) {
      const node = first(element);
      if (!node) return "missing";
      if (isOn(node) !== off) return "done";
      if (isOff(node)) return "disabled";
      node.click();
      return "pressed";
    },

    // Wait until something of these is there and nothing more comes for a while.
    async settled({ elements, ms, quiet_ms }) {
      let known = 0;
      let since = performance.now();
      await until(
        ms,
        () => {
          const seen = elements.filter(first).length;
          if (seen !== known) [known, since] = [seen, performance.now()];
          return known > 0 && (known === elements.length || performance.now() - since > quiet_ms);
        },
        20,
      );
      return known > 0;
    },

    // Wait until none of these is there.
    async gone({ elements, ms }) {
      return (await until(ms, () => !elements.some(first), 20)) === true;
    },
  };
}
