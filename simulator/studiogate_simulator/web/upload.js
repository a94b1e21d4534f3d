// One file on its way into a prompt: uploading -> counting -> ready, or failed.
// It ends as a part of the request: inline data, or the id of a file in Drive.

import { abortableWait } from "./dom.js";
import { uploadToDrive } from "./drive.js";
import { typeOf } from "./file_types.js";
import { call } from "./rpc.js";

const IMAGE = /^image\//;
const NO_WORDS = "Failed to upload file.";

export class Upload {
  state = "uploading";
  /** Share of the bytes that are up. */
  progress = 0;
  part = null;
  tokens = null;
  /** What the page says of a failure. */
  error = null;
  /** Called after each change. */
  onchange = () => {};
  #file;
  #abort = new AbortController();

  constructor(file) {
    this.#file = file;
    this.name = file.name;
    this.type = typeOf(file);
    this.preview = IMAGE.test(this.type) ? URL.createObjectURL(file) : null;
  }

  /** Run to an end; resolves to how it failed, if it did. `inline` decides how the file goes, `modelId` who counts. */
  async run({ inline, modelId }) {
    const { signal } = this.#abort;
    try {
      const plan = await ask(this.name, signal);
      const failure = await this.#upload(plan, inline, signal);
      if (failure) return failure;
      this.#enter("counting");
      await abortableWait(plan.count_ms, signal);
      const contents = [[[this.part], "user"]];
      [this.tokens] = await call("CountTokens", [`models/${modelId}`, null, [`models/${modelId}`, contents]]);
      if (!signal.aborted) this.#enter("ready");
    } catch {
      if (!signal.aborted) return this.#fail("chip", NO_WORDS);
    }
    return null;
  }

  /** Give it up, whatever it is doing. */
  cancel() {
    this.#abort.abort();
    if (this.preview) URL.revokeObjectURL(this.preview);
  }

  async #upload(plan, inline, signal) {
    await abortableWait(plan.upload_ms, signal);
    if (plan.fail === "hang") return new Promise(() => {});
    if (plan.fail) return this.#fail(plan.fail, plan.message);
    if (inline) this.part = [null, null, [this.type, await base64Of(this.#file, signal), this.name]];
    else this.part = [null, null, null, null, null, [await this.#toDrive(signal)]];
    return null;
  }

  #toDrive(signal) {
    const onProgress = (share) => {
      this.progress = share;
      this.onchange();
    };
    return uploadToDrive(this.#file, this.type, { onProgress, signal });
  }

  #fail(way, words) {
    this.error = words;
    this.#enter("failed");
    return way;
  }

  #enter(state) {
    this.state = state;
    this.onchange();
  }
}

// What is to become of the next file is scripted on the server.
async function ask(name, signal) {
  const answer = await fetch("/__sim/uploads/next", { method: "POST", body: JSON.stringify({ name }), signal });
  return answer.json();
}

function base64Of(file, signal) {
  const reader = new FileReader();
  return new Promise((resolve, reject) => {
    // An empty file's address has no comma at all.
    reader.onload = () => resolve(reader.result.split(",", 2)[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.onabort = () => reject(new Error("aborted"));
    signal.addEventListener("abort", () => reader.abort());
    reader.readAsDataURL(file);
  });
}
