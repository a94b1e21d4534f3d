// The page: assembled after a short while, as the real one is, then driven by the events of its parts.

import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { wait } from "./dom.js";
import { Faults } from "./faults.js";
import { newId } from "./ids.js";
import { readModels, startModel } from "./models.js";
import { options } from "./options.js";
import { confirmDialog, mountOverlays } from "./overlays.js";
import { preferences, savePreferences } from "./preferences.js";
import { call } from "./rpc.js";
import { Settings, TOOLS } from "./settings.js";
import { SettingsPanel } from "./settings_panel.js";
import { chosenInstructions } from "./system_instructions.js";
import { Toolbar } from "./toolbar.js";
import { h, icon } from "./ui.js";
import { userContent } from "./wire.js";

const NEW_CHAT = "/prompts/new_chat";

class Page {
  #address = new URLSearchParams(location.search);
  #settings = new Settings();
  #composer = null;
  #chat = null;
  #incognito = this.#address.get("incognito") === "true";
  #panel = new SettingsPanel(this.#settings);
  #toolbar = new Toolbar({
    newChat: () => this.#askNewChat(),
    toggleIncognito: () => this.#setIncognito(!this.#incognito),
    toggleSettings: () => this.#panel.toggleDrawer(),
  });
  #faults = new Faults({
    composer: () => this.#composer,
    recreateComposer: (keepText) => this.#recreateComposer(keepText),
    callouts: () => this.#chat.callouts,
    changed: () => this.#changed(),
  });
  #view = h("div", { class: "chat-view-container" });
  #footer = h("footer");
  #counting = null;
  #textTokens = 0;

  mount(host) {
    const main = h("section", { class: "chunk-editor-main" }, this.#toolbar.element, h("div", { class: "chat-container" }, this.#view), this.#footer);
    const link = h("a", { class: "nav-item", href: NEW_CHAT }, icon("chat"), "Chat");
    host.append(
      h("ms-banner"),
      h("div", { class: "makersuite-layout" }, h("ms-navbar", {}, h("ms-navbar-v2", {}, link))),
      h("ms-header-root"),
      h("ms-toast"),
      h("div", { class: "layout-main" }, h("ms-prompt-switcher", {}, h("ms-chunk-editor", {}, main, this.#panel.element))),
    );
    this.#settings.system = chosenInstructions();
    this.#settings.addEventListener("model", () => this.#changed());
    this.#settings.addEventListener("tools", () => this.#changed());
    this.#setIncognito(this.#incognito);
    this.#startChat();
    this.#faults.start();
  }

  /** Take over the list of models and choose the one to start with. */
  offerModels(models) {
    this.#settings.models = models;
    if (this.#settings.model) return;
    this.#settings.choose(startModel(models, this.#address.get("model"), preferences.promptModel));
  }

  #startChat() {
    this.#composer?.dispose();
    const unanswered = (files) => this.#composer.giveBack(files);
    this.#chat = new Chat(this.#settings, {
      changed: () => this.#changed(),
      unanswered,
      generation: () => this.#faults.generation(),
    });
    this.#view.classList.add("zero-state");
    this.#footer.classList.remove("not-zero-state");
    const greeting = h("h1", { class: "zero-state-title" }, "What will you build?");
    const zeroState = h("ms-zero-state", {}, greeting);
    this.#placeComposer(zeroState, null);
    this.#view.replaceChildren(zeroState);
    this.#footer.replaceChildren();
    this.#showTokens(0);
    this.#changed();
  }

  #leaveZeroState() {
    this.#view.classList.remove("zero-state");
    this.#footer.classList.add("not-zero-state");
    this.#view.replaceChildren(this.#chat.element);
    this.#footer.replaceChildren(this.#chat.callouts);
    this.#placeComposer(this.#footer, this.#composer);
  }

  #placeComposer(host, previous) {
    this.#composer = new Composer({
      submit: (text, files) => this.#submit(text, files),
      stop: () => this.#chat.stop(),
      changed: (text) => this.#typed(text),
      filesChanged: () => this.#showTokens(),
      target: (file) => this.#target(file),
    });
    if (previous) this.#composer.adopt(previous);
    host.append(this.#composer.element);
  }

  #recreateComposer(keepText) {
    const { element } = this.#composer;
    const host = element.parentNode;
    element.remove();
    this.#composer.dispose();
    this.#placeComposer(host, keepText ? this.#composer : null);
    this.#changed();
  }

  #submit(text, files) {
    if (this.#faults.springs()) return this.#composer.giveBack(files);
    if (this.#chat.isEmpty) this.#leaveZeroState();
    this.#composer.clear();
    void this.#chat.submit(text, files).then(() => this.#savedAs());
    this.#composer.focus();
  }

  // Only a temporary chat keeps its files out of Drive, and only those that fit into a request.
  #target(file) {
    return { inline: this.#incognito && file.size <= options.inlineBytes, modelId: this.#settings.model?.id ?? "" };
  }

  #savedAs() {
    if (this.#chat.isEmpty || this.#incognito || !preferences.autosaveEnabled || !location.pathname.endsWith("/new_chat")) return;
    history.replaceState(null, "", `/prompts/${newId().replaceAll("-", "")}`);
  }

  #changed() {
    if (!this.#composer || !this.#chat) return;
    this.#composer.blocked = this.#settings.model === null || this.#faults.holding;
    this.#composer.generating = this.#chat.isGenerating;
    this.#composer.showTools(
      TOOLS.filter(({ name }) => this.#settings.has(name)).map(({ name, label, chip }) => ({
        label,
        chip: chip ?? label,
        on: this.#settings.tools[name],
        barred: this.#settings.isBarred(name),
        set: (on) => this.#settings.setTool(name, on),
      })),
    );
    this.#toolbar.canStartNew = !this.#chat.isEmpty && !this.#chat.isGenerating;
  }

  #typed(text) {
    this.#countLater(text);
    if (text) void this.#faults.typed(text);
  }

  #countLater(text) {
    clearTimeout(this.#counting);
    if (!text || !this.#settings.model) {
      this.#showTokens(0);
      return;
    }
    this.#counting = setTimeout(async () => {
      const [total] = await call("CountTokens", [`models/${this.#settings.model.id}`, [userContent(text)]]);
      if (this.#composer.text === text) this.#showTokens(total);
    }, options.countMs);
  }

  #showTokens(ofText = this.#textTokens) {
    this.#textTokens = ofText;
    this.#toolbar.tokens = ofText + (this.#composer?.fileTokens ?? 0);
  }

  #askNewChat() {
    const saved = preferences.autosaveEnabled && !this.#incognito;
    if (saved) return this.#newChat();
    confirmDialog(
      {
        title: "Start a new chat?",
        text: "This chat is not saved. Its content will be lost.",
        action: "Discard and continue",
      },
      () => this.#newChat(),
    );
  }

  #newChat() {
    history.pushState(null, "", NEW_CHAT);
    this.#setIncognito(false);
    this.#settings.renew();
    this.#startChat();
  }

  #setIncognito(on) {
    this.#incognito = on;
    this.#toolbar.incognito = on;
    const address = new URL(location.href);
    if (on) address.searchParams.set("incognito", "true");
    else address.searchParams.delete("incognito");
    history.replaceState(null, "", address);
  }
}

async function boot() {
  const listed = call("ListModels", []).then(readModels);
  void call("GetUserPreferences", []).catch(() => {});
  void call("GetLoggingContext", []).catch(() => {});
  void call("GenerateAccessToken", ["users/me"]).catch(() => {});
  savePreferences();
  mountOverlays();
  await wait(options.hydrationMs);
  const page = new Page();
  page.mount(document.querySelector("ms-app"));
  // The page asks twice, the second time for the picker.
  const again = call("ListModels", []).then(readModels);
  page.offerModels(await listed.catch(() => again));
  page.offerModels(await again);
}

void boot();
