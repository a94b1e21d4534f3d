// One turn of a chat: its element, its pieces as they grow, and what one can do with it.

import { codeResultChunk, executableCodeChunk, fileChunk, loadingChunk, mediaChunk, plainText } from "./chunks.js";
import { newId } from "./ids.js";
import { say } from "./labels.js";
import { renderMarkdown } from "./markdown.js";
import { options, since } from "./options.js";
import { menuItem, openMenu } from "./overlays.js";
import { ThoughtPanel } from "./thought_panel.js";
import { h, icon, setAttributes } from "./ui.js";

const RENDER_MS = 16;
const ROLE_NAMES = { user: "User", model: "Model" };
const BUILDERS = { media: mediaChunk, code: executableCodeChunk, result: codeResultChunk };

export class Turn {
  /** What goes into the next request: [parts, role]; null for turns that are only shown (thoughts). */
  content = null;
  /** The content that answers this turn's function calls, once it is there. */
  reply = null;
  #role;
  #kind;
  #files = [];
  /** Texts and what stands between them, in order: {kind, chunk, text?}. */
  #pieces = [];
  #content;
  #spacer = h("div");
  #body = [];
  #footer = h("div", { class: "turn-footer" });
  #pill = h("span", { class: "model-run-time-pill", "aria-haspopup": "dialog" });
  #actions = h("div", { class: "actions hover-or-edit" });
  #thoughts = null;
  #loading = null;
  #editor = null;
  #rendering = null;
  #growing = false;

  /** `kind` is text, thought or function-call; `actions` has onRerun(turn) and onDelete(turn). */
  constructor(role, kind, actions) {
    this.#role = role;
    this.#kind = kind;
    this.#fillActions(actions);
    this.#content = h("div", { class: "turn-content" }, since("g2") && authorLabel(role));
    this.element = h(
      "ms-chat-turn",
      { id: turnId(), class: hostClass(kind) },
      h(
        "div",
        { class: `chat-turn-container render ${role}` },
        h("div", { class: "actions-container" }, this.#actions),
        h(
          "div",
          { class: bodyClass(role), "data-turn-role": ROLE_NAMES[role] },
          this.#content,
        ),
        this.#footer,
      ),
    );
    if (role === "model") this.#footer.append(this.#pill);
  }

  /** All text, as it was written. */
  get text() {
    return this.#kind === "thought" ? (this.#thoughts?.text ?? "") : this.#texts.map(({ text }) => text).join("");
  }

  get isEmpty() {
    return this.#pieces.length === 0 && this.#files.length === 0;
  }

  get #texts() {
    return this.#pieces.filter(({ kind }) => kind === "text");
  }

  /** Fill a user's turn. */
  fill(text, files) {
    this.#files = files;
    for (const file of files) this.#place(chunkOf(fileChunk(file)));
    if (text) this.append(text);
    this.#renderNow();
  }

  /** Append a delta; the page shows it a little later, as upstream does. */
  append(delta) {
    this.#endLoading();
    if (this.#pieces.at(-1)?.kind !== "text") this.#addPiece({ kind: "text", text: "", chunk: this.#textChunk() });
    this.#pieces.at(-1).text += delta;
    this.#growing = true;
    this.#rendering ??= setTimeout(() => this.#renderNow(), RENDER_MS);
  }

  /** Append what is no text: {kind: media|code|result, …}. */
  appendPart(part) {
    this.appendElement(part.kind, BUILDERS[part.kind](part));
  }

  /** Append an element as a chunk of its own. */
  appendElement(kind, element) {
    this.#endLoading();
    this.#addPiece({ kind, chunk: chunkOf(element) });
  }

  /** Append a delta of thoughts; some builds show them in the answer's turn. */
  appendThought(delta) {
    this.#thoughts ??= this.#openThoughts();
    this.#thoughts.text += delta;
    this.#rendering ??= setTimeout(() => this.#renderNow(), RENDER_MS);
  }

  /** Show that nothing came yet. */
  showLoading() {
    this.#loading = chunkOf(loadingChunk());
    this.#place(this.#loading);
  }

  /** Show what went wrong in the place of the answer. */
  showError(text) {
    this.#endLoading();
    this.#renderNow();
    this.#place(chunkOf(h("div", { class: "model-error" }, text)));
  }

  /** Show how long it has been running. */
  showTime(seconds) {
    this.#pill.textContent = `${seconds.toFixed(1)}s`;
  }

  /** The last delta is there. */
  finish({ rated }) {
    this.#growing = false;
    this.#endLoading();
    this.#renderNow();
    this.#thoughts?.panel.finish();
    if (!rated) return;
    this.#footer.append(
      h("button", { "aria-label": "Good response" }, icon("thumb_up")),
      h("button", { "aria-label": "Bad response" }, icon("thumb_down")),
    );
  }

  /** Put the body into the document, or leave a gap of its height; what is edited stays. */
  setBody(wanted) {
    const gone = this.#spacer.parentNode !== null;
    if (wanted === !gone || (!wanted && this.#editor)) return;
    if (wanted) {
      this.#spacer.remove();
      this.#content.replaceChildren(...this.#body);
      return;
    }
    this.#spacer.style.height = `${this.#content.getBoundingClientRect().height}px`;
    this.#body = [...this.#content.childNodes];
    this.#content.replaceChildren();
    this.#content.before(this.#spacer);
  }

  #fillActions({ onRerun, onDelete }) {
    if (this.#kind === "text") {
      this.#actions.append(
        h("button", { class: "toggle-edit-button", "aria-label": "Edit", onclick: () => this.#toggleEdit() }, icon("edit")),
        h("button", { name: "rerun-button", "aria-label": "Rerun this turn", onclick: () => onRerun(this) }, icon("autorenew")),
      );
    }
    const trigger = h("button", { "aria-label": "Open options", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("more_vert"));
    trigger.addEventListener("click", () => this.#openOptions(trigger, onDelete));
    this.#actions.append(h("ms-chat-turn-options", {}, h("div", {}, trigger)));
  }

  #openOptions(trigger, onDelete) {
    const choose = (action) => () => {
      menu.close();
      action();
    };
    const menu = openMenu(trigger, [
      menuItem({ label: "Delete", iconName: "delete", onChoose: choose(() => onDelete(this)) }),
      menuItem({
        label: since("g2") ? "Copy markdown" : "Copy Markdown",
        iconName: "markdown_copy",
        attributes: { class: "copy-markdown-button" },
        onChoose: choose(() => void navigator.clipboard.writeText(this.text)),
      }),
    ]);
  }

  #toggleEdit() {
    const button = this.#actions.querySelector(".toggle-edit-button");
    const editing = this.#editor === null;
    button.setAttribute("aria-label", say(editing ? "Stop editing" : "Edit"));
    button.replaceChildren(icon(editing ? "done_all" : "edit"));
    this.#actions.classList.toggle("editing", editing);
    if (editing) this.#edit();
    else this.#leaveEditing();
  }

  #edit() {
    const mirror = () => !since("g3") && setAttributes(grown, { "data-value": textarea.value });
    const edited = () => {
      mirror();
      this.#edited(textarea.value);
    };
    const textarea = h("textarea", { class: "textarea", rows: "4", oninput: edited });
    const grown = h("ms-autosize-textarea", {}, textarea);
    textarea.value = this.text;
    mirror();
    this.#editor = chunkOf(h("ms-text-chunk", {}, grown));
    for (const { chunk } of this.#texts) chunk.remove();
    this.#place(this.#editor);
    textarea.focus();
  }

  #leaveEditing() {
    this.#editor.remove();
    this.#editor = null;
    const shown = this.#pieces.map(({ chunk }) => chunk);
    for (const chunk of shown) this.#place(chunk);
    this.#renderNow();
  }

  // What was said in several pieces is one after it was edited.
  #edited(text) {
    const [first, ...others] = this.#texts;
    this.#pieces = this.#pieces.filter((piece) => !others.includes(piece));
    if (first) first.text = text;
    else this.#pieces.push({ kind: "text", text, chunk: this.#textChunk() });
    const kept = (this.content?.[0] ?? []).filter((part) => part[1] === null || part[1] === undefined);
    this.content = [[...kept, [null, text]], this.#role];
  }

  #textChunk() {
    const chunk = chunkOf(h("ms-text-chunk"));
    chunk.classList.add("text-chunk");
    return chunk;
  }

  #addPiece(piece) {
    this.#pieces.push(piece);
    if (!this.#editor) this.#place(piece.chunk);
  }

  // A body that is out of the document grows all the same.
  #place(chunk) {
    if (this.#spacer.parentNode !== null) this.#body = [...this.#body.filter((node) => node !== chunk), chunk];
    else this.#content.append(chunk);
  }

  #endLoading() {
    this.#loading?.remove();
    this.#body = this.#body.filter((node) => node !== this.#loading);
    this.#loading = null;
  }

  #openThoughts() {
    const shown = h("div", { class: "thought-text" });
    const panel = new ThoughtPanel(shown);
    const loading = this.#loading;
    this.#endLoading();
    this.#place(chunkOf(panel.element));
    if (loading) this.showLoading();
    return { text: "", shown, panel };
  }

  #renderNow() {
    clearTimeout(this.#rendering);
    this.#rendering = null;
    this.#thoughts?.shown.replaceChildren(renderMarkdown(this.#thoughts.text));
    if (this.#editor) return;
    for (const { text, chunk } of this.#texts) chunk.firstChild.replaceChildren(this.#rendered(text));
  }

  #rendered(text) {
    const plain = text.length > options.largeText || (this.#growing && options.streamsPlain && this.#role === "model");
    if (plain) return plainText(text);
    return renderMarkdown(text, this.#role === "user" ? "user-chunk" : "");
  }
}

const turnId = () => `turn-${newId().toUpperCase()}`;
const bodyClass = (role) => `${since("g2") ? "virtual-scroll-container " : ""}${role}-prompt-container`;

function hostClass(kind) {
  if (!since("g3")) return null;
  return kind === "thought" ? "thought-activity-host" : `${kind}-chunk-host`;
}

const chunkOf = (element) => h("ms-prompt-chunk", { id: newId() }, element);

function authorLabel(role) {
  const time = new Date().toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit" });
  const attributes = { class: "author-label", role: "heading", "aria-level": "3" };
  return h("div", attributes, `${ROLE_NAMES[role]} `, h("span", { class: "timestamp" }, time));
}

/** Build the empty turn that stands at the end for the next prompt. */
export function placeholderTurn() {
  const attributes = { class: "virtual-scroll-container user-prompt-container", "data-turn-role": "User" };
  const body = h("div", attributes, h("div", { class: "turn-content" }));
  return h("ms-chat-turn", { id: turnId() }, h("div", { class: "chat-turn-container render user" }, body));
}
