// What stands in the prompt box for a file, and the button that files come by; both had other names in each generation.

import { since } from "./options.js";
import { h, icon, setAttributes } from "./ui.js";

/** The class of the row that the chips stand in. */
export const mediaRowClass = () => (since("g3") ? "prompt-media-row" : "multi-media-row");

/** The attributes of the button that opens the menu of files. */
export function triggerAttributes() {
  if (!since("g2")) return { "data-test-add-chunk-menu-button": true, "aria-label": "Insert assets such as images, videos, files, or audio" };
  const label = { "aria-label": "Insert images, videos, audio, or files" };
  return since("g3") ? { "data-test-id": "add-media-button", ...label } : label;
}

/** Build the chip of an upload: its element, and show() for when the upload has changed. */
export function mediaChip(upload, onRemove) {
  const element = h(hostOf(upload));
  const label = since("g3") ? "Remove media" : `Remove ${upload.name}`;
  const remove = h("button", { "aria-label": label, onclick: onRemove }, icon("close"));
  const content = contentOf(upload);
  const show = () => {
    const busy = upload.state === "uploading" || upload.state === "counting";
    setAttributes(element, { "aria-busy": busy ? "true" : null });
    // The first generation shows nothing of a file before it is there.
    const shown = since("g2") || upload.state === "ready" ? content : [];
    element.replaceChildren(...shown, ...progressOf(upload), remove);
  };
  show();
  return { element, show };
}

function hostOf({ preview }) {
  if (since("g3")) return "ms-prompt-media";
  if (since("g2")) return "ms-media-chip";
  return preview ? "ms-image-chunk" : "ms-file-chunk";
}

function contentOf({ name, preview }) {
  const picture = preview ? h("img", { class: "prompt-media-preview", src: preview, alt: "" }) : icon("draft");
  const parts = [picture, h("span", { class: "name" }, name)];
  if (!since("g3")) return parts;
  return [h("div", { class: "prompt-media-container", "data-test-id": "prompt-media-container" }, parts)];
}

function progressOf({ state, progress, tokens, error }) {
  switch (state) {
    case "uploading":
      return [h("mat-progress-bar", { class: "media-upload-progress", role: "progressbar", "aria-valuenow": Math.round(progress * 100) })];
    case "counting":
      return [h("mat-spinner", { role: "progressbar" })];
    case "failed":
      return [h("mat-error", {}, error)];
    default:
      return [h("span", { class: "token-count", "data-test-id": since("g3") ? "token-count" : null }, `${tokens.toLocaleString("en-US")} tokens`)];
  }
}
