// The run settings panel. On narrow windows it is a drawer, and while that is closed nothing of it is in the document.

import { chipField, numberField, select, slider, toggle } from "./controls.js";
import { editDeclarations, editSchema } from "./declarations.js";
import { modelCard } from "./model_card.js";
import { openModelPicker } from "./model_picker.js";
import { options, since } from "./options.js";
import { preferences, savePreferences } from "./preferences.js";
import { TOOLS } from "./settings.js";
import { openSystemInstructions } from "./system_instructions.js";
import { h, icon } from "./ui.js";

const WIDE = matchMedia("(min-width: 960px)");
const LEVEL_NAMES = { 1: "Low", 2: "Medium", 3: "High", 4: "Minimal" };
const RESOLUTIONS = [
  { value: null, label: "Default" },
  { value: 1, label: "Low" },
  { value: 2, label: "Medium" },
  { value: 3, label: "High" },
];

export class SettingsPanel {
  element = h("ms-right-side-panel");
  #settings;
  #drawerOpen = false;

  constructor(settings) {
    this.#settings = settings;
    settings.addEventListener("model", () => this.#show());
    settings.addEventListener("tools", () => this.#show());
    WIDE.addEventListener("change", () => this.#show());
    this.#show();
  }

  /** Open or close the drawer of narrow windows. */
  toggleDrawer() {
    this.#drawerOpen = !this.#drawerOpen;
    this.#show();
  }

  #show() {
    this.element.classList.toggle("drawer", !WIDE.matches);
    if (!WIDE.matches && !this.#drawerOpen) this.element.replaceChildren();
    else this.element.replaceChildren(h("div", { class: "content-container" }, this.#panel()));
  }

  #panel() {
    const header = h(
      "div",
      { class: "overlay-header" },
      h("h2", {}, "Run settings"),
      h("button", { id: "resetSettingsBtn", "aria-label": "Reset default settings", onclick: () => this.#reset() }, icon("restart_alt")),
      !WIDE.matches &&
        h("button", { "aria-label": "Close run settings panel", iconname: "close", onclick: () => this.toggleDrawer() }, icon("close")),
    );
    const body = h("ms-prompt-run-settings-switcher", {}, h("ms-prompt-run-settings", {}, this.#items()));
    const scrolled = h("div", { class: "settings-items-wrapper" }, h("div", { class: "scrollable-area" }, body));
    return h("ms-run-settings", { class: "expanded" }, header, scrolled);
  }

  #reset() {
    if (this.#settings.model) this.#settings.choose(this.#settings.model);
  }

  #items() {
    const settings = this.#settings;
    const items = [modelCard(settings.model, () => openModelPicker(settings)), this.#system()];
    if (!settings.model) return items;
    if (settings.temperature !== null) items.push(this.#temperature());
    if (settings.can("mediaResolution")) items.push(this.#mediaResolution());
    items.push(...this.#thinking(), ...this.#group("Tools", "tools", "areToolsOpen", () => this.#tools()));
    items.push(...this.#group("Advanced settings", "advanced settings", "isAdvancedOpen", () => this.#advanced()));
    return items;
  }

  #system() {
    const { system } = this.#settings;
    const card = h(
      "button",
      {
        class: "system-instructions-card",
        "data-test-system-instructions-card": true,
        "aria-label": "System instructions",
        onclick: () => openSystemInstructions(this.#settings, () => this.#show()),
      },
      h("span", { class: "title" }, "System instructions"),
      h("span", { class: "subtitle" }, system || "Optional tone and style instructions for the model"),
    );
    return h("ms-system-instructions-panel", {}, card);
  }

  #temperature() {
    const settings = this.#settings;
    const bound = { min: 0, max: 2, step: 0.05, get: () => settings.temperature, set: (value) => (settings.temperature = value) };
    return item("Temperature", slider("Temperature", bound), since("g2") ? { "data-test-id": "temperatureSliderContainer" } : {});
  }

  #mediaResolution() {
    const settings = this.#settings;
    const bound = { get: () => settings.mediaResolution, set: (value) => (settings.mediaResolution = value) };
    return item("Media resolution", select("Media Resolution", RESOLUTIONS, bound));
  }

  #thinking() {
    const { thinking, model } = this.#settings;
    if (this.#settings.can("thinkingLevel")) {
      const levels = (model.thinking?.[6] ?? []).map((value) => ({ value, label: LEVEL_NAMES[value] }));
      const bound = { get: () => thinking.level, set: (level) => (thinking.level = level) };
      return [h("ms-thinking-level-setting", {}, item("Thinking level", select(options.thinkingLabel, levels, bound)))];
    }
    return this.#settings.can("thinkingBudget") ? this.#budget() : [];
  }

  #budget() {
    const { thinking, model } = this.#settings;
    const [start, max, min, canTurnOff] = model.thinking;
    const set = (changes) => {
      Object.assign(thinking, changes);
      remember(model, thinking.budget);
      this.#show();
    };
    const items = [];
    if (canTurnOff) {
      const mode = toggle("Toggle thinking mode", thinking.enabled, (enabled) => set({ enabled }), { test: "enable-thinking" });
      items.push(item("Thinking mode", mode));
    }
    if (!thinking.enabled) return items;
    const label = "Toggle thinking budget between auto and manual";
    const manual = toggle(label, thinking.budget !== null, (on) => set({ budget: on ? start : null }), { test: "manual-budget" });
    items.push(item("Set thinking budget", manual));
    if (thinking.budget === null) return items;
    const bound = { min, max, step: 1, get: () => thinking.budget, set: (budget) => remember(model, (thinking.budget = budget)) };
    const field = slider("Thinking budget", bound);
    field.setAttribute("data-test-slider", "");
    const wrapper = since("g2") ? { "data-test-id": "user-setting-budget-animation-wrapper" } : {};
    return [...items, h("div", wrapper, field)];
  }

  #group(title, name, preference, children) {
    const open = Boolean(preferences[preference]);
    const flip = () => {
      savePreferences({ [preference]: !open });
      this.#show();
    };
    const button = h("button", { "aria-label": `Expand or collapse ${name}`, "aria-expanded": String(open), onclick: flip }, icon("expand_more"));
    const header = h(
      "div",
      { class: `settings-item settings-group-header${open ? " expanded" : ""}` },
      h("div", { class: "group-header-row" }, h("p", { class: "group-title" }, title), h("div", {}, button)),
    );
    return open ? [header, ...children()] : [header];
  }

  #tools() {
    const settings = this.#settings;
    return TOOLS.filter(({ name }) => settings.has(name)).map(({ name, label, test }) => {
      const disabled = settings.isBarred(name);
      const control = toggle(label, settings.tools[name], (on) => settings.setTool(name, on), { disabled });
      return item(label, [control, ...this.#edit(name)], { "data-test-id": test });
    });
  }

  #edit(name) {
    const editors = {
      functions: ["edit-function-declarations-button", "Edit function declarations", editDeclarations],
      structured: ["edit-schema-button", "Edit JSON schema", editSchema],
    };
    if (!(name in editors)) return [];
    const [className, label, open] = editors[name];
    const off = !this.#settings.tools[name];
    const attributes = { class: className, "aria-label": label, disabled: off, "aria-disabled": String(off) };
    return [h("button", { ...attributes, onclick: () => open(this.#settings) }, "Edit")];
  }

  #advanced() {
    const settings = this.#settings;
    const items = [];
    items.push(item("Add stop sequence", chipField(settings.stops, (stops) => (settings.stops = stops))));
    const tokens = {
      min: 1,
      max: settings.model.outputLimit,
      step: 1,
      get: () => settings.maxOutputTokens,
      set: (value) => (settings.maxOutputTokens = value),
    };
    const attributes = { "aria-label": "Maximum output tokens", name: "maxOutputTokens" };
    items.push(item("Output length", numberField(attributes, tokens)));
    if (settings.topP !== null) {
      const bound = { min: 0, max: 1, step: 0.01, get: () => settings.topP, set: (value) => (settings.topP = value) };
      items.push(item("Top P", slider("Top P", bound), { mattooltip: "Probability threshold for top-p sampling" }));
    }
    return items;
  }
}

// A budget that was chosen is the model's next time too.
function remember(model, budget) {
  savePreferences({ thinkingBudgetsByModel: { ...preferences.thinkingBudgetsByModel, [`models/${model.id}`]: budget } });
}

function item(title, control, attributes = {}) {
  return h("div", { class: "settings-item settings-item-column", ...attributes }, h("h3", {}, title), control);
}
