// The account's preferences. They are read once, when the page starts, and written back as a whole:
// someone who edits them from outside has to reload.

import { options } from "./options.js";

const KEY = "aiStudioUserPreference";
const DEFAULTS = {
  isAdvancedOpen: false,
  areToolsOpen: true,
  isSafetySettingsOpen: false,
  isSystemInstructionsOpen: false,
  isNavbarExpanded: true,
  autosaveEnabled: true,
  enableSearchAsATool: true,
  enterKeyBehavior: 1,
  theme: "system",
  thinkingBudgetsByModel: {},
  rawModeEnabled: false,
};
const CTRL_ENTER = 2;

function read() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

export const preferences = read();

/** Whether the account's owner has agreed, in this page or another. */
export const acknowledgedCopyright = () => read().fileCopyrightAcknowledged === true;

/** Change preferences and store them. */
export function savePreferences(changes = {}) {
  Object.assign(preferences, acknowledgedCopyright() ? { fileCopyrightAcknowledged: true } : {}, changes);
  localStorage.setItem(KEY, JSON.stringify(preferences));
}

/** Whether only Ctrl+Enter submits, and Enter starts a new line. */
export const ctrlEnterSubmits = () => options.enter === "ctrl" || preferences.enterKeyBehavior === CTRL_ENTER;
