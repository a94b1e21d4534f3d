// One generation: send the request, read the answer as it grows, tell what arrives. Stopping aborts the request.

import { openRequest } from "./rpc.js";
import { FrameScanner, readStatus } from "./stream.js";
import { readPart } from "./wire.js";

const UNAVAILABLE = 14;

export class Generation {
  #request = null;
  #stopped = false;
  #finish = null;
  #blocked = null;
  responseId = null;
  parts = [];

  /** Run to the end; `onPart` gets every part. Resolves to {outcome: done|stopped|blocked|failed, finish, message, status}. */
  async run(makeMessage, onPart) {
    const [message, request] = await Promise.all([makeMessage(), openRequest("GenerateContent")]);
    if (this.#stopped) return { outcome: "stopped" };
    this.#request = request;
    const scanner = new FrameScanner();
    const read = () => {
      if (request.status === 200) for (const frame of scanner.scan(request.responseText)) this.#take(frame, onPart);
    };
    return new Promise((resolve) => {
      // Progress events are throttled, these come with every piece of the body.
      request.onreadystatechange = () => {
        if (request.readyState === XMLHttpRequest.LOADING) read();
      };
      request.onload = () => {
        read();
        resolve(this.#ended(readStatus(request.responseText)));
      };
      request.onerror = () => resolve({ outcome: "failed", status: { code: UNAVAILABLE, message: "" } });
      request.onabort = () => resolve({ outcome: "stopped" });
      request.send(JSON.stringify(message));
    });
  }

  /** Give up the answer. */
  stop() {
    this.#stopped = true;
    this.#request?.abort();
  }

  #take(frame, onPart) {
    this.responseId = frame[7] ?? this.responseId;
    this.#blocked = frame[1] ?? this.#blocked;
    const candidate = frame[0]?.[0];
    if (!candidate) return;
    for (const part of candidate[0]?.[0] ?? []) {
      this.parts.push(part);
      onPart(readPart(part));
    }
    this.#finish = candidate[1] ?? this.#finish;
  }

  #ended(status) {
    if (status) return { outcome: "failed", status };
    if (this.#blocked && status !== undefined) return { outcome: "blocked", message: this.#blocked[2] ?? "" };
    if (status === undefined || this.#finish === null) return { outcome: "failed", status: { code: 13, message: "" } };
    return { outcome: "done", finish: this.#finish };
  }
}
