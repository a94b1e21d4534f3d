// The tools in the prompt box: a menu of all, and a chip for each that is on, to remove it by.

import { menuItem, openMenu } from "./overlays.js";
import { h, icon } from "./ui.js";

export class PromptTools {
  tools = [];
  #chips = h("div", { class: "tool-chips" });
  #button = h(
    "button",
    { "aria-label": "Open tools menu", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => this.#openMenu() },
    icon("page_info"),
    "Tools",
  );
  element = h("ms-prompt-box-tools", {}, this.#button, this.#chips);

  /** Show tools: [{label, chip, on, barred, set(on)}]. */
  show(tools) {
    this.tools = tools;
    this.#chips.replaceChildren(
      ...tools
        .filter(({ on }) => on)
        .map(({ chip, set }) =>
          h("button", { class: "tool-chip", "aria-label": `Remove ${chip}`, onclick: () => set(false) }, h("span", {}, chip), icon("close")),
        ),
    );
  }

  #openMenu() {
    const item = ({ label, on, barred, set }) => {
      const attributes = { disabled: barred, "aria-disabled": String(barred), "aria-pressed": String(on) };
      const onChoose = () => {
        menu.close();
        set(!on);
      };
      return menuItem({ label, iconName: on ? "check" : "add", attributes, onChoose });
    };
    const menu = openMenu(this.#button, this.tools.map(item));
  }
}
