// The system instructions: a sliding panel that saves by itself into the chosen preset.

import { select } from "./controls.js";
import { options } from "./options.js";
import { openDialog } from "./overlays.js";
import { preferences, savePreferences } from "./preferences.js";
import { h, icon } from "./ui.js";

const KEY = "aistudio_all_system_instructions";
const NEW = "Create new instruction";

function readPresets() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}

/** The text of the preset that was chosen last. */
export function chosenInstructions() {
  return readPresets().find(({ title }) => title === preferences.selectedSystemInstructionsConfigName)?.text ?? "";
}

/** Open the panel; `onClosed` runs when it is gone. */
export function openSystemInstructions(settings, onClosed) {
  let presets = readPresets();
  let current = presets.find(({ title }) => title === preferences.selectedSystemInstructionsConfigName) ?? null;
  let saving = null;
  const title = h("input", { placeholder: "Title", "aria-label": "Title", oninput: () => changed() });
  const text = h("textarea", {
    class: "in-run-settings",
    "aria-label": "System instructions",
    placeholder: "Optional tone and style instructions for the model",
    oninput: () => changed(),
  });
  const status = h("span", { class: "saving-status" });

  const changed = () => {
    settings.system = text.value;
    status.textContent = "Saving…";
    clearTimeout(saving);
    saving = setTimeout(save, options.saveMs);
  };
  const save = () => {
    clearTimeout(saving);
    saving = null;
    const name = title.value || text.value.slice(0, 30) || "Untitled instruction";
    const saved = { title: name, text: text.value };
    presets = text.value || current ? [saved, ...presets.filter((preset) => preset !== current && preset.title !== name)] : presets;
    current = presets.includes(saved) ? saved : null;
    localStorage.setItem(KEY, JSON.stringify(presets));
    savePreferences({ selectedSystemInstructionsConfigName: current?.title ?? null });
    status.textContent = "Saved";
  };
  const choose = (preset) => {
    current = preset;
    title.value = preset?.title ?? "";
    text.value = preset?.text ?? "";
    settings.system = text.value;
    savePreferences({ selectedSystemInstructionsConfigName: preset?.title ?? null });
  };
  const choices = [{ value: null, label: NEW }, ...presets.map((preset) => ({ value: preset, label: preset.title }))];
  const close = h(
    "button",
    { "data-test-close-button": true, "aria-label": "Close panel", onclick: () => overlay.close() },
    icon("close"),
  );
  const overlay = openDialog(
    h(
      "ms-system-instructions",
      {},
      h("h2", {}, "System instructions"),
      close,
      select("System instructions preset", choices, { get: () => current, set: choose }),
      h("div", { class: "title-row" }, title, status),
      text,
    ),
    {
      sliding: true,
      onClosed: () => {
        if (saving !== null) save();
        onClosed();
      },
    },
  );
  title.value = current?.title ?? "";
  text.value = settings.system;
}
