// A function call of the model, with the form that takes its response. Once all calls of a turn are answered the
// model goes on.

import { codeBlock } from "./code_block.js";
import { options, since } from "./options.js";
import { h, icon, setAttributes } from "./ui.js";

function titleClass() {
  if (since("g3")) return null;
  return since("g2") ? "title-text" : "name";
}

export class FunctionCall {
  /** What was answered, as it was typed; null while it was not. */
  answer = null;
  #onAnswered;

  /** `call` is {name, args, id}. */
  constructor(call, onAnswered) {
    this.name = call.name;
    this.id = call.id;
    this.#onAnswered = onAnswered;
    const block = codeBlock("json", JSON.stringify(call.args, null, 2), { title: call.name, titleClass: titleClass(), symbol: "function" });
    this.element = h("ms-function-call-chunk", {}, block, this.#form());
  }

  #form() {
    const label = { placeholder: "Enter function response", "aria-label": "Function response" };
    const field = options.functionResponse === "textarea" ? h("textarea", { ...label, rows: "2" }) : h("input", { type: "text", ...label });
    const send = h("button", { type: "submit", "aria-label": "Submit function response", "aria-disabled": "true" }, icon("send"));
    // As in the prompt box, only what events told of counts.
    let typed = "";
    const show = () => setAttributes(send, { "aria-disabled": String(!typed.trim() || this.answer !== null) });
    field.addEventListener("input", () => {
      typed = field.value;
      show();
    });
    const submit = (event) => {
      event.preventDefault();
      if (!typed.trim() || this.answer !== null) return;
      this.answer = typed;
      field.disabled = true;
      show();
      this.#onAnswered();
    };
    return h("form", { class: "function-response", onsubmit: submit }, field, send);
  }
}
