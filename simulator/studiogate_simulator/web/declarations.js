// What each of the two JSON editors edits.

import { openEditor } from "./editor_dialog.js";
import { declarationsProblem, schemaProblem } from "./schema.js";
import { h, icon } from "./ui.js";

const HELP = "Press Tab to indent, Escape to leave.";

/** Edit what the model may call. */
export function editDeclarations(settings) {
  openEditor({
    host: "ms-edit-function-declarations-dialog",
    title: "Function declarations",
    noun: "function declarations",
    placeholder: `A JSON array of function declarations. ${HELP}`,
    value: settings.declarations.length ? settings.declarations : null,
    blank: null,
    check: declarationsProblem,
    visual: (value, onEdited) => rowsEditor(value ?? [], onEdited),
    save: (value) => (settings.declarations = value ?? []),
  });
}

/** Edit what a structured answer follows. */
export function editSchema(settings) {
  openEditor({
    host: "ms-edit-json-schema-dialog",
    title: "Structured output",
    noun: "schema",
    placeholder: `A JSON schema. ${HELP}`,
    value: settings.schema,
    blank: null,
    check: schemaProblem,
    visual: (value, onEdited) => propertiesEditor(value ?? { type: "object", properties: {} }, onEdited),
    save: (value) => (settings.schema = value),
  });
}

function rowsEditor(rows, onEdited) {
  const list = h("div", { class: "visual-editor" });
  const edited = () => onEdited(rows.length ? rows : null);
  const show = () => list.replaceChildren(...rows.map(row), add);
  const row = (entry) =>
    h(
      "div",
      { class: "visual-row" },
      field("Function name", entry.name ?? "", (name) => {
        entry.name = name;
        edited();
      }),
      field("Function description", entry.description ?? "", (description) => {
        entry.description = description;
        edited();
      }),
      remove(`Remove ${entry.name}`, () => {
        rows = rows.filter((kept) => kept !== entry);
        edited();
        show();
      }),
    );
  const add = h(
    "button",
    {
      onclick: () => {
        rows = [...rows, { name: "", description: "" }];
        show();
      },
    },
    "Add function",
  );
  show();
  return list;
}

function propertiesEditor(schema, onEdited) {
  const list = h("div", { class: "visual-editor" });
  const replace = (entries) => {
    schema = { ...schema, properties: Object.fromEntries(entries) };
    onEdited(schema);
  };
  const entries = () => Object.entries(schema.properties ?? {});
  const show = () => list.replaceChildren(...entries().map(row), add);
  const row = ([name, child]) =>
    h(
      "div",
      { class: "visual-row" },
      h("span", { class: "property-name" }, name),
      h("span", { class: "property-type" }, String(child.type)),
      remove(`Remove ${name}`, () => {
        replace(entries().filter(([kept]) => kept !== name));
        show();
      }),
    );
  const name = field("Property name", "", () => {});
  const add = h(
    "div",
    { class: "visual-row" },
    name,
    h(
      "button",
      {
        onclick: () => {
          if (!name.value) return;
          replace([...entries(), [name.value, { type: "string" }]]);
          name.value = "";
          show();
        },
      },
      "Add property",
    ),
  );
  show();
  return list;
}

const field = (label, value, onInput) => {
  const input = h("input", { "aria-label": label, placeholder: label, oninput: () => onInput(input.value) });
  input.value = value;
  return input;
};

const remove = (label, onclick) => h("button", { "aria-label": label, onclick }, icon("delete"));
