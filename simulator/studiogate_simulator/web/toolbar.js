// The bar over the chat: title, token count, New chat, and the overflow menu with the temporary chat.

import { h, icon, setAttributes } from "./dom.js";
import { menuItem, openMenu } from "./overlays.js";

export class Toolbar {
  #title = h("div", { class: "page-title" });
  #count = h("span", { class: "v3-token-count-value" }, "0");
  #newChat = h("button", { "data-test-clear": "outside", "aria-label": "New chat", iconname: "add" }, icon("add"));
  #more = h(
    "button",
    { "aria-label": "View more actions", "aria-haspopup": "menu", "aria-expanded": "false" },
    icon("more_vert"),
  );
  #on;
  #incognito = false;

  /** `on` has newChat(), toggleIncognito() and toggleSettings(). */
  constructor(on) {
    this.#on = on;
    this.#newChat.addEventListener("click", () => on.newChat());
    this.#more.addEventListener("click", () => this.#openMenu());
    const settings = h(
      "button",
      { class: "runsettings-toggle-button", "aria-label": "Toggle run settings panel", onclick: () => on.toggleSettings() },
      icon("tune"),
    );
    const count = h("span", { class: "token-count" }, this.#count, " tokens");
    this.element = h(
      "ms-toolbar",
      {},
      h("div", { class: "toolbar-container" }, this.#title, count, this.#newChat, this.#more, settings),
    );
    this.incognito = false;
  }

  set tokens(count) {
    this.#count.textContent = count.toLocaleString("en-US");
  }

  set canStartNew(possible) {
    setAttributes(this.#newChat, { disabled: !possible, "aria-disabled": String(!possible) });
  }

  set incognito(on) {
    this.#incognito = on;
    const indicator = h("span", { class: "main-text", "data-test-id": "main-text" }, "Temporary chat");
    this.#title.replaceChildren(
      on
        ? h("ms-incognito-mode-indicator", {}, h("div", { class: "incognito-container" }, indicator))
        : h("h1", { class: "mode-title" }, "Chat prompt"),
    );
  }

  #openMenu() {
    const attributes = { "data-test-incognito-toggle": true, "aria-label": "Toggle temporary chat" };
    const checkmark = () => h("span", { "data-test-incognito-checkmark": true }, icon("check"));
    // The menu stays open after the choice, as a check box's would.
    const onChoose = () => {
      this.#on.toggleIncognito();
      if (this.#incognito) item.append(checkmark());
      else item.querySelector("[data-test-incognito-checkmark]").remove();
    };
    const item = menuItem({ label: "Temporary chat", iconName: "incognito", attributes, onChoose }, this.#incognito ? checkmark() : []);
    openMenu(this.#more, [item]);
  }
}
