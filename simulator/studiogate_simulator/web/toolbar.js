// The bar over the chat: title, token count, New chat, the temporary chat's toggle or the overflow menu that holds it.

import { options, since } from "./options.js";
import { menuItem, openMenu } from "./overlays.js";
import { h, icon, setAttributes } from "./ui.js";

export class Toolbar {
  #title = h("div", { class: "page-title" });
  #count = h("span", { class: "v3-token-count-value" }, "0");
  #newChat = h("button", { "data-test-clear": "outside", "aria-label": "New chat", iconname: "add" }, icon("add"));
  #toggle = h("button", { "aria-label": "Temporary chat toggle", iconname: "incognito" }, icon("incognito"));
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
    this.#toggle.addEventListener("click", () => on.toggleIncognito());
    this.#more.addEventListener("click", () => this.#openMenu());
    const settings = h(
      "button",
      { class: "runsettings-toggle-button", "aria-label": "Toggle run settings panel", onclick: () => on.toggleSettings() },
      icon("tune"),
    );
    const count = h("span", { class: "token-count" }, this.#count, " tokens");
    const toggle = options.temporaryToggle === "toolbar" && h("ms-incognito-mode-toggle", {}, this.#toggle);
    this.element = h(
      "ms-toolbar",
      {},
      h("div", { class: "toolbar-container" }, this.#title, count, toggle, this.#newChat, this.#more, settings),
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
    this.#toggle.className = on ? "ms-button-borderless ms-button-active" : "ms-button-borderless";
    const indicator = h("span", { class: "main-text", "data-test-id": since("g3") ? "main-text" : null }, "Temporary chat");
    // The first generation says it by the toggle and the title alone.
    const shown = since("g2") ? h("ms-incognito-mode-indicator", {}, h("div", { class: "incognito-container" }, indicator)) : "Temporary chat";
    this.#title.replaceChildren(on ? shown : h("h1", { class: "mode-title" }, "Chat prompt"));
  }

  #openMenu() {
    const save = menuItem({ label: "Get code", iconName: "code", onChoose: () => menu.close() });
    const items = options.temporaryToggle === "menu" ? [this.#temporaryItem(), save] : [save];
    const menu = openMenu(this.#more, items);
  }

  // The menu stays open after the choice, as a check box's would.
  #temporaryItem() {
    const attributes = { "data-test-incognito-toggle": true, "aria-label": "Toggle temporary chat" };
    const checkmark = () => h("span", { "data-test-incognito-checkmark": true }, icon("check"));
    const onChoose = () => {
      this.#on.toggleIncognito();
      if (this.#incognito) item.append(checkmark());
      else item.querySelector("[data-test-incognito-checkmark]").remove();
    };
    const item = menuItem({ label: "Temporary chat", iconName: "incognito", attributes, onChoose }, this.#incognito ? checkmark() : []);
    return item;
  }
}
