// One turn of a chat: its element, its text as it grows, and what one can do with it.

import { h, icon } from "./dom.js";
import { codeBlock, renderMarkdown } from "./markdown.js";
import { menuItem, openMenu } from "./overlays.js";

const RENDER_MS = 16;
const VERY_LARGE = 60_000;
const ROLE_NAMES = { user: "User", model: "Model" };

export class Turn {
  text = "";
  /** The files of a user's turn. */
  files = [];
  /** What goes into the next request: [parts, role]; null for turns that are only shown (thoughts). */
  content = null;
  #role;
  #kind;
  #body = h("div", { class: "chunk-body" });
  #footer = h("div", { class: "turn-footer" });
  #pill = h("span", { class: "model-run-time-pill", "aria-haspopup": "dialog" });
  #actions = h("div", { class: "actions hover-or-edit" });
  #editor = null;
  #rendering = null;

  constructor(role, kind, actions) {
    this.#role = role;
    this.#kind = kind;
    this.#fillActions(actions);
    const chunk = h("ms-prompt-chunk", { class: "text-chunk", id: crypto.randomUUID() }, this.#body);
    const time = new Date().toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit" });
    const author = h(
      "div",
      { class: "author-label", role: "heading", "aria-level": "3" },
      `${ROLE_NAMES[role]} `,
      h("span", { class: "timestamp" }, time),
    );
    this.element = h(
      "ms-chat-turn",
      { id: `turn-${crypto.randomUUID().toUpperCase()}`, class: kind === "thought" ? "thought-activity-host" : "text-chunk-host" },
      h(
        "div",
        { class: `chat-turn-container render ${role}` },
        h("div", { class: "actions-container" }, this.#actions),
        h(
          "div",
          { class: `virtual-scroll-container ${role}-prompt-container`, "data-turn-role": ROLE_NAMES[role] },
          h("div", { class: "turn-content" }, author, chunk),
        ),
        this.#footer,
      ),
    );
    if (role === "model") this.#footer.append(this.#pill);
    if (kind === "thought") this.#body.append(thoughtPanel(this.#thoughts));
  }

  #thoughts = h("div", { class: "thought-text" });

  #fillActions({ onRerun, onDelete }) {
    if (this.#kind !== "thought") {
      this.#actions.append(
        h("button", { class: "toggle-edit-button", "aria-label": "Edit", onclick: () => this.#toggleEdit() }, icon("edit")),
        h("button", { name: "rerun-button", "aria-label": "Rerun this turn", onclick: () => onRerun(this) }, icon("autorenew")),
      );
    }
    const options = h("button", { "aria-label": "Open options", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("more_vert"));
    options.addEventListener("click", () => this.#openOptions(options, onDelete));
    this.#actions.append(h("ms-chat-turn-options", {}, h("div", {}, options)));
  }

  #openOptions(trigger, onDelete) {
    const choose = (action) => () => {
      menu.close();
      action();
    };
    const menu = openMenu(trigger, [
      menuItem({ label: "Delete", iconName: "delete", onChoose: choose(() => onDelete(this)) }),
      menuItem({
        label: "Copy markdown",
        iconName: "markdown_copy",
        attributes: { class: "copy-markdown-button" },
        onChoose: choose(() => void navigator.clipboard.writeText(this.text)),
      }),
    ]);
  }

  #toggleEdit() {
    const button = this.#actions.querySelector(".toggle-edit-button");
    if (this.#editor) {
      this.#editor = null;
      button.setAttribute("aria-label", "Edit");
      button.replaceChildren(icon("edit"));
      this.#actions.classList.remove("editing");
      this.render();
      return;
    }
    const textarea = h("textarea", { class: "textarea", rows: "4", oninput: () => this.#edited(textarea.value) });
    textarea.value = this.text;
    this.#editor = h("ms-text-chunk", {}, h("ms-autosize-textarea", {}, textarea));
    button.setAttribute("aria-label", "Stop editing");
    button.replaceChildren(icon("done_all"));
    this.#actions.classList.add("editing");
    this.#body.replaceChildren(this.#editor);
    textarea.focus();
  }

  #edited(text) {
    this.text = text;
    const parts = this.files.map(({ part }) => part);
    this.content = [[...parts, [null, text]], this.#role];
  }

  /** Append a delta; the page shows it a little later, as upstream does. */
  append(delta) {
    this.text += delta;
    this.#rendering ??= setTimeout(() => this.render(), RENDER_MS);
  }

  /** Show the text as it is now. */
  render() {
    clearTimeout(this.#rendering);
    this.#rendering = null;
    if (this.#editor) return;
    if (this.#kind === "thought") this.#thoughts.replaceChildren(renderMarkdown(this.text));
    else if (this.text || this.files.length) {
      const text = this.text ? [h("ms-text-chunk", {}, this.#rendered())] : [];
      this.#body.replaceChildren(...this.files.map(fileChunk), ...text, ...this.#extras);
    }
  }

  /** Function calls and errors, which stand after the text. */
  #extras = [];

  #rendered() {
    if (this.text.length > VERY_LARGE) return h("div", { class: "very-large-text-container" }, this.text);
    return renderMarkdown(this.text, this.#role === "user" ? "user-chunk" : "");
  }

  /** Show a function call of the model. */
  appendCall({ name, args }) {
    const block = codeBlock("json", JSON.stringify(args, null, 2));
    block.setAttribute("icon", "function");
    block.querySelector("mat-panel-title").replaceChildren(icon("function"), h("span", {}, name));
    this.#extras.push(h("ms-function-call-chunk", {}, block));
    this.#body.querySelector("ms-chat-loading-indicator")?.remove();
    this.#body.append(this.#extras.at(-1));
  }

  /** Show that nothing came yet. */
  showLoading() {
    this.#body.replaceChildren(h("ms-chat-loading-indicator", {}, h("span", { class: "shimmer" }, "Thinking")));
  }

  /** Show what went wrong in the place of the answer. */
  showError(text) {
    this.render();
    this.#body.querySelector("ms-chat-loading-indicator")?.remove();
    this.#extras.push(h("div", { class: "model-error" }, text));
    this.#body.append(this.#extras.at(-1));
  }

  /** Show how long it has been running. */
  showTime(seconds) {
    this.#pill.textContent = `${seconds.toFixed(1)}s`;
  }

  /** The last delta is there. */
  finish({ rated }) {
    this.render();
    this.#body.querySelector("ms-chat-loading-indicator")?.remove();
    this.element.querySelector(".thinking-progress-icon")?.classList.remove("in-progress");
    if (!rated) return;
    this.#footer.append(
      h("button", { "aria-label": "Good response" }, icon("thumb_up")),
      h("button", { "aria-label": "Bad response" }, icon("thumb_down")),
    );
  }
}

function fileChunk({ name, preview, tokens }) {
  if (preview) return h("ms-image-chunk", {}, h("img", { class: "loaded-image", src: preview, alt: name }));
  return h("ms-file-chunk", {}, h("span", { class: "name" }, name), h("span", { class: "token-count" }, `${tokens} tokens`));
}

function thoughtPanel(content) {
  const body = h("div", { class: "mat-expansion-panel-body" }, content);
  const hint = h("span", { class: "thought-hint" }, "Expand to view model thoughts");
  const header = h(
    "mat-expansion-panel-header",
    { role: "button", tabindex: "0", "aria-expanded": "false" },
    h("mat-panel-title", {}, h("img", { class: "thinking-progress-icon in-progress", alt: "Thinking" }), h("span", {}, "Thoughts")),
    hint,
  );
  const wrapper = h("div", { class: "mat-expansion-panel-content-wrapper" });
  const panel = h("mat-expansion-panel", { class: "thought-panel" }, header, wrapper);
  header.addEventListener("click", () => {
    const expanded = panel.classList.toggle("mat-expanded");
    header.setAttribute("aria-expanded", String(expanded));
    hint.textContent = expanded ? "Collapse to hide model thoughts" : "Expand to view model thoughts";
    // A collapsed panel has no body in the document.
    wrapper.replaceChildren(...(expanded ? [body] : []));
  });
  return h("ms-thought-chunk", {}, h("mat-accordion", {}, panel));
}

/** Build the empty turn that stands at the end for the next prompt. */
export function placeholderTurn() {
  return h(
    "ms-chat-turn",
    { id: `turn-${crypto.randomUUID().toUpperCase()}` },
    h(
      "div",
      { class: "chat-turn-container render user" },
      h(
        "div",
        { class: "virtual-scroll-container user-prompt-container", "data-turn-role": "User" },
        h("div", { class: "turn-content" }),
      ),
    ),
  );
}
