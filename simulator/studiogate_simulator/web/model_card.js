// The card that tells the model and opens the picker. Until August 2026 it showed the model's id; since then it shows
// its title alone, beside a badge of an agent that is not the chat's model.

import { options, since } from "./options.js";
import { h } from "./ui.js";

const LOADING = "Loading models";
const AGENT = "Antigravity Preview";

/** Build the card of a model, which may not be known yet. */
export function modelCard(model, onOpen) {
  const title = h("span", { class: "title" }, model?.title ?? LOADING);
  const host = since("g2") ? "ms-model-selector" : "ms-model-selector-v3";
  if (options.modelCard === "id") {
    const id = h("span", { class: "subtitle", "data-test-id": "model-name" }, model?.id ?? "");
    return h(host, {}, h("button", { class: "model-selector-card", onclick: onOpen }, title, id));
  }
  const trigger = h(
    "button",
    { class: "model-selector-trigger", "aria-label": "Select primary model", onclick: onOpen },
    title,
    h("span", { class: "subtitle" }, model?.description ?? ""),
  );
  const badge = h("span", { class: "agent-badge", "data-test-id": "agent-model-badge" }, AGENT);
  return h(host, {}, h("div", { class: "model-selector-card" }, trigger, badge));
}
