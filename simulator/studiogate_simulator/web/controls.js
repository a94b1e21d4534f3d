// The form controls of the run settings, with the structure that the component kit gives them.

import { since } from "./options.js";
import { openMenu } from "./overlays.js";
import { h, icon } from "./ui.js";

const clamp = (value, min, max) => Math.min(max, Math.max(min, value));

function bindNumber(input, { min, max, step, get, set }, onShown = () => {}) {
  const show = () => {
    input.value = String(get());
    onShown();
  };
  const read = () => (input.value.trim() === "" ? Number.NaN : Number(input.value));
  input.addEventListener("input", () => {
    if (read() >= min && read() <= max) set(read());
    onShown();
  });
  // Out-of-range and odd values are put right when the field is left.
  input.addEventListener("change", () => {
    if (!Number.isNaN(read())) set(clamp(Number((Math.round(read() / step) * step).toFixed(6)), min, max));
    show();
  });
  show();
  return show;
}

/** Build a slider with its number field. `bound` is {min, max, step, get, set}. */
export function slider(label, bound) {
  const { min, max, step } = bound;
  const range = h("input", { type: "range", min, max, step, "aria-label": label });
  const number = h("input", {
    type: "number",
    class: since("g2") ? "slider-number-input" : "slider-input",
    role: "spinbutton",
    min,
    max,
    step,
    "aria-valuemin": min,
    "aria-valuemax": max,
  });
  const show = bindNumber(number, bound, () => {
    range.value = String(bound.get());
  });
  range.addEventListener("input", () => {
    bound.set(Number(range.value));
    show();
  });
  return h("ms-slider", {}, h("div", { class: "slider-row" }, range, number));
}

/** Build a plain number field. */
export function numberField(attributes, bound) {
  const input = h("input", { type: "number", min: bound.min, max: bound.max, step: bound.step, ...attributes });
  bindNumber(input, bound);
  return input;
}

/** Build a switch; `onToggle` gets the new state. */
export function toggle(label, checked, onToggle, { disabled = false, test = null } = {}) {
  const button = h("button", { type: "button", role: "switch", "aria-label": label, disabled });
  const host = h(
    "mat-slide-toggle",
    { "data-test-toggle": test },
    h("div", { class: "mat-internal-form-field" }, button, h("label", {})),
  );
  const show = () => {
    host.className = `mat-mdc-slide-toggle${checked ? " mat-mdc-slide-toggle-checked" : ""}`;
    button.className = `mdc-switch mdc-switch--${checked ? "selected mdc-switch--checked" : "unselected"}${disabled ? " mdc-switch--disabled" : ""}`;
    button.setAttribute("aria-checked", String(checked));
  };
  button.addEventListener("click", () => {
    checked = !checked;
    show();
    onToggle(checked);
  });
  show();
  return host;
}

/** Build a select whose options open in an overlay: [{value, label}]. */
export function select(label, options, { get, set }) {
  const value = h("span", { class: "mat-mdc-select-min-line" });
  const host = h(
    "mat-select",
    { class: "mat-mdc-select", role: "combobox", "aria-label": label, "aria-haspopup": "listbox", "aria-expanded": "false", tabindex: "0" },
    h("span", { class: "mat-mdc-select-value-text" }, value),
    icon("arrow_drop_down"),
  );
  const show = () => {
    value.textContent = options.find((option) => option.value === get())?.label ?? "";
  };
  host.addEventListener("click", () => {
    const items = options.map((option) =>
      h(
        "mat-option",
        {
          role: "option",
          "aria-selected": String(option.value === get()),
          onclick: () => {
            set(option.value);
            show();
            menu.close();
          },
        },
        h("span", { class: "mdc-list-item__primary-text" }, option.label),
      ),
    );
    const menu = openMenu(host, items, { role: "listbox", label });
  });
  show();
  return host;
}

/** Build the chip field for stop sequences; Enter adds one. */
export function chipField(values, onChanged) {
  const chips = h("div", { class: "mdc-evolution-chip-set__chips" });
  const input = h("input", { "aria-label": "Add stop token", placeholder: "Add stop..." });
  const show = () => {
    chips.replaceChildren(...values.map(chip));
    onChanged(values);
  };
  const chip = (text, index) =>
    h(
      "mat-chip-row",
      { class: "mat-mdc-chip", role: "row" },
      h("span", { class: "mdc-evolution-chip__text-label" }, text),
      h(
        "button",
        {
          class: "remove-button",
          "aria-label": `Remove ${text}`,
          onclick: () => {
            values = values.filter((_, at) => at !== index);
            show();
          },
        },
        icon("close"),
      ),
    );
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || input.value === "") return;
    event.preventDefault();
    values = [...values, input.value];
    input.value = "";
    show();
  });
  show();
  return h("mat-chip-grid", { "aria-label": "End Tokens", role: "grid" }, chips, input);
}
