/** The filters of the live view: words, application, end device, kind, port, gateway. */

import { h } from "./elements.js";
import { text } from "./texts.js";
import { GROUPS, deviceKey } from "./traffic_row.js";

const NOTHING = { words: "", entry: "", device: "", group: "", port: "", gateway: "" };
const SELECTS = {
  entry: { label: "traffic.application", all: "traffic.all_applications" },
  device: { label: "traffic.device", all: "traffic.all_devices" },
  group: { label: "traffic.kind", all: "traffic.all_kinds" },
  port: { label: "traffic.port", all: "traffic.all_ports" },
  gateway: { label: "traffic.gateway", all: "traffic.all_gateways" },
};

export class TrafficFilters {
  /** What is wanted, as `fits` takes it. */
  value = NOTHING;
  #changed;

  /** Call `changed(names)` when the user has changed filters of these names. */
  constructor(changed) {
    this.#changed = changed;
    this.search = h("input", {
      type: "search",
      placeholder: text("traffic.search"),
      "aria-label": text("traffic.search"),
      oninput: () => this.#set("words", this.search.value.trim().toLocaleLowerCase()),
    });
    this.selects = Object.fromEntries(
      Object.entries(SELECTS).map(([name, { label, all }]) => [
        name,
        h(
          "select",
          { "aria-label": text(label), onchange: (event) => this.#set(name, event.target.value) },
          h("option", { value: "" }, text(all)),
        ),
      ]),
    );
    this.element = h("div", { class: "filters" }, Object.values(this.selects));
    this.#fill("group", Object.entries(GROUPS).map(([value, key]) => [value, text(key)]));
    this.selects.entry.hidden = true;
  }

  /** Offer these applications. */
  showApplications(applications) {
    this.selects.entry.hidden = applications.length < 2;
    this.#fill("entry", applications.map(({ entry_id, name }) => [entry_id, name]));
  }

  /** Offer what the rows have, sorted for the language. */
  showRows(rows, language) {
    const devices = new Map();
    const ports = new Set();
    const gateways = new Set();
    for (const row of rows) {
      if (row.device_id) devices.set(deviceKey(row), row.name);
      if (row.device && row.device === this.value.device) this.#set("device", deviceKey(row));
      if (row.port) ports.add(row.port);
      row.gateways?.forEach((gateway) => gateways.add(gateway));
    }
    const { compare } = new Intl.Collator(language, { numeric: true });
    const numbers = [...ports].sort((a, b) => a - b);
    this.#fill("device", [...devices].sort((a, b) => compare(a[1], b[1])));
    this.#fill("port", numbers.map((port) => [String(port), text("traffic.port_number", { port })]));
    this.#fill("gateway", [...gateways].sort(compare).map((id) => [id, id]));
  }

  /** Want one end device, named by its key or its ID in Home Assistant. */
  wantDevice(device) {
    this.value = { ...this.value, device };
  }

  /** Want everything. */
  reset() {
    this.search.value = "";
    for (const select of Object.values(this.selects)) select.value = "";
    this.value = NOTHING;
    this.#changed(Object.keys(NOTHING));
  }

  #set(name, value) {
    this.value = { ...this.value, [name]: value };
    this.#changed([name]);
  }

  /** Offer these pairs of value and label; what is chosen stays, also where it is not among them. */
  #fill(name, choices) {
    const select = this.selects[name];
    const chosen = this.value[name];
    const there = !chosen || choices.some(([value]) => value === chosen);
    const others = there ? [] : [[chosen, chosen.split("/").pop()]];
    const wanted = [["", text(SELECTS[name].all)], ...choices, ...others];
    const key = JSON.stringify(wanted);
    if (select.choices === key) return;
    select.choices = key;
    select.replaceChildren(...wanted.map(([value, label]) => h("option", { value }, label)));
    select.value = chosen;
  }
}
