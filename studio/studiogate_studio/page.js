// What the page object asks of the page, one round trip each. Evaluated as a function of the selectors, one call and,
// for actions that are not here, a part: a function of `page`, below, that returns actions of its own.
// The page enforces Trusted Types: nothing here may assign innerHTML.
(selectors, call, part) => {
  const chosen = {};

  const visible = (node) =>
    node.checkVisibility({ visibilityProperty: true, opacityProperty: false }) && node.getClientRects().length > 0;

  // All visible nodes of the first candidate that has any; below a node, and with `hidden` whether visible or not.
  const find = (element, { root = document, hidden = false } = {}) => {
    for (const [index, selector] of selectors[element].entries()) {
      let nodes;
      try {
        nodes = [...root.querySelectorAll(selector)].filter((node) => hidden || visible(node));
      } catch {
        continue; // an operator's selector that is no CSS; reported by `elements.js`
      }
      if (nodes.length) {
        chosen[element] = index;
        return nodes;
      }
    }
    return [];
  };
  const first = (element) => find(element)[0] ?? null;

  // The last one: an earlier visible one may be a bubble in edit mode.
  const composer = () => find("composer").at(-1) ?? null;

  const runState = (box) => {
    const button = first("run_button");
    if (!button) return "absent";
    const label = (first("run_label") ?? button).textContent.trim();
    const stops = /^stop\b/i.test(label) || /\bprogress_activity\b/.test(button.textContent) || first("stop_mark");
    if (stops) return "generating";
    const disabled =
      button.disabled || button.getAttribute("aria-disabled") === "true" || button.classList.contains("disabled");
    if (!disabled) return "ready";
    return box && box.value.trim() ? "blocked" : "empty";
  };

  const filled = (bubble) =>
    [...bubble.classList].some((name) => name.endsWith("-chunk-host")) || bubble.querySelector("ms-prompt-chunk, ms-text-chunk");
  const bubbles = () => find("bubble").filter(filled).map((bubble) => bubble.id);

  const said = (element) =>
    find(element)
      .filter((node) => element === "bubble_error" || !node.closest(".turn-content"))
      .map((node) => node.innerText.trim())
      .find((text) => text && !/\bsaved\b/i.test(text)) ?? null;
  const saidBy = (elements) => elements.map(said).find(Boolean)?.slice(0, 500) ?? null;
  const errorText = () => saidBy(["toast", "snackbar", "callout", "bubble_error", "banner_error"]);

  const files = () => find("media").length;
  // Of a menu's items the one that uploads; the candidates may find them all.
  const uploadItem = () => find("upload_item").find((item) => /\bupload\b/i.test(item.textContent)) ?? null;

  const closers = ["preference_vote", "welcome", "autosave_dialog", "announcement", "cookie_bar", "menu_backdrop"];
  const overlays = () => [...closers, "survey"].filter(first);

  // Past whatever a framework has put over the property of one node.
  const setValue = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const until = async (ms, test, pause = 4) => {
    const end = performance.now() + ms;
    for (;;) {
      const result = test();
      if (result || performance.now() > end) return result;
      await sleep(pause);
    }
  };

  // What parts build on.
  const page = { bubbles, chosen, composer, errorText, find, first, runState, said, saidBy, selectors, sleep, until, visible };

  const actions = {
    look() {
      const box = composer();
      return {
        url: location.href,
        title: document.title,
        language: document.documentElement.lang,
        composer: box !== null,
        run: runState(box),
        temporary: first("temporary_indicator") !== null,
        bubbles: bubbles(),
        overlays: overlays(),
        terms: first("terms_dialog") !== null,
      };
    },

    // Ready the composer for the last character of a text: focused, holding what goes before it, the caret at the end.
    aim({ before }) {
      const found = overlays();
      const box = composer();
      const run = runState(box);
      if (!box || found.length || run === "generating") return { composer: box !== null, run, overlays: found };
      box.focus({ preventScroll: true });
      setValue.call(box, before);
      box.setSelectionRange(box.value.length, box.value.length);
      return { composer: document.activeElement === box, run, overlays: found };
    },

    // Write as a script would: what the framework listens to is dispatched, but not trusted.
    write({ text }) {
      const box = composer();
      if (!box) return false;
      box.focus({ preventScroll: true });
      setValue.call(box, text);
      for (const kind of ["input", "change"]) box.dispatchEvent(new Event(kind, { bubbles: true }));
      return true;
    },

    caret_to_end() {
      const box = composer();
      if (!box) return false;
      box.focus({ preventScroll: true });
      box.setSelectionRange(box.value.length, box.value.length);
      return true;
    },

    // Wait until the composer holds exactly the text and Run can be pressed.
    async typed({ text, ms, misread_ms }) {
      const start = performance.now();
      let same = false;
      let run = "absent";
      await until(ms, () => {
        const box = composer();
        same = box !== null && box.value.length === text.length && box.value === text;
        run = runState(box);
        return (same && run === "ready") || (!same && performance.now() > start + misread_ms);
      });
      composer()?.focus({ preventScroll: true });
      return { same, run, bubbles: bubbles(), files: files(), error: errorText() };
    },

    // Wait until the page shows that it took the prompt. An emptied composer is no proof.
    async sent({ known, ms }) {
      let proof = null;
      await until(ms, () => {
        const box = composer();
        if (runState(box) === "generating") proof = "generating";
        else if (bubbles().some((id) => !known.includes(id))) proof = "bubble";
        return proof;
      });
      const box = composer();
      return { proof, text_length: box ? box.value.length : 0, files: files(), run: runState(box), error: errorText() };
    },

    // Wait until the composer shows so many files, or has so many ready and none under way; or until that is no more to
    // be waited for: consent is asked, something is said to have failed, or nothing has happened for a while.
    async uploads({ wanted, all_ready, known, ms, quiet_ms }) {
      let quiet = performance.now();
      let state;
      const settled = () => {
        const shown = files();
        const ready = find("media_ready").length;
        const busy = first("media_busy") !== null;
        const done = all_ready ? ready >= wanted && ready >= shown && !busy : shown >= wanted;
        const consent = first("copyright_dialog") !== null;
        const failed = find("media").findIndex((file) => find("media_error").some((error) => file.contains(error)));
        state = { shown, ready, busy, consent, failed, error: saidBy(["media_error"]), said: saidBy(["toast", "snackbar"]), done };
        if (done || consent || state.error) return true;
        // While files are under way, a toast may be about anything.
        if (state.said && state.said !== known && !(all_ready && busy)) return true;
        if (busy || ready < shown) quiet = performance.now();
        return performance.now() - quiet > quiet_ms;
      };
      await until(ms, settled, 20);
      return state;
    },

    // Tell which candidate finds an element, visible or not; -1 if none does.
    present({ element }) {
      return selectors[element].findIndex((selector) => document.querySelector(selector) !== null);
    },

    // Wait until nothing is generated.
    async stopped({ ms }) {
      return (await until(ms, () => runState(composer()) !== "generating")) === true;
    },

    click({ element }) {
      const node = { composer, upload_item: uploadItem }[element]?.() ?? first(element);
      node?.click();
      return node !== null;
    },

    async temporary({ ms }) {
      return (await until(ms, () => first("temporary_indicator") !== null)) === true;
    },

    async shown({ element, ms }) {
      return (await until(ms, () => first(element) !== null)) === true;
    },

    async hidden({ element, ms }) {
      return (await until(ms, () => first(element) === null)) === true;
    },

    // Close what is known to be safe to close, and nothing else.
    dismiss() {
      const closed = overlays();
      for (const node of find("survey")) node.remove();
      for (const element of closers) if (closed.includes(element)) first(element)?.click();
      return closed;
    },
  };

  return Promise.resolve((part ? part(page) : actions)[call.action](call)).then((result) => ({ result, chosen }));
}
