// What lies over the page: dialogs, bars, frames, and what was left open.

import { h } from "./dom.js";
import { menuItem, openDialog, openMenu } from "./overlays.js";
import { savePreferences } from "./preferences.js";

const PLACE_MS = 100;
const RUN = "ms-run-button button";
const NEW_CHAT = "ms-toolbar button[aria-label='New chat']";

const container = () => document.querySelector(".cdk-overlay-container");

/** Keep an element over another, which may move or be rendered anew, for as long as it is in the document. */
function lieOver(selector, element, margin) {
  const place = () => {
    if (!element.isConnected) return clearInterval(placing);
    const below = document.querySelector(selector)?.getBoundingClientRect();
    if (!below) return;
    element.style.top = `${below.top - margin}px`;
    element.style.height = `${below.height + 2 * margin}px`;
    if (element.classList.contains("full-width")) return;
    element.style.left = `${below.left - margin}px`;
    element.style.width = `${below.width + 2 * margin}px`;
  };
  const placing = setInterval(place, PLACE_MS);
  place();
}

function cookieBar() {
  const choice = (kind, text) => h("button", { class: `glue-cookie-notification-bar__${kind}`, onclick: () => bar.remove() }, text);
  const bar = h(
    "div",
    { class: "glue-cookie-notification-bar full-width", role: "region", "aria-label": "Cookie consent" },
    h("p", {}, "Google uses cookies to deliver its services and to analyse traffic."),
    choice("reject", "No thanks"),
    choice("accept", "OK, got it"),
  );
  document.body.append(bar);
  lieOver(RUN, bar, 12);
}

function survey() {
  const frame = h("iframe", { id: "google-hats-survey", class: "lying-over", title: "Survey" });
  document.body.append(frame);
  lieOver(NEW_CHAT, frame, 40);
}

function runTooltip() {
  const surface = h("div", { class: "mdc-tooltip__surface" }, "Run prompt");
  const tooltip = h("div", { class: "mdc-tooltip mat-mdc-tooltip lying-over", role: "tooltip" }, surface);
  container().append(tooltip);
  lieOver(RUN, tooltip, 4);
  // It goes when the mouse is elsewhere.
  const moved = ({ clientX, clientY }) => {
    const { left, right, top, bottom } = tooltip.getBoundingClientRect();
    if (clientX >= left && clientX <= right && clientY >= top && clientY <= bottom) return;
    tooltip.remove();
    removeEventListener("mousemove", moved, true);
  };
  addEventListener("mousemove", moved, true);
}

function modalBackdrop() {
  const backdrop = h("div", { class: "cdk-overlay-backdrop cdk-overlay-dark-backdrop cdk-overlay-backdrop-showing" });
  const close = () => {
    backdrop.remove();
    removeEventListener("keydown", pressed, true);
  };
  const pressed = ({ key }) => {
    if (key === "Escape") close();
  };
  backdrop.addEventListener("click", close);
  addEventListener("keydown", pressed, true);
  container().append(backdrop);
}

function menuLeftOpen() {
  const trigger = document.querySelector("[aria-label='View more actions']") ?? document.body;
  openMenu(trigger, [menuItem({ label: "Keyboard shortcuts", iconName: "keyboard" })]);
}

/** Open a dialog as the page does: it takes the focus from whatever had it. */
function dialog(content, settings) {
  const overlay = openDialog(content, settings);
  [...container().querySelectorAll("mat-dialog-container")].at(-1).focus();
  return overlay;
}

const title = (text) => h("h2", { class: "mat-mdc-dialog-title" }, text);
const body = (...children) => h("mat-dialog-content", {}, children);
const actions = (...children) => h("mat-dialog-actions", {}, children);
const primary = (text, onclick, attributes = {}) => h("button", { class: "ms-button-primary", onclick, ...attributes }, text);

function welcome() {
  const enter = () => {
    overlay.close();
    savePreferences({ warmWelcomeDisplayed: true });
  };
  const option = (text, label) => h("div", { class: "welcome-option" }, h("p", {}, text), primary(label, enter, { "aria-label": label }));
  const overlay = dialog([title("Welcome to AI Studio"), body(option("Chat with our models", "Try Gemini"), option("Build with them", "Get API key"))]);
}

function terms() {
  let accepted = false;
  const accept = primary("I accept", () => {
    accepted = true;
    overlay.close();
  });
  accept.disabled = true;
  const box = h("input", { type: "checkbox", id: "terms-consent", onchange: () => (accept.disabled = !box.checked) });
  const consent = h("label", { for: "terms-consent" }, "I have read and agree to the terms of service");
  // Neither Escape nor a click beside it closes this one.
  const onClosed = () => accepted || terms();
  const overlay = dialog([title("It's time to agree to new terms"), body(h("p", {}, box, consent)), actions(accept)], { onClosed });
}

function autosave() {
  const gotIt = primary("Got it", () => {
    overlay.close();
    savePreferences({ hasShownAutosaveOnDialog: true });
  });
  const content = [title("Autosave is now on by default"), body(h("p", {}, "Your prompts are saved to Drive.")), actions(gotIt)];
  const overlay = dialog(h("ms-autosave-enabled-by-default-dialog", {}, content));
}

function drive() {
  const answer = () => {
    overlay.close();
    savePreferences({ hasShownDrivePermissionDialog: true });
  };
  const choices = actions(h("button", { class: "ms-button-borderless", onclick: answer }, "Not now"), primary("Enable saving", answer));
  const overlay = dialog([title("Enable saving to Google Drive"), body(h("p", {}, "AI Studio asks for access to Drive.")), choices]);
}

function copyright() {
  const agree = primary("Acknowledge", () => overlay.close(), { "aria-label": "Agree to the copyright acknowledgement" });
  const content = [title("Acknowledgement"), body(h("p", {}, "Upload only what you have the rights to.")), actions(agree)];
  const overlay = dialog(content, { id: "copyright-acknowledgement-dialog" });
}

function announcement() {
  const close = () => overlay.close();
  const content = [title("What's new"), body(h("p", {}, "A new model is here.")), actions(h("button", { "aria-label": "Close", onclick: close }, "Close"))];
  const overlay = dialog(h("ms-announcement-modal", {}, content));
}

/** Ask to be paid. */
export function paidDialog() {
  const close = h("button", { "aria-label": "close", onclick: () => overlay.close() }, "close");
  const content = [title("This model needs a paid API key"), body(h("p", {}, "Link a paid API key to go on."), close)];
  const overlay = dialog(h("ms-paid-usage-dialog", {}, content));
}

export const overlayFaults = {
  cookie_bar: cookieBar,
  welcome_dialog: welcome,
  terms_dialog: terms,
  autosave_dialog: autosave,
  drive_dialog: drive,
  copyright_dialog: copyright,
  announcement_dialog: announcement,
  survey,
  menu_backdrop: menuLeftOpen,
  modal_backdrop: modalBackdrop,
  run_tooltip: runTooltip,
};
