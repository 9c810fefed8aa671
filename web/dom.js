// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="esnext" />
/** Making and changing elements. Text only ever becomes text: labels are a stranger's. */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Touches the text only where it differs, so that a selection lives.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * A name that may be broken behind each `_`.
 * @param {string} name
 * @returns {(Node | string)[]}
 */
export function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part, i) => i === 0 ? [part] : [element("wbr"), part]);
}

/**
 * A part of the page that follows a value.
 * @template T
 * @typedef {{ readonly node: HTMLElement, readonly update: (value: T) => void }} View
 */

/**
 * Keeps one child for each item, in the order of the items, so that focus, selections and opened details live.
 * @template T
 * @param {Element} parent
 * @param {{ key: (item: T) => string, make: (item: T) => View<T> }} options
 * @returns {(items: readonly T[]) => void}
 */
export function list(parent, { key, make }) {
  /** @type {Map<string, View<T>>} */
  const views = new Map();
  return (items) => {
    const keys = new Set(items.map(key));
    for (const [name, view] of views) {
      if (keys.has(name)) continue;
      view.node.remove();
      views.delete(name);
    }
    let place = parent.firstElementChild;
    for (const item of items) {
      const view = views.get(key(item)) ?? make(item);
      views.set(key(item), view);
      if (view.node === place) place = place.nextElementSibling;
      else parent.insertBefore(view.node, place);
      // Behind that: who draws asks how much room there is.
      view.update(item);
    }
  };
}
