// How the parts of the composer are put together; its host changed more often than anything else.

import { options, since } from "./options.js";
import { h } from "./ui.js";

const LAYOUTS = { prompt_box: promptBox, input_wrapper: inputWrapper, chunk_editor: chunkEditor };

/** Build the composer's host around its parts: {textarea, media, tools, run}. */
export const composerHost = (parts) => LAYOUTS[options.composerHost](parts);

/** The attributes of the prompt's text area. */
export function textareaAttributes() {
  if (!since("g2")) return { class: "textarea", "aria-label": "Start typing a prompt", placeholder: "Start typing a prompt" };
  const common = { "aria-label": "Enter a prompt", placeholder: "Start typing a prompt, use alt + enter to append" };
  if (!since("g3")) return { class: "textarea", ...common };
  return { class: "cdk-textarea-autosize", cdktextareaautosize: true, formcontrolname: "promptText", ...common };
}

// Until the third generation an element around the text area repeats its text, to give it its height.
const grown = (textarea) => (since("g3") ? textarea : h("ms-autosize-textarea", { "data-value": "" }, textarea));

function promptBox({ textarea, media, tools, run }) {
  const left = h("div", { class: "button-row-left" }, h("ms-add-media-button", {}, media.button), since("g3") && tools);
  return h(
    "ms-prompt-box",
    {},
    h(
      "div",
      { class: "prompt-box-container" },
      media.hidden,
      media.chips,
      h("div", { class: "text-wrapper" }, grown(textarea)),
      h("div", { class: "buttons-row" }, left, run),
    ),
  );
}

function chunkInput({ textarea, media }) {
  const text = h("ms-text-chunk", {}, grown(textarea));
  return h("ms-chunk-input", {}, h("section", { class: "text-and-attachments-wrapper" }, media.chips, text));
}

const buttons = ({ media, run }) => [
  h("div", { class: "button-wrapper" }, h("ms-add-chunk-menu", {}, media.button)),
  h("div", { class: "button-wrapper" }, run),
];

function inputWrapper(parts) {
  const text = h("div", { class: "text-wrapper" }, chunkInput(parts));
  const container = h("div", { class: "prompt-input-wrapper-container" }, parts.media.hidden, text, buttons(parts));
  return h("ms-prompt-input-wrapper", {}, h("div", { class: "prompt-input-wrapper" }, container));
}

function chunkEditor(parts) {
  const row = h("div", { class: "input-row" }, parts.media.hidden, chunkInput(parts), buttons(parts));
  return h("div", { class: "chunk-editor-input" }, row);
}
