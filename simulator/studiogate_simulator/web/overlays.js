// Menus, dialogs, toasts and the announcer, shaped as the component kit does it: everything that floats lies in one
// container at the end of the body, and a backdrop really covers the page until its overlay is closed.

import { say } from "./labels.js";
import { h, icon } from "./ui.js";

const TOAST_MS = 10_000;

const container = h("div", { class: "cdk-overlay-container" });
const announcer = h("div", {
  class: "cdk-live-announcer-element cdk-visually-hidden",
  "aria-atomic": "true",
  "aria-live": "polite",
});
const descriptions = h(
  "div",
  { class: "cdk-describedby-message-container cdk-visually-hidden" },
  ["Run prompt", "Add a paid API key to raise your quota", "Probability threshold for top-p sampling"].map((text) =>
    h("div", { role: "tooltip" }, text),
  ),
);
const open = [];

/** Put the overlay layer into the page. */
export function mountOverlays() {
  document.body.append(container, announcer, descriptions);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !open.length) return;
    event.preventDefault();
    open.at(-1).close();
  });
}

/** Say something to those who listen to the page. */
export function announce(text) {
  announcer.textContent = say(text);
}

function show(backdropClass, pane, onClosed = () => {}) {
  const backdrop = h("div", { class: `cdk-overlay-backdrop ${backdropClass} cdk-overlay-backdrop-showing` });
  const overlay = {
    close() {
      if (!open.includes(overlay)) return;
      open.splice(open.indexOf(overlay), 1);
      backdrop.remove();
      pane.remove();
      onClosed();
    },
  };
  backdrop.addEventListener("click", overlay.close);
  container.append(backdrop, pane);
  open.push(overlay);
  return overlay;
}

/** Open a menu below (or above) a button. It stays open until Escape, its backdrop, or `close`. */
export function openMenu(trigger, items, { role = "menu", label = null } = {}) {
  const panelClass = role === "menu" ? "mat-mdc-menu-panel" : "mat-mdc-select-panel";
  const panel = h("div", { class: panelClass, role, "aria-label": label, tabindex: "-1" }, items);
  const box = h("div", { class: "cdk-overlay-connected-position-bounding-box" }, h("div", { class: "cdk-overlay-pane" }, panel));
  trigger.setAttribute("aria-expanded", "true");
  const overlay = show("cdk-overlay-transparent-backdrop", box, () => trigger.setAttribute("aria-expanded", "false"));
  place(trigger.getBoundingClientRect(), box.firstChild);
  return overlay;
}

function place(anchor, pane) {
  const { width, height } = pane.getBoundingClientRect();
  const below = anchor.bottom + height <= innerHeight;
  pane.style.left = `${Math.max(8, Math.min(anchor.left, innerWidth - width - 8))}px`;
  pane.style.top = `${Math.max(8, below ? anchor.bottom : anchor.top - height)}px`;
}

/** Build a menu item. */
export function menuItem({ label, iconName, attributes = {}, onChoose }, ...extra) {
  const { class: extraClass = "", ...rest } = attributes;
  return h(
    "button",
    { class: `mat-mdc-menu-item ${extraClass}`.trim(), role: "menuitem", ...rest, onclick: onChoose },
    icon(iconName),
    h("span", { class: "mat-mdc-menu-item-text" }, label),
    extra,
  );
}

/** Open a dialog; `sliding` puts it at the right side. */
export function openDialog(content, { sliding = false, id = null, onClosed } = {}) {
  const paneClass = `cdk-overlay-pane mat-mdc-dialog-panel${sliding ? " ms-sliding-right-panel-dialog" : ""}`;
  const surface = h("div", { class: "mat-mdc-dialog-surface mdc-dialog__surface" }, content);
  const inner = h("div", { class: "mat-mdc-dialog-inner-container mdc-dialog__container" }, surface);
  const dialog = h("mat-dialog-container", { id, role: "dialog", "aria-modal": "true", tabindex: "-1" }, inner);
  const wrapper = h("div", { class: "cdk-global-overlay-wrapper" }, h("div", { class: paneClass }, dialog));
  return show("cdk-overlay-dark-backdrop", wrapper, onClosed);
}

/** Ask before something is lost. */
export function confirmDialog({ title, text, action }, onConfirmed) {
  const overlay = openDialog([
    h("h2", { class: "mat-mdc-dialog-title" }, title),
    h("mat-dialog-content", {}, h("p", {}, text)),
    h(
      "mat-dialog-actions",
      {},
      h("button", { class: "ms-button-borderless", onclick: () => overlay.close() }, "Cancel"),
      h(
        "button",
        {
          class: "ms-button-primary",
          onclick: () => {
            overlay.close();
            onConfirmed();
          },
        },
        action,
      ),
    ),
  ]);
}

/** Show a toast; it goes by itself after a while. */
export function toast(kind, text) {
  const host = document.querySelector("ms-toast");
  const shown = h(
    "div",
    { class: `toast ${kind}`, role: "alert" },
    icon(kind),
    h("span", { class: "content-text" }, text),
    h("button", { "aria-label": "Dismiss", onclick: () => shown.remove() }, icon("close")),
  );
  host.replaceChildren(shown);
  setTimeout(() => shown.remove(), TOAST_MS);
}
