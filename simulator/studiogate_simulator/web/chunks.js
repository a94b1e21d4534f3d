// What a turn is made of besides text: files, generated media, code that was run, function calls.

import { codeBlock } from "./code_block.js";
import { h, icon } from "./dom.js";
import { since } from "./options.js";

const NATIVE = { image: "img", audio: "audio", video: "video" };

/** Build a file that the user sent: {name, preview, tokens}. */
export function fileChunk({ name, preview, tokens }) {
  if (preview) return h("ms-image-chunk", {}, h("img", { class: "loaded-image", src: preview, alt: name }));
  return h("ms-file-chunk", {}, h("span", { class: "name" }, name), h("span", { class: "token-count" }, `${tokens} tokens`));
}

/** Build a file that the model made: {mime, data}. */
export function mediaChunk({ mime, data }) {
  const kind = mime.split("/")[0];
  const address = URL.createObjectURL(new Blob([bytesOf(data)], { type: mime }));
  if (!(kind in NATIVE)) return h("ms-file-chunk", {}, h("a", { class: "name", href: address, download: true }, mime));
  const attributes = kind === "image" ? { class: "loaded-image", alt: "Generated image" } : { controls: true };
  return h(`ms-${kind}-chunk`, {}, h(NATIVE[kind], { src: address, ...attributes }));
}

function bytesOf(data) {
  return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
}

/** Build code that the model had run: {language, code}. */
export const executableCodeChunk = ({ language, code }) => h("ms-executable-code-chunk", {}, codeBlock(language, code));

/** Build what came of it: {succeeded, output}. */
export function codeResultChunk({ succeeded, output }) {
  const title = h("div", { class: "code-result-title" }, icon(succeeded ? "check_circle" : "error"), "Code execution result");
  return h("ms-code-execution-result-chunk", { class: succeeded ? "ok" : "failed" }, title, h("pre", {}, h("code", {}, output)));
}

/** Build what shows a text as it is. */
export const plainText = (text) => h("div", { class: "very-large-text-container" }, text);

/** Build what stands where nothing came yet. */
export function loadingChunk() {
  if (since("g2")) return h("ms-chat-loading-indicator", {}, h("span", { class: "shimmer" }, "Thinking"));
  return h("loading-indicator", {}, h("div", { class: "loading-indicator generating" }, h("div", { class: "generating-indicator" })));
}
