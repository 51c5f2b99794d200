/** Making elements, Home Assistant's own where they exist, and the base of the panel's views. */

/**
 * Return a new element: `h("a", { href: "/", class: "wide" }, "text", child)`.
 *
 * Names beginning with `on` are listeners, `class`, `role`, `aria-…`, `data-…` and the like are
 * attributes, all else are properties. Children that are null or false are left out.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (/^(class|role|style|for|slot|tabindex)$|-/.test(name)) {
      if (value !== undefined) element.setAttribute(name, value);
    } else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** Return one of Home Assistant's elements, or `instead` (a tag) where it isn't defined. */
export function ha(tag, instead, properties, ...children) {
  return h(customElements.get(tag) ? tag : instead, properties, ...children);
}

/** Return a button with text. */
export function button(label, onclick, properties = {}) {
  return ha("ha-button", "button", { type: "button", onclick, ...properties }, label);
}

/** Return a button with an icon; `path` is that of an SVG image of 24 × 24. */
export function iconButton(label, path, onclick, properties = {}) {
  if (customElements.get("ha-icon-button"))
    return h("ha-icon-button", { label, path, onclick, ...properties });
  return h("button", { class: "icon", "aria-label": label, onclick, ...properties }, icon(path));
}

/** Return an icon of 24 × 24. */
export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/** Return a message in a coloured box; `type` is info, warning, error or success. */
export function alert(type, message) {
  return ha("ha-alert", "p", { alertType: type, role: "status" }, message);
}

/**
 * Replace the children of an element. The focus stays on what has it, also where that is another
 * element by now: one with the same `data-key`.
 */
export function replaceChildren(parent, ...children) {
  const focused = parent.getRootNode().activeElement;
  const key = parent.contains(focused) ? focused.dataset.key : undefined;
  parent.replaceChildren(...children);
  if (key !== undefined)
    parent.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

/** Tell Home Assistant's frontend something, as its own elements do. */
export function fire(element, type, detail = {}) {
  element.dispatchEvent(new CustomEvent(type, { bubbles: true, composed: true, detail }));
}

/** Open Home Assistant's dialogue of an entity. */
export function openMoreInfo(element, entityId) {
  fire(element, "hass-more-info", { entityId });
}

/** Go to another page of Home Assistant, without loading it anew. */
export function navigate(path, replace = false) {
  history[replace ? "replaceState" : "pushState"](null, "", path);
  window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace } }));
}

/**
 * The base of a view: an element that the panel gives `hass` and `narrow`, with a shadow root.
 *
 * The texts are loaded when it is made. What a subclass may define: `build()` fills `this.root`
 * when it is shown, `start()` begins subscriptions, `changed()` is called when `hass` or `narrow`
 * changed. Subscriptions made by `subscribe` end when the view is left.
 */
export class View extends HTMLElement {
  #hass;
  #narrow = false;
  #subscriptions = [];
  #running = false;

  constructor() {
    super();
    this.root = this.attachShadow({ mode: "open" });
  }

  get hass() {
    return this.#hass;
  }

  set hass(hass) {
    this.#hass = hass;
    if (this.#running) this.changed();
    else this.#run();
  }

  get narrow() {
    return this.#narrow;
  }

  set narrow(narrow) {
    this.#narrow = narrow;
    this.toggleAttribute("narrow", narrow);
    if (this.#running) this.changed();
  }

  connectedCallback() {
    this.#run();
  }

  disconnectedCallback() {
    this.#running = false;
    for (const subscription of this.#subscriptions.splice(0))
      subscription.then((unsubscribe) => unsubscribe()).catch(() => {});
  }

  #run() {
    if (this.#running || !this.#hass || !this.isConnected) return;
    this.#running = true;
    if (!this.root.hasChildNodes()) this.build();
    this.start();
    this.changed();
  }

  build() {}

  start() {}

  changed() {}

  /** Subscribe to a websocket command; returns a promise that fails where it is refused. */
  subscribe(command, callback) {
    const subscription = this.#hass.connection.subscribeMessage(callback, command);
    this.#subscriptions.push(subscription);
    if (!this.#running) this.unsubscribe(subscription); // the view has gone while it was reading
    return subscription;
  }

  /** End one of the subscriptions. */
  unsubscribe(subscription) {
    this.#subscriptions = this.#subscriptions.filter((other) => other !== subscription);
    subscription.then((unsubscribe) => unsubscribe()).catch(() => {});
  }
}
