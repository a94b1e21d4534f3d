// Faults of the page as a whole and of its composer, and those that only say something.

import { h, icon } from "./dom.js";
import { overlayFaults, paidDialog } from "./fault_overlays.js";
import { announce, toast } from "./overlays.js";
import { reportError } from "./rpc.js";

const SIGN_IN = "https://accounts.google.com/ServiceLogin";
const TOOLTIPS = ["No API key selected", "Quota exceeded", "An internal error has occurred.", "Link a paid API key"];

function snackbar({ text, for_ms: forMs }) {
  const label = h("div", { class: "mat-mdc-snack-bar-label mdc-snackbar__label", role: "status" }, text);
  const bar = h("mat-snack-bar-container", {}, h("div", { class: "mat-mdc-simple-snack-bar" }, label));
  document.querySelector(".cdk-overlay-container").append(bar);
  setTimeout(() => bar.remove(), forMs);
}

function callout(stage, kind, text) {
  // Where there is no chat yet there are no callouts either.
  const host = stage.callouts().isConnected ? stage.callouts() : stage.composer().element.parentNode;
  host.prepend(h("ms-callout", { class: `${kind}-callout` }, h("div", { class: "message" }, text)));
}

function banner(shown) {
  shown.append(h("button", { "aria-label": "Dismiss", onclick: () => shown.remove() }, icon("close")));
  document.querySelector("ms-banner").replaceChildren(shown);
}

const outage = (text) => banner(h("div", { class: "error-banner" }, h("span", { class: "error-banner-message" }, text)));
const news = (text) => banner(h("ms-global-banner", {}, h("span", {}, text)));

function promptError(stage, text) {
  const alert = h("div", { class: "error-message", role: "alert" }, text);
  stage.composer().element.before(h("ms-prompt-error", {}, alert));
}

function askBeforeLeaving() {
  addEventListener("beforeunload", (event) => event.preventDefault());
}

function describe(text) {
  document.querySelector(".cdk-describedby-message-container").append(h("div", { role: "tooltip" }, text));
}

function wantKey(stage) {
  const button = h("button", { "aria-label": "No API key selected" }, icon("key_off"), h("span", {}, "No API key"));
  stage.composer().element.querySelector("ms-run-button").before(h("ms-paid-api-key-button", {}, button));
  stage.forbid(true);
}

function beBusy(forMs) {
  const end = performance.now() + forMs;
  while (performance.now() < end);
}

/** Each is called with the stage and the fault's parameters. */
export const pageFaults = {
  ...overlayFaults,
  toast_error: (_, { text }) => toast("error", text),
  toast_warning: (_, { text }) => toast("warning", text),
  snackbar_saved: (_, parameters) => snackbar(parameters),
  snackbar_error: (_, parameters) => snackbar(parameters),
  callout_error: (stage, { text }) => callout(stage, "error", text),
  callout_warning: (stage, { text }) => callout(stage, "warning", text),
  banner_error: (_, { text }) => outage(text),
  banner_news: (_, { text }) => news(text),
  alert_error: (stage, { text }) => promptError(stage, text),
  error_report: (_, { text }) => reportError(text),
  hidden_tooltips: () => TOOLTIPS.forEach(describe),
  stale_announcement: () => announce("Response ready."),
  composer_recreated: (stage, { keep_text: keepText }) => stage.recreateComposer(keepText),
  run_never_enabled: (stage) => stage.forbid(true),
  no_api_key: wantKey,
  paid_dialog: (stage) => stage.trap(paidDialog),
  submit_ignored: (stage) => stage.trap(() => {}),
  submit_swallowed: (stage) => stage.trap(() => stage.composer().clear()),
  page_hangs: (_, { for_ms: forMs }) => beBusy(forMs),
  leave_question: askBeforeLeaving,
  sign_in_redirect: () => location.assign(SIGN_IN),
};
