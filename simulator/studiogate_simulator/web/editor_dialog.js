// The dialogs where JSON is edited: function declarations and the schema of structured answers.
// Both have a code and a visual editor; what does not hold keeps the dialog open, with an error.

import { since } from "./options.js";
import { openDialog } from "./overlays.js";
import { h, icon, setAttributes } from "./ui.js";

const TABS = ["Code Editor", "Visual Editor"];

/**
 * Open an editor. `form` is {host, title, noun, placeholder, value, blank, check, visual, save}: `value` is what is
 * edited, `blank` what Reset leaves, `check` tells what is wrong with a value, `visual(value, onEdited)` builds the
 * visual editor, `save` gets the value that was accepted.
 */
export function openEditor(form) {
  const write = (value) => (value === form.blank || value === null ? "" : JSON.stringify(value, null, 2));
  let saved = write(form.value);
  let tab = TABS[0];
  const text = h("textarea", {
    "aria-label": `${form.title} editor`,
    placeholder: form.placeholder,
    spellcheck: "false",
    oninput: () => changed(),
    onkeydown: (event) => indent(event, text),
  });
  text.value = saved;
  const error = h("mat-error", { class: "editor-error", role: "alert", hidden: true });
  const body = h("div", { class: "tab-body" });
  const buttons = TABS.map((name) => h(since("g2") ? "button" : "div", { role: "tab", tabindex: "0", onclick: () => show(name) }, name));

  const parse = () => (text.value.trim() ? JSON.parse(text.value) : form.blank);
  const problem = () => {
    try {
      const value = parse();
      return value === form.blank ? null : form.check(value);
    } catch {
      return "Invalid JSON.";
    }
  };
  const complain = (words) => {
    error.textContent = words ?? "";
    error.hidden = words === null;
  };
  const changed = () => {
    complain(null);
    const same = text.value === saved;
    setAttributes(save, { disabled: same, "aria-disabled": String(same) });
  };
  const show = (name) => {
    const wrong = name === TABS[1] ? problem() : null;
    complain(wrong);
    if (wrong) return;
    tab = name;
    for (const button of buttons) setAttributes(button, { "aria-selected": String(button.textContent === tab) });
    body.replaceChildren(tab === TABS[0] ? h("ms-text-editor", {}, text) : visual());
  };
  const visual = () =>
    form.visual(parse(), (value) => {
      text.value = write(value);
      changed();
    });
  const store = () => {
    const wrong = problem();
    complain(wrong);
    if (wrong) return;
    form.save(parse());
    overlay.close();
  };
  const reset = () => {
    text.value = "";
    changed();
    show(tab);
  };
  const save = h("button", { class: "ms-button-primary", "aria-label": `Save the current ${form.noun}`, onclick: store }, "Save");
  const close = h("button", { "aria-label": "close", onclick: () => overlay.close() }, icon("close"));
  const overlay = openDialog(
    h(
      form.host,
      {},
      h("h2", { class: "mat-mdc-dialog-title" }, form.title, close),
      h("mat-dialog-content", {}, h("ms-tab-group", {}, h("div", { role: "tablist" }, buttons)), body, error),
      h("mat-dialog-actions", {}, h("button", { "aria-label": `Reset the ${form.noun}`, onclick: reset }, "Reset"), save),
    ),
  );
  changed();
  show(tab);
}

// In a code editor the tab key indents.
function indent(event, text) {
  if (event.key !== "Tab" || event.shiftKey) return;
  event.preventDefault();
  text.setRangeText("  ", text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input"));
}
