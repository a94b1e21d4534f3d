// What the run settings are asked: a part of page.js. An action does all it can in one round trip, waiting for what the
// page does after each thing. Clicks are dispatched, so nothing that lies over a control keeps them from it.
(page) => {
  const { find, first, sleep, until } = page;

  const SETTLE_MS = 60; // how long a value may take to be taken, or put right
  const FRAME_MS = 20;
  const SAVING_MS = 500; // what pages that don't say when something is saved are given
  const FLIP_MS = 1000; // a switch, a list, a chip: the page may animate them

  // By what a tool's item in the menu is known.
  const WORDS = { google_search: /google search/i, url_context: /url context/i, code_execution: /code execution/i };

  const disabled = (node) =>
    node.disabled === true || node.closest('[aria-disabled="true"], .mdc-switch--disabled') !== null;

  // As a script would: what the framework listens to is dispatched, leaving the field included.
  const write = (node, text, events = ["input", "change"]) => {
    const kind = node instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(node, text);
    for (const event of events) node.dispatchEvent(new Event(event, { bubbles: true }));
    if (!events.includes("change")) return;
    node.dispatchEvent(new FocusEvent("blur"));
    node.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  };
  const press = (node, key, code) => {
    for (const event of ["keydown", "keyup"]) {
      node.dispatchEvent(new KeyboardEvent(event, { key, code: key, keyCode: code, bubbles: true, cancelable: true }));
    }
  };

  const text = (node) => (node?.textContent ?? "").trim();
  const alike = (one, other) => one.trim().toLowerCase() === other.trim().toLowerCase();

  // Choose one of the options of a select, by its words.
  const choose = async (trigger, words) => {
    trigger.click();
    await until(FLIP_MS, () => first("option"));
    const option = find("option").find((node) => alike(text(node), words));
    if (option) option.click();
    else first("menu_backdrop")?.click();
    await until(FLIP_MS, () => !first("option"));
    return option !== undefined;
  };

  // For each kind of control: what it shows, and how it is set. `element` names it in selectors.toml.
  const kinds = {
    number: {
      node: ({ element }) => first(element),
      shown: (node) => node.value,
      same: (node, { value }) => node.value.trim() !== "" && Math.abs(Number(node.value) - value) < 1e-9,
      set: async (node, step) => {
        write(node, String(step.value));
        await until(SETTLE_MS, () => same(step));
      },
    },

    switch: {
      node: ({ element }) => first(element),
      shown: (node) => (node.getAttribute("aria-checked") === "true" ? "on" : "off"),
      same: (node, { value }) => (node.getAttribute("aria-checked") === "true") === value,
      set: async (node, step) => {
        node.click();
        await until(FLIP_MS, () => same(step));
      },
    },

    // A tool: a switch in the panel, else a chip in the prompt box while it is on, and an item of a menu there.
    tool: {
      node: ({ element }) => first(element) ?? first(`${element}_chip`),
      shown: (_, { element }) => (isOn(element) ? "on" : "off"),
      same: (_, { element, value }) => isOn(element) === value,
      set: async (node, step) => {
        node.click();
        await until(FLIP_MS, () => same(step));
      },
      come: async (step) => {
        if (!step.value || !first("tools_menu")) return;
        first("tools_menu").click();
        const item = await until(SETTLE_MS, () => find("tools_item").find((each) => WORDS[step.element].test(text(each))));
        item?.click();
        if (item) await until(FLIP_MS, () => same(step));
        first("menu_backdrop")?.click();
      },
    },

    choice: {
      node: ({ element }) => first(element),
      shown: (_, { element }) => text(first(`${element}_value`)),
      same: (_, { element, value }) => alike(text(first(`${element}_value`)), value),
      set: async (node, step) => {
        if (await choose(node, step.value)) await until(SETTLE_MS, () => same(step));
      },
    },

    // Its texts are in the labels of the buttons that remove them; what else a chip shows is cut or has icons.
    chips: {
      node: ({ element }) => first(element),
      shown: (_, step) => (chips(step).length ? `${step.value.filter((chip) => chips(step).includes(chip)).length} of ${step.value.length}` : "none"),
      same: (_, step) => JSON.stringify(chips(step)) === JSON.stringify(step.value),
      set: async (_, step) => {
        for (let left = chips(step).length; left > 0; left--) {
          first(`${step.element}_remove`).click();
          await until(FLIP_MS, () => chips(step).length < left);
        }
        for (const chip of step.value) {
          const [input, held] = [first(step.element), chips(step).length];
          if (!input) return;
          write(input, chip, ["input"]);
          // A field of one line drops line breaks; what is left is another text.
          if (input.value === chip) {
            press(input, "Enter", 13);
            await until(SETTLE_MS, () => chips(step).length > held);
          }
          if (input.value) write(input, "", ["input"]);
        }
        // What the page made of a text, such as one without the spaces around it, would end other answers.
        for (const strange of chips(step).filter((chip) => !step.value.includes(chip))) {
          find(`${step.element}_remove`)[chips(step).indexOf(strange)]?.click();
        }
      },
    },
  };
  const isOn = (element) => {
    const control = first(element);
    return control ? control.getAttribute("aria-checked") === "true" : first(`${element}_chip`) !== null;
  };
  const chips = ({ element }) =>
    find(`${element}_remove`).map((button) => (button.getAttribute("aria-label") ?? "").replace(/^Remove /, ""));
  const same = (step) => {
    const node = kinds[step.kind].node(step);
    return node !== null && kinds[step.kind].same(node, step);
  };
  const reading = (step) => {
    const { node: look, shown } = kinds[step.kind];
    const node = look(step);
    if (!node) return { found: false, enabled: false, same: false, shown: "" };
    return { found: true, enabled: !disabled(node), same: same(step), shown: shown(node, step) };
  };

  const model = () => ({
    id: text(first("model_name")).replace(/^models\//, ""),
    title: text(first("model_title")),
  });
  const isShown = (wanted) => {
    const { id, title } = model();
    return id ? id === wanted.id : wanted.title !== null && alike(title, wanted.title);
  };
  // Until the panel is no longer rendered anew.
  const settled = async () => {
    let before = -1;
    await until(FLIP_MS, () => {
      const now = first("run_settings")?.getElementsByTagName("*").length ?? 0;
      const still = now === before;
      before = now;
      return still;
    }, FRAME_MS);
  };
  const closePanel = async () => {
    first("panel_close")?.click();
    await until(FLIP_MS, () => !first("panel_close"));
  };
  const rowTitle = (row) => text(find("model_row_title").find((title) => row.contains(title)));
  const row = (wanted) =>
    find("model_row").find((node) => node.id === `model-carousel-row-models/${wanted.id}`) ??
    find("model_row").find((node) => wanted.title !== null && alike(rowTitle(node), wanted.title));

  const KEPT = "aistudio_all_system_instructions";
  const PREFERENCES = "aiStudioUserPreference";
  const kept = (key, otherwise) => {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? otherwise;
    } catch {
      return otherwise;
    }
  };

  return {
    // Have the panel and the groups in it rendered; `drawer` tells whether it lies over the page.
    async open({ ms }) {
      if (!first("run_settings")) {
        first("run_settings_toggle")?.click();
        await until(ms, () => first("run_settings"));
      }
      const groups = find("closed_group");
      for (const group of groups) group.click();
      if (groups.length) await until(ms, () => !first("closed_group"));
      return { open: first("run_settings") !== null, drawer: first("run_settings_close") !== null };
    },

    async close({ ms }) {
      first("run_settings_close")?.click();
      return (await until(ms, () => !first("run_settings_close"))) === true;
    },

    // Set what isn't as wanted, in order, then look at it all again: a control may reset another.
    async apply({ steps, ms }) {
      const end = performance.now() + ms;
      for (let round = 0; round < 2; round++) {
        for (const step of steps) {
          if (step.awaited) await until(end - performance.now(), () => kinds[step.kind].node(step));
          const { node: look, set, come } = kinds[step.kind];
          const node = look(step);
          if (!node) await come?.(step);
          else if (!same(step) && !disabled(node)) await set(node, step);
        }
        if (steps.map(reading).every((each) => each.same || !each.enabled)) break;
      }
      return steps.map(reading);
    },

    // Ready a field for keys: focused, all of it selected.
    focus({ element }) {
      const node = first(element);
      node?.focus({ preventScroll: true });
      node?.select();
      return node !== null && document.activeElement === node;
    },

    // Ready a field for one more key.
    caret({ element }) {
      const node = first(element);
      node?.focus({ preventScroll: true });
      node?.setSelectionRange(node.value.length, node.value.length);
      return node !== null && document.activeElement === node;
    },

    // Click what is there and can be used, by its words where several are alike.
    async press({ element, words, ms }) {
      const wanted = () => find(element).find((node) => !disabled(node) && (!words || alike(text(node), words)));
      const node = await until(ms, wanted);
      node?.click();
      return node !== undefined;
    },

    // Write fields, those that there are; the last must hold its text then.
    fill({ fields }) {
      let taken = false;
      for (const [element, value] of Object.entries(fields)) {
        const node = first(element);
        if (node && node.value !== value) write(node, value);
        taken = first(element)?.value === value;
      }
      return taken;
    },

    // Wait until a dialog closes, or says what is wrong.
    async closes({ dialog, error, ms }) {
      const said = () => text(first(error)).slice(0, 200);
      await until(ms, () => !first(dialog) || said());
      return { ok: !first(dialog), complaint: said() || "it does not say why" };
    },

    // Whether the page says that the chat has no system instruction.
    unset() {
      const summary = first("system_summary");
      return summary !== null && /^(optional tone\b|$)/i.test(text(summary));
    },

    // Wait until the system instruction is saved: the page says that it saves, then that it has.
    async saved({ ms }) {
      if (!first("system_status")) return (await sleep(Math.min(ms, SAVING_MS))) === undefined;
      const done = () => /\bsaved\b/i.test(text(first("system_status")));
      await until(SETTLE_MS, () => !done());
      return (await until(ms, done)) === true;
    },

    // Take what the page saved of a system instruction out of the browser.
    forget({ title, text: words }) {
      const all = kept(KEPT, []);
      const ours = all.filter((each) => each?.title === title || (words && each?.text === words));
      if (ours.length) localStorage.setItem(KEPT, JSON.stringify(all.filter((each) => !ours.includes(each))));
      const preferences = kept(PREFERENCES, {});
      const chosen = preferences.selectedSystemInstructionsConfigName;
      if (chosen === title || ours.some((each) => each.title === chosen)) {
        localStorage.setItem(PREFERENCES, JSON.stringify({ ...preferences, selectedSystemInstructionsConfigName: null }));
      }
      return ours.length > 0;
    },

    async model({ wanted, ms }) {
      await until(ms, () => isShown(wanted));
      return { ...model(), same: isShown(wanted) };
    },

    // Choose a model from the picker, which shows a few until it is asked for all; tells its title there.
    async pick({ wanted, ms }) {
      // One that was opened before the page had its models may stay empty.
      const end = performance.now() + ms;
      do {
        first("model_card")?.click();
        await until(FLIP_MS, () => first("model_row"));
        if (!first("model_row")) await closePanel();
      } while (!first("model_row") && performance.now() < end);
      let found = row(wanted);
      if (!found) {
        find("model_category").find((node) => /^all\b/i.test(text(node)))?.click();
        found = await until(SETTLE_MS, () => row(wanted));
      }
      const search = first("model_search");
      if (!found && search) {
        write(search, wanted.id);
        found = await until(SETTLE_MS * 5, () => row(wanted));
      }
      const title = found ? rowTitle(found) : "";
      const outcome = !found ? "absent" : disabled(found) ? "disabled" : "chosen";
      if (outcome === "chosen") {
        found.click();
        await until(ms, () => !first("model_row") && isShown({ ...wanted, title }));
        await settled();
      }
      if (outcome !== "chosen" || first("model_row")) await closePanel();
      return { outcome, title };
    },
  };
}
