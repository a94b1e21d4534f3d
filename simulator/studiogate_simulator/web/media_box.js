// The files of a prompt: the button and the input they come by, and a chip for each until the prompt is submitted.

import { isTaken, typeOf } from "./file_types.js";
import { mediaChip, mediaRowClass, triggerAttributes } from "./media_chip.js";
import { options } from "./options.js";
import { menuItem, openDialog, openMenu, toast } from "./overlays.js";
import { acknowledgedCopyright, savePreferences } from "./preferences.js";
import { h, icon } from "./ui.js";
import { Upload } from "./upload.js";

export class MediaBox {
  chips = h("div", { class: mediaRowClass() });
  button = h(
    "button",
    {
      ...triggerAttributes(),
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      onclick: () => this.#openMenu(),
    },
    icon("add_circle"),
  );
  #uploads = [];
  #boxInput = null;
  #on;

  /** `on` has changed() and target(file), which says how a file goes: {inline, modelId}. */
  constructor(on) {
    this.#on = on;
  }

  /** What stands in the prompt box besides button and chips. */
  get hidden() {
    if (options.fileInput !== "box") return [];
    this.#boxInput ??= this.#input({ class: "file-input", "data-test-upload-file-input": true, hidden: true });
    return [this.#boxInput];
  }

  get isEmpty() {
    return this.#uploads.length === 0;
  }

  /** Whether none of the files is under way or failed. */
  get isReady() {
    return this.#uploads.every(({ state }) => state === "ready");
  }

  get tokens() {
    return this.#uploads.reduce((total, { tokens }) => total + (tokens ?? 0), 0);
  }

  /** Hand over the files, for a prompt that is submitted. */
  take() {
    const taken = this.#uploads;
    this.#show([]);
    return taken;
  }

  /** Take back the files of a prompt that was not answered. */
  giveBack(uploads) {
    this.#show([...uploads, ...this.#uploads]);
  }

  /** Give up all files. */
  dispose() {
    for (const upload of this.take()) upload.cancel();
  }

  #show(uploads) {
    this.#uploads = uploads;
    this.chips.replaceChildren(...uploads.map((upload) => this.#chip(upload)));
    this.#on.changed();
  }

  #input(attributes) {
    const input = h("input", { type: "file", multiple: options.multiple, ...attributes });
    input.addEventListener("change", () => {
      const files = [...input.files];
      // Else the same file could not be chosen again.
      input.value = "";
      if (files.length) this.#chosen(files);
    });
    return input;
  }

  #openMenu() {
    const input = this.#input({ class: "file-input", hidden: true });
    const choose = (event) => {
      if (event.target === input) return;
      (this.#boxInput ?? input).click();
      menu.close();
    };
    const item = menuItem(
      { label: options.uploadLabel, iconName: "upload", attributes: { class: "upload-file-menu-item" }, onChoose: choose },
      options.fileInput === "menu" ? input : [],
    );
    const menu = openMenu(this.button, [item]);
  }

  #chosen(files) {
    if (acknowledgedCopyright()) this.#add(files);
    else askAboutCopyright(() => this.#add(files));
  }

  #add(files) {
    for (const file of files) {
      if (isTaken(file)) this.#start(new Upload(file), file);
      else toast("error", `${file.name}: files of type ${typeOf(file)} are not supported.`);
    }
  }

  #start(upload, file) {
    this.#uploads.push(upload);
    this.chips.append(this.#chip(upload));
    this.#on.changed();
    void upload.run(this.#on.target(file)).then((failure) => {
      if (failure === "toast") toast("error", upload.error);
      if (failure === "toast" || failure === "silent") this.#remove(upload);
    });
  }

  #remove(upload) {
    upload.cancel();
    if (this.#uploads.includes(upload)) this.#show(this.#uploads.filter((kept) => kept !== upload));
  }

  #chip(upload) {
    const chip = mediaChip(upload, () => this.#remove(upload));
    upload.onchange = () => {
      chip.show();
      this.#on.changed();
    };
    return chip.element;
  }
}

/** Ask the account's owner once; whoever closes the dialog has not agreed. */
function askAboutCopyright(onAgreed) {
  const agree = () => {
    savePreferences({ fileCopyrightAcknowledged: true });
    dialog.close();
    onAgreed();
  };
  const dialog = openDialog(
    [
      h("h2", { class: "mat-mdc-dialog-title" }, "Copyright acknowledgement"),
      h("mat-dialog-content", {}, h("p", {}, "Only upload files that you own the rights to, or may use.")),
      h(
        "mat-dialog-actions",
        {},
        h("button", { class: "ms-button-borderless", onclick: () => dialog.close() }, "Cancel"),
        h("button", { class: "ms-button-primary", "aria-label": "Agree to the copyright acknowledgement", onclick: agree }, "Acknowledge"),
      ),
    ],
    { id: "copyright-acknowledgement-dialog" },
  );
}
