// The panel to choose a model from: categories, a search field, one row per model.

import { openDialog } from "./overlays.js";
import { h, icon } from "./ui.js";

const FEATURED = 4;
const CATEGORIES = ["Featured", "All"];

/** Open the picker; choosing a model closes it. */
export function openModelPicker(settings) {
  const rows = h("div", { class: "model-rows" });
  const search = h("input", { type: "search", placeholder: "Search for a model or agent", "aria-label": "Search", oninput: () => show() });
  let category = CATEGORIES[0];
  const buttons = CATEGORIES.map((name) =>
    h("button", { "data-test-category-button": true, onclick: () => show(name) }, name),
  );
  const show = (chosen = category) => {
    category = chosen;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.textContent === category));
    const wanted = search.value.trim().toLowerCase();
    const listed = wanted || category === "All" ? settings.models : settings.models.slice(0, FEATURED);
    const found = listed.filter(({ id, title }) => `${id} ${title}`.toLowerCase().includes(wanted));
    rows.replaceChildren(...found.map(row));
  };
  const row = (model) =>
    h(
      "ms-model-carousel-row",
      {},
      h(
        "button",
        {
          class: "content-button",
          id: `model-carousel-row-models/${model.id}`,
          "aria-disabled": String(!model.chats),
          onclick: () => {
            if (!model.chats) return;
            overlay.close();
            settings.choose(model);
          },
        },
        h("span", { class: "model-title-text" }, model.title),
        h("span", { class: "model-subtitle" }, model.description),
      ),
    );
  const close = h(
    "button",
    { "data-test-close-button": true, "aria-label": "Close panel", onclick: () => overlay.close() },
    icon("close"),
  );
  const overlay = openDialog(
    h("div", { "data-test-id": "model-carousel-in-selector" }, h("h2", {}, "Model selection"), close, search, h("div", { class: "categories" }, buttons), rows),
    { sliding: true },
  );
  show();
}
