// What the next request will be made with. Choosing a model resets what depends on it.

import { CAPABILITY } from "./models.js";
import { preferences, savePreferences } from "./preferences.js";

export class Settings extends EventTarget {
  models = [];
  model = null;
  temperature = null;
  topP = null;
  maxOutputTokens = null;
  stops = [];
  system = "";
  tools = { search: preferences.enableSearchAsATool !== false, codeExecution: false, urlContext: false };
  thinking = { enabled: true, budget: null, level: null };

  /** Choose a model; its defaults replace what was set. */
  choose(model) {
    this.model = model;
    this.temperature = model.temperature;
    this.topP = model.topP;
    this.maxOutputTokens = model.outputLimit;
    const [, , , canTurnOff, offByDefault, level] = model.thinking ?? [];
    const budget = preferences.thinkingBudgetsByModel?.[`models/${model.id}`] ?? null;
    this.thinking = { enabled: !(canTurnOff && offByDefault), budget, level: level ?? null };
    savePreferences({ promptModel: `models/${model.id}` });
    this.dispatchEvent(new Event("model"));
  }

  /** Switch a tool. */
  setTool(name, on) {
    this.tools[name] = on;
    if (name === "search") savePreferences({ enableSearchAsATool: on });
    this.dispatchEvent(new Event("tools"));
  }

  /** Whether the chosen model can do something. */
  can(capability) {
    return this.model?.capabilities.has(CAPABILITY[capability]) ?? false;
  }
}

/** The tools that have a switch: name in the settings, capability, label, test id of the row. */
export const TOOLS = [
  { name: "codeExecution", label: "Code execution", test: "codeExecutionTooltip" },
  { name: "search", label: "Grounding with Google Search", test: "searchAsAToolTooltip" },
  { name: "urlContext", label: "Browse the url context", chip: "URL context", test: "browseAsAToolTooltip" },
];
