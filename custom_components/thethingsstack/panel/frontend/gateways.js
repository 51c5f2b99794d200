/** The tab *Gateways*: which gateways receive which end devices, as a table and as a map. */

import { View, alert, h, navigate, replaceChildren } from "./elements.js";
import { ago, number } from "./formats.js";
import { GatewayMap, mapStyle, placed, quality } from "./gateway_map.js";
import { styled } from "./style.js";
import { text } from "./texts.js";
import { VirtualList } from "./virtual_list.js";

const READ_AGAIN = 30_000;
const ROW = 48;
const COLUMN = 96;

const STYLE = `
:host { display: flex; flex-direction: column; height: 100%; background: var(--card-background-color); }
.tools { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; padding: 12px 16px; }
.tools input { flex: 1 1 200px; max-width: 360px; }
.choice { display: flex; }
.choice button {
  min-height: 40px;
  padding: 0 16px;
  border: 1px solid var(--divider-color);
  background: none;
}
.choice button:first-child { border-radius: 8px 0 0 8px; }
.choice button:last-child { border-radius: 0 8px 8px 0; margin-inline-start: -1px; }
.choice button[aria-pressed="true"] {
  border-color: var(--primary-color);
  background: color-mix(in srgb, var(--primary-color) 16%, transparent);
}
.notes > * { display: block; margin: 0 16px 8px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0 16px 12px; font-size: 12px; }
.legend span { display: flex; align-items: center; gap: 6px; }
.legend i { width: 12px; height: 12px; border-radius: 3px; }
.scroller { flex: 1; min-height: 0; overflow: auto; border-top: 1px solid var(--divider-color); }
.table { min-width: max-content; }
.row, .head {
  display: grid;
  grid-template-columns: var(--columns);
  align-items: center;
}
.row { height: ${ROW}px; border-bottom: 1px solid var(--divider-color); }
.head {
  position: sticky;
  top: 0;
  z-index: 2;
  min-height: 56px;
  background: var(--card-background-color);
  border-bottom: 1px solid var(--divider-color);
}
.device, .corner {
  position: sticky;
  left: 0;
  z-index: 1;
  align-self: stretch;
  display: flex;
  align-items: center;
  padding: 0 12px 0 16px;
  background: var(--card-background-color);
}
.device a { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: inherit; text-decoration: none; font-weight: 500; }
.gateway { padding: 4px; text-align: center; min-width: 0; }
.gateway .name { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; overflow-wrap: anywhere; line-height: 1.2; }
.gateway button { border: 0; padding: 2px 4px; background: none; font-size: 12px; color: var(--secondary-text-color); }
.gateway[aria-sort] button { color: var(--primary-text-color); font-weight: 500; }
.gateway[aria-sort] button::after { content: " ↓"; }
.cell { padding: 2px; height: 100%; }
.cell > div {
  height: 100%;
  display: flex;
  flex-direction: column;
  justify-content: center;
  align-items: center;
  border-radius: 6px;
  font-size: 13px;
  line-height: 1.2;
}
.cell small { font-size: 11px; color: var(--secondary-text-color); }
.good { background: color-mix(in srgb, var(--success-color, #43a047) 24%, transparent); }
.fair { background: color-mix(in srgb, var(--warning-color, #ffa600) 26%, transparent); }
.weak { background: color-mix(in srgb, var(--error-color, #db4437) 24%, transparent); }
.unknown { background: var(--secondary-background-color); }
.legend .good { background: var(--success-color, #43a047); }
.legend .fair { background: var(--warning-color, #ffa600); }
.legend .weak { background: var(--error-color, #db4437); }
.map line { background: none; }
.empty { padding: 32px 16px; text-align: center; }
`;

class Gateways extends View {
  #gateways = [];
  #devices = [];
  #words = "";
  #showsMap = false;
  #sortedBy;
  #timer;

  build() {
    this.search = h("input", {
      type: "search",
      placeholder: text("gateways.search"),
      "aria-label": text("gateways.search"),
      oninput: () => {
        this.#words = this.search.value.trim().toLocaleLowerCase();
        this.#arrange();
      },
    });
    const choose = (map) => () => {
      this.#showsMap = map;
      this.#arrange();
    };
    this.choices = [
      h("button", { onclick: choose(false) }, text("gateways.table")),
      h("button", { onclick: choose(true) }, text("gateways.map")),
    ];
    this.count = h("span", { class: "secondary", role: "status" });
    this.notes = h("div", { class: "notes" });
    this.head = h("div", { role: "row", class: "head" });
    this.content = h("div", { role: "rowgroup" });
    this.table = h(
      "div",
      { role: "table", class: "table", "aria-label": text("panel.tab_gateways") },
      this.head,
      this.content,
    );
    this.scroller = h("div", { class: "scroller" }, this.table);
    this.map = new GatewayMap((item) => this.#open(item));
    this.empty = h("p", { class: "empty" });
    this.share = h("span", {}, text("gateways.share"));
    this.root.append(
      styled(STYLE + mapStyle),
      h(
        "div",
        { class: "tools" },
        h("div", { class: "choice", role: "group", "aria-label": text("gateways.view") }, this.choices),
        this.search,
        this.count,
      ),
      this.notes,
      legend(this.share),
      this.scroller,
      this.map.element,
      this.empty,
    );
    this.list = new VirtualList({
      scroller: this.scroller,
      content: this.content,
      height: ROW,
      create: () => h("div", { role: "row", class: "row" }),
      fill: (element, device) => this.#fill(element, device),
    });
    this.content.addEventListener("click", (event) => this.#onClick(event));
    this.#arrange();
  }

  start() {
    this.#read();
    this.#timer = setInterval(() => this.#read(), READ_AGAIN);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  async #read() {
    try {
      const read = await this.hass.callWS({ type: "thethingsstack/panel/gateways" });
      this.#take(read);
      this.notes.replaceChildren();
    } catch (error) {
      this.notes.replaceChildren(alert("error", text("gateways.failed", { error: error.message })));
    }
  }

  #take({ gateways, devices }) {
    const heard = new Map(gateways.map(({ id }) => [id, 0]));
    const alone = new Map(heard);
    for (const { heard_by } of devices) {
      const ids = Object.keys(heard_by);
      for (const id of ids) heard.set(id, heard.get(id) + 1);
      if (ids.length === 1) alone.set(ids[0], alone.get(ids[0]) + 1);
    }
    this.#gateways = gateways.map((gateway) => ({
      ...gateway,
      heard: heard.get(gateway.id),
      alone: alone.get(gateway.id),
    }));
    this.#gateways.sort((a, b) => b.heard - a.heard || a.name.localeCompare(b.name));
    this.#devices = devices;
    this.#arrange();
  }

  #arrange() {
    const devices = this.#devices
      .filter((device) => device.name.toLocaleLowerCase().includes(this.#words))
      .sort((a, b) => this.#compare(a, b));
    const hasPlaces = [...this.#gateways, ...devices].some(placed);
    const none = !this.#gateways.length
      ? text("gateways.none")
      : this.#showsMap && !hasPlaces
        ? text("gateways.no_places")
        : "";
    this.scroller.hidden = this.#showsMap || Boolean(none);
    this.map.element.hidden = !this.#showsMap || Boolean(none);
    this.share.hidden = this.#showsMap; // a map has no per cent
    this.empty.hidden = !none;
    this.empty.textContent = none;
    for (const [index, choice] of this.choices.entries())
      choice.setAttribute("aria-pressed", String(Boolean(index) === this.#showsMap));
    this.count.textContent = text("gateways.count", {
      gateways: number(this.hass, this.#gateways.length),
      devices: number(this.hass, devices.length),
    });
    if (this.#showsMap) this.map.show(this.hass, this.#gateways, devices);
    else this.#showTable(devices);
  }

  /** By the signal at a gateway, or by how few gateways receive it; then by name. */
  #compare(a, b) {
    const rank = ({ heard_by }) =>
      this.#sortedBy ? -(heard_by[this.#sortedBy]?.rssi ?? -999) : Object.keys(heard_by).length || 999;
    return rank(a) - rank(b) || a.name.localeCompare(b.name);
  }

  #showTable(devices) {
    const columns = `clamp(130px, 35vw, 240px) repeat(${this.#gateways.length}, ${COLUMN}px)`;
    this.table.style.setProperty("--columns", columns);
    this.table.setAttribute("aria-rowcount", devices.length + 1);
    replaceChildren(
      this.head,
      h("div", { role: "columnheader", class: "corner" }, text("gateways.device")),
      ...this.#gateways.map((gateway) => this.#header(gateway)),
    );
    this.list.items = devices;
  }

  #header(gateway) {
    const { id, name, device, heard, alone, connected, other_network } = gateway;
    const remarks = [
      text("gateways.alone", { count: number(this.hass, alone) }),
      connected === false && text("gateways.not_connected"),
      other_network && text("gateways.other_network"),
    ];
    const label = device
      ? h("a", { class: "name", href: pageOf(device), "data-key": `name ${id}` }, name)
      : h("span", { class: "name" }, name);
    if (connected === false) label.classList.add("error");
    return h(
      "div",
      {
        role: "columnheader",
        class: "gateway",
        title: [name, ...remarks].filter(Boolean).join("\n"),
        "aria-sort": id === this.#sortedBy ? "descending" : undefined,
      },
      label,
      h(
        "button",
        { onclick: () => this.#sortBy(id), "data-key": `sort ${id}` },
        text("gateways.heard", { count: number(this.hass, heard) }),
      ),
    );
  }

  #sortBy(id) {
    this.#sortedBy = id === this.#sortedBy ? undefined : id;
    this.#arrange();
  }

  #fill(element, device) {
    const link = h("a", { href: pageOf(device.id), "data-key": device.id }, device.name);
    replaceChildren(
      element,
      h("div", { role: "rowheader", class: "device" }, link),
      ...this.#gateways.map(({ id }) => this.#cell(device.heard_by[id])),
    );
  }

  #cell(reception) {
    if (!reception) return h("div", { role: "cell", class: "cell" });
    const { rssi, snr, share, at } = reception;
    const shared = number(this.hass, 100 * share, 0, "%");
    const title = text("gateways.reception", {
      rssi: number(this.hass, rssi),
      snr: number(this.hass, snr, 1),
      share: shared,
      time: ago(this.hass, at),
    });
    return h(
      "div",
      { role: "cell", class: "cell", title },
      h("div", { class: quality(snr) }, number(this.hass, rssi, 0, "dBm"), h("small", {}, shared)),
    );
  }

  #open(item) {
    const device = item.heard_by ? item.id : item.device;
    if (device) navigate(pageOf(device));
  }

  #onClick(event) {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    navigate(link.getAttribute("href"));
  }
}

function pageOf(id) {
  return `/config/devices/device/${id}`;
}

function legend(...notes) {
  const item = (name, label) => h("span", {}, h("i", { class: name }), label);
  return h(
    "div",
    { class: "legend secondary" },
    item("good", text("gateways.good")),
    item("fair", text("gateways.fair")),
    item("weak", text("gateways.weak")),
    ...notes,
  );
}

customElements.define("thethingsstack-gateways", Gateways);
