// Elements are built node by node: the page's policy forbids strings of HTML.

/** Build an element. Functions under `on…` become listeners, true an empty attribute, null and false none. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Build an icon: a ligature of the symbols font, so its text content is the icon's name. */
export function icon(name) {
  return h("span", { class: "material-symbols-outlined notranslate", "aria-hidden": "true" }, name);
}

/** Set or remove attributes of an element. */
export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Wait, or throw as soon as the signal is aborted. */
export const abortableWait = (ms, signal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
