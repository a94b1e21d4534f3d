// Elements of the page itself, whose words are in the page's language. What people and models write is built by `dom.js`
// alone and stays as it is.

import { h as element } from "./dom.js";
import { say } from "./labels.js";

export { icon, setAttributes } from "./dom.js";

const SAID = ["aria-label", "placeholder"];

/** Build an element as `dom.js` does, its labels and texts translated. */
export function h(tag, attributes = {}, ...children) {
  const said = Object.fromEntries(SAID.filter((name) => typeof attributes[name] === "string").map((name) => [name, say(attributes[name])]));
  const texts = children.flat().map((child) => (typeof child === "string" ? say(child) : child));
  return element(tag, { ...attributes, ...said }, ...texts);
}
