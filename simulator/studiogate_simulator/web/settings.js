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
  tools = { structured: false, codeExecution: false, functions: false, search: preferences.enableSearchAsATool !== false, urlContext: false };
  /** What the model may call, as declared: [{name, description, parameters}]. */
  declarations = [];
  /** What a structured answer follows, as a JSON schema; null leaves it to the model. */
  schema = null;
  thinking = { enabled: true, budget: null, level: null };
  /** 1 low, 2 medium, 3 high; null leaves it to the model. */
  mediaResolution = null;

  /** Choose a model; its defaults replace what was set. */
  choose(model) {
    this.model = model;
    this.temperature = model.temperature;
    this.topP = model.topP;
    this.maxOutputTokens = model.outputLimit;
    this.mediaResolution = null;
    const [, , , canTurnOff, offByDefault, level] = model.thinking ?? [];
    const budget = preferences.thinkingBudgetsByModel?.[`models/${model.id}`] ?? null;
    this.thinking = { enabled: !(canTurnOff && offByDefault), budget, level: level ?? null };
    this.#forgetForms();
    savePreferences({ promptModel: `models/${model.id}` });
    this.dispatchEvent(new Event("model"));
  }

  /** Begin a new chat: what its answers were to look like goes, what was preferred stays. */
  renew() {
    this.#forgetForms();
    this.dispatchEvent(new Event("tools"));
  }

  #forgetForms() {
    Object.assign(this.tools, { functions: false, structured: false });
    this.declarations = [];
    this.schema = null;
  }

  /** Switch a tool, unless it is barred. */
  setTool(name, on) {
    if (on && this.isBarred(name)) return;
    this.tools[name] = on;
    if (name === "search") savePreferences({ enableSearchAsATool: on });
    this.dispatchEvent(new Event("tools"));
  }

  /** Whether a tool is on, for a model that has it. */
  isOn(name) {
    return this.tools[name] && this.has(name);
  }

  /** Whether the chosen model has a tool. */
  has(name) {
    return this.can(TOOLS.find((tool) => tool.name === name).capability ?? name);
  }

  /** Whether a tool cannot be switched on beside those that are. */
  isBarred(name) {
    return CONFLICTS.some((pair) => pair.includes(name) && this.isOn(pair.find((other) => other !== name)));
  }

  /** Whether the chosen model can do something. */
  can(capability) {
    return this.model?.capabilities.has(CAPABILITY[capability]) ?? false;
  }
}

/** The tools that have a switch: name in the settings, capability (where its name differs), label, test id of the row. */
export const TOOLS = [
  { name: "structured", capability: "functions", label: "Structured output", test: "structuredOutputTooltip" },
  { name: "codeExecution", label: "Code execution", test: "codeExecutionTooltip" },
  { name: "functions", label: "Function calling", test: "functionCallingTooltip" },
  { name: "search", label: "Grounding with Google Search", test: "searchAsAToolTooltip" },
  { name: "urlContext", label: "Browse the url context", chip: "URL context", test: "browseAsAToolTooltip" },
];

/** Tools that exclude each other: while one is on, the other's switch is disabled. */
const CONFLICTS = [
  ["functions", "search"],
  ["functions", "urlContext"],
  ["functions", "codeExecution"],
  ["functions", "structured"],
  ["structured", "search"],
];
