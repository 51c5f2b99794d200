/** The panel: menu button, title, tabs, and the view of the chosen tab. */

import { alert, h, ha, icon, navigate } from "./elements.js";
import { styled } from "./style.js";
import { loadTexts, text } from "./texts.js";

const TABS = [
  { path: "traffic", tag: "thethingsstack-traffic", label: "panel.tab_traffic" },
  { path: "fleet", tag: "thethingsstack-fleet", label: "panel.tab_fleet" },
  { path: "gateways", tag: "thethingsstack-gateways", label: "panel.tab_gateways" },
];
const MENU = "M3,6H21V8H3V6M3,11H21V13H3V11M3,16H21V18H3V16Z";

const STYLE = `
:host {
  display: flex;
  flex-direction: column;
  height: 100vh;
  height: 100dvh;
  background: var(--primary-background-color);
}
header {
  flex: none;
  background: var(--app-header-background-color);
  color: var(--app-header-text-color, #fff);
  border-bottom: var(--app-header-border-bottom, none);
}
.bar { display: flex; align-items: center; min-height: var(--header-height, 56px); padding: 0 8px; }
.bar h1 { flex: none; font-size: 20px; font-weight: 400; margin: 0 16px 0 8px; }
nav { display: flex; flex: 1; align-self: stretch; overflow-x: auto; }
nav button {
  flex: none;
  min-width: 72px;
  padding: 0 16px;
  border: 0;
  border-bottom: 2px solid transparent;
  border-top: 2px solid transparent;
  background: none;
  white-space: nowrap;
}
nav button[aria-selected="true"] { border-bottom-color: var(--app-header-text-color, #fff); }
nav button:focus-visible { outline-color: currentColor; outline-offset: -4px; }
main { flex: 1; min-height: 0; overflow: auto; }
main > * { min-height: 100%; }
:host([narrow]) .bar { flex-wrap: wrap; padding: 0 4px; }
:host([narrow]) nav { flex-basis: 100%; height: 48px; }
:host([narrow]) nav button { flex: 1; }
`;

class Panel extends HTMLElement {
  #hass;
  #narrow = false;
  #path = "";
  #prefix = "";
  #view;
  #shown;
  #language;

  constructor() {
    super();
    this.root = this.attachShadow({ mode: "open" });
  }

  set hass(hass) {
    this.#hass = hass;
    if (this.#view) this.#view.hass = hass;
    if (this.#menu) this.#menu.hass = hass;
    if (hass.language !== this.#language) this.#load(hass);
  }

  set narrow(narrow) {
    this.#narrow = narrow;
    this.toggleAttribute("narrow", narrow);
    if (this.#view) this.#view.narrow = narrow;
    if (this.#menu) this.#menu.narrow = narrow;
  }

  set route(route) {
    this.#path = route.path.split("/")[1] ?? "";
    this.#prefix = route.prefix;
    if (this.root.hasChildNodes()) this.#show();
  }

  get #menu() {
    return this.root.querySelector("ha-menu-button");
  }

  async #load(hass) {
    this.#language = hass.language;
    try {
      await loadTexts(hass);
    } catch {
      this.#language = undefined; // the connection was just lost: with the next state, once more
      return;
    }
    this.#build();
    this.#shown = undefined;
    await this.#show();
  }

  #build() {
    const menu = ha("ha-menu-button", "button", { hass: this.#hass, narrow: this.#narrow });
    if (menu.localName === "button") {
      menu.className = "icon";
      menu.setAttribute("aria-label", text("panel.menu"));
      menu.append(icon(MENU));
      menu.addEventListener("click", () =>
        this.dispatchEvent(new CustomEvent("hass-toggle-menu", { bubbles: true, composed: true })),
      );
    }
    this.tabs = TABS.map((tab) =>
      h(
        "button",
        { role: "tab", id: tab.path, onclick: () => navigate(`${this.#prefix}/${tab.path}`) },
        text(tab.label),
      ),
    );
    const tablist = h("nav", { role: "tablist", "aria-label": text("panel.title") }, this.tabs);
    tablist.addEventListener("keydown", (event) => this.#onKey(event));
    this.main = h("main", { role: "tabpanel" });
    this.root.replaceChildren(
      styled(STYLE),
      h("header", {}, h("div", { class: "bar" }, menu, h("h1", {}, text("panel.title")), tablist)),
      this.main,
    );
  }

  async #show() {
    const tab = TABS.find((one) => one.path === this.#path) ?? TABS[0];
    if (tab === this.#shown) return;
    this.#shown = tab;
    for (const [index, element] of this.tabs.entries()) {
      const selected = TABS[index] === tab;
      element.setAttribute("aria-selected", String(selected));
      element.tabIndex = selected ? 0 : -1;
    }
    this.main.setAttribute("aria-labelledby", tab.path);
    try {
      await import(`./${tab.path}.js`);
    } catch (error) {
      console.error(error);
      this.#view = undefined;
      this.main.replaceChildren(alert("error", text("panel.not_loaded")));
      return;
    }
    if (tab !== this.#shown) return;
    this.#view = h(tab.tag, { narrow: this.#narrow, hass: this.#hass });
    this.main.replaceChildren(this.#view);
  }

  #onKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (this.tabs.indexOf(event.target) + step + TABS.length) % TABS.length;
    this.tabs[next].focus();
    this.tabs[next].click();
  }
}

customElements.define("thethingsstack-panel", Panel);
