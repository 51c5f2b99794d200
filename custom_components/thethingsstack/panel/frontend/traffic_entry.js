/** One entry of the live view in full. */

import { copyText } from "./clipboard.js";
import { downlinkForm, formatterForm, simulate } from "./entry_actions.js";
import { alert, button, fire, h, iconButton, navigate, openMoreInfo } from "./elements.js";
import { number } from "./formats.js";
import { styled } from "./style.js";
import { text } from "./texts.js";
import { kindOf, sayingOf } from "./traffic_row.js";

const CLOSE =
  "M19,6.41L17.59,5L12,10.59L6.41,5L5,6.41L10.59,12L5,17.59L6.41,19L12,13.41L17.59,19L19,17.59L13.41,12L19,6.41Z";
const COPY =
  "M19,21H8V7H19M19,5H8A2,2 0 0,0 6,7V21A2,2 0 0,0 8,23H19A2,2 0 0,0 21,21V7A2,2 0 0,0 19,5M16,1H4A2,2 0 0,0 2,3V17H4V3H16V1Z";
/** Names, which are the same in all languages. */
const SERVERS = {
  network: "Network Server",
  application: "Application Server",
  home_assistant: "Home Assistant",
};
const WEAKEST = -130;
const STRONGEST = -30;

const STYLE = `
:host { padding: 0 16px 24px; }
header { position: sticky; top: 0; z-index: 1; display: flex; align-items: center; gap: 8px; padding: 8px 0; background: var(--card-background-color); }
header > div { flex: 1; min-width: 0; }
header h2 { overflow: hidden; text-overflow: ellipsis; }
section { margin-top: 20px; }
section h3 { display: flex; align-items: center; min-height: 32px; margin-bottom: 4px; }
section h3 > :first-child { flex: 1; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; padding: 4px 0; }
.sides section { margin: 0; min-width: 0; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(280px, 100%), 1fr)); gap: 12px; }
pre {
  margin: 0;
  padding: 12px;
  border-radius: 8px;
  overflow: auto;
  max-height: 320px;
  background: var(--secondary-background-color);
  font: 13px/1.5 var(--ha-font-family-code, monospace);
}
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; }
th { text-align: start; font-weight: 500; white-space: nowrap; color: var(--secondary-text-color); }
th, td { padding: 6px 8px 6px 0; border-bottom: 1px solid var(--divider-color); vertical-align: top; }
td { overflow-wrap: anywhere; }
td.number, th.number { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; }
.link { padding: 0; border: 0; background: none; color: var(--primary-color); text-align: start; }
.gauge { height: 8px; border-radius: 4px; background: var(--secondary-background-color); overflow: hidden; min-width: 60px; margin-top: 6px; }
.gauge > div { height: 100%; border-radius: 4px; background: var(--primary-color); }
dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 16px; margin: 0; }
dt { color: var(--secondary-text-color); }
dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: 8px 0; font-weight: 500; }
.form { display: grid; gap: 12px; margin-top: 12px; padding: 12px; border: 1px solid var(--divider-color); border-radius: 12px; }
.form label { display: grid; gap: 4px; }
.form label.check { display: flex; align-items: center; gap: 8px; }
.form label.check input { min-height: 0; width: 20px; height: 20px; }
.form textarea { min-height: 200px; font: 13px/1.5 var(--ha-font-family-code, monospace); resize: vertical; }
.form .end { display: flex; gap: 8px; justify-content: flex-end; flex-wrap: wrap; }
`;

class Entry extends HTMLElement {
  #hass;
  #row;
  #details;
  #opener;

  constructor() {
    super();
    this.root = this.attachShadow({ mode: "open" });
  }

  set hass(hass) {
    const states = this.#hass?.states;
    this.#hass = hass;
    if (this.#details && states !== hass.states) this.#showStates();
  }

  get hass() {
    return this.#hass;
  }

  /** The row whose entry is shown. */
  set row(row) {
    if (row === this.#row) return;
    this.#row = row;
    this.#details = undefined;
    this.#show();
    this.#read(row);
  }

  /** Move the keyboard's focus into this. */
  async focusFirst() {
    const close = this.root.querySelector("header [data-close]");
    await close.updateComplete; // one of Home Assistant's elements can't be focused before
    close.focus();
  }

  /** Close the form of an action, and go back to the button that opened it. */
  closeForm() {
    this.form.replaceChildren();
    this.#opener?.focus();
  }

  async #read(row) {
    try {
      const type = "thethingsstack/traffic/entry";
      const details = await this.#hass.callWS({ type, entry_id: row.entry_id, row: row.id });
      if (row !== this.#row) return;
      this.#details = details;
      this.#showDetails();
    } catch (error) {
      if (row !== this.#row) return;
      const message =
        error.code === "not_found" ? text("traffic.gone") : text("traffic.failed", { error: error.message });
      this.root.append(alert("warning", message));
    }
  }

  #show() {
    const row = this.#row;
    const kind = kindOf(row);
    const close = iconButton(text("traffic.close"), CLOSE, () => fire(this, "entry-close"), { "data-close": "" });
    this.root.replaceChildren(
      styled(STYLE),
      h(
        "header",
        {},
        h("div", {}, h("h2", {}, row.name ?? text(kind.label)), h("div", { class: "secondary" }, this.#subtitle(kind))),
        close,
      ),
    );
  }

  #showDetails() {
    this.form = h("div");
    this.root.append(
      ...[
        this.#actions(),
        this.form,
        this.#warnings(),
        this.#payload(),
        this.#fields(),
        this.#radio(),
        this.#times(),
        this.#correlation(),
        this.#raw(),
      ].filter(Boolean),
    );
    this.#showStates();
  }

  #subtitle(kind) {
    const row = this.#row;
    const parts = [
      row.name && text(kind.label),
      row.port && text("traffic.port_number", { port: row.port }),
      this.#moment(row.time),
      row.simulated && text("traffic.simulated"),
      row.confirmed && text("traffic.confirmed"),
    ];
    return parts.filter(Boolean).join(" · ");
  }

  #actions() {
    const { may, hex, raw } = this.#details;
    const { device } = this.#row;
    const toForm = (build) => (event) => {
      this.#opener = event.currentTarget;
      this.form.replaceChildren(build());
    };
    const action = (key, onclick) => button(text(key), onclick, { appearance: "filled" });
    const buttons = [
      device && action("traffic.open_device", () => navigate(`/config/devices/device/${device}`)),
      may.send && action("traffic.send", toForm(() => downlinkForm(this, this.#row))),
      may.try_formatter && action("traffic.try_formatter", toForm(() => formatterForm(this, this.#row))),
      may.simulate && action("traffic.simulate", () => simulate(this, this.#row, hex)),
      raw && action("traffic.copy_json", () => copyText(this, json(raw))),
    ].filter(Boolean);
    return buttons.length && h("div", { class: "actions" }, buttons);
  }

  #warnings() {
    const { warnings = [] } = this.#details;
    const row = this.#row;
    const bad = kindOf(row).bad && sayingOf(row);
    const problems = [
      ...(bad ? [alert("error", bad)] : []),
      ...(row.undecoded ? [alert("warning", text("traffic.undecoded_hint"))] : []),
      ...(row.device_id && !row.device ? [alert("info", text("traffic.not_in_ha"))] : []),
      ...warnings.map((warning) => alert("warning", text("traffic.formatter_warns", { warning }))),
    ];
    return problems.length && h("section", {}, problems);
  }

  #payload() {
    const { hex, decoded, normalized } = this.#details;
    const sides = [
      decoded && part(text("traffic.decoded"), h("pre", {}, json(decoded)), this.#copy(json(decoded))),
      hex && part(text("traffic.bytes", { count: hex.length / 2 }), h("pre", { class: "wrap" }, spaced(hex)), this.#copy(hex)),
      normalized && part(text("traffic.normalized"), h("pre", {}, json(normalized))),
    ].filter(Boolean);
    return sides.length && h("section", { class: "sides" }, sides);
  }

  #copy(value) {
    return iconButton(text("traffic.copy"), COPY, () => copyText(this, value));
  }

  #fields() {
    const { fields = [] } = this.#details;
    if (!fields.length) return null;
    const head = ["traffic.field", "traffic.reported", "traffic.entity"].map((key) => h("th", { scope: "col" }, text(key)));
    const rows = fields.map((field) =>
      h("tr", {}, h("td", { class: "mono" }, field.path), h("td", {}, this.#value(field)), this.#entityCell(field)),
    );
    return part(text("traffic.fields"), h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)));
  }

  #value({ reported, value, unit }) {
    const plain = String(reported);
    if (value == null) return plain;
    const read = typeof value === "number" ? number(this.#hass, value, 3, unit ?? "") : String(value);
    return typeof value === "number" && (unit || value !== reported) ? read : plain;
  }

  #entityCell(field) {
    const cell = h("td", { title: field.reason ?? "" });
    if (!field.shown) cell.append(h("span", { class: "secondary" }, text("traffic.no_entity")));
    else if (!field.entity_id) cell.append(h("span", { class: "secondary" }, text("traffic.entity_comes")));
    else if (field.disabled) cell.append(h("span", { class: "secondary" }, text("traffic.entity_disabled")));
    else
      cell.append(
        h("button", {
          class: "link",
          "data-entity": field.entity_id,
          onclick: () => openMoreInfo(this, field.entity_id),
        }),
      );
    return cell;
  }

  /** Show the present states of the entities, which change while this is open. */
  #showStates() {
    for (const link of this.root.querySelectorAll("[data-entity]")) {
      const state = this.#hass.states[link.dataset.entity];
      const name = state?.attributes.friendly_name ?? link.dataset.entity;
      const device = this.#row.name;
      const short = device && name.startsWith(`${device} `) ? name.slice(device.length + 1) : name;
      const value = state && (this.#hass.formatEntityState?.(state) ?? state.state);
      link.textContent = value ? `${short}: ${value}` : short;
    }
  }

  #radio() {
    const { radio, gateway_names: names } = this.#details;
    if (!radio) return null;
    const facts = [
      radio.data_rate,
      radio.frequency && number(this.#hass, radio.frequency / 1e6, 3, "MHz"),
      radio.airtime && text("traffic.airtime", { time: number(this.#hass, radio.airtime * 1000, 0, "ms") }),
      radio.f_cnt != null && text("traffic.counter", { count: radio.f_cnt }),
    ];
    const rows = radio.receptions.map((reception) => this.#reception(reception, names));
    const columns = ["traffic.gateway", "traffic.rssi", "traffic.snr", "traffic.channel"];
    const head = columns.map((key, index) => h("th", { scope: "col", class: index ? "number" : "" }, text(key)));
    return part(
      text("traffic.radio"),
      h("p", { class: "secondary" }, facts.filter(Boolean).join(" · ")),
      rows.length > 0 && h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
    );
  }

  #reception({ gateway_id: id, rssi, snr, channel, via_packet_broker: other }, names) {
    const share = rssi == null ? 0 : (rssi - WEAKEST) / (STRONGEST - WEAKEST);
    const width = `${Math.round(100 * Math.min(1, Math.max(0.03, share)))}%`;
    const name = names[id] ?? id;
    return h(
      "tr",
      {},
      h(
        "td",
        {},
        h("div", { title: id }, other ? text("traffic.other_network", { gateway: name }) : name),
        h("div", { class: "gauge", "aria-hidden": "true" }, h("div", { style: `width: ${width}` })),
      ),
      h("td", { class: "number" }, number(this.#hass, rssi, 0, "dBm")),
      h("td", { class: "number" }, number(this.#hass, snr, 1, "dB")),
      h("td", { class: "number" }, number(this.#hass, channel)),
    );
  }

  #times() {
    const times = Object.entries(this.#details.times);
    const start = Date.parse(times[0][1]);
    const items = times.flatMap(([name, time], index) => {
      const later = (Date.parse(time) - start) / 1000;
      const shown = [this.#moment(time, true), index > 0 && `+${number(this.#hass, later, 2, "s")}`];
      return [h("dt", {}, SERVERS[name] ?? text("traffic.gateway")), h("dd", {}, shown.filter(Boolean).join(" · "))];
    });
    return part(text("traffic.times"), h("dl", {}, items));
  }

  #correlation() {
    const { correlation_ids: ids = [] } = this.#details;
    if (!ids.length) return null;
    return h("details", {}, h("summary", {}, text("traffic.correlation")), h("pre", { class: "wrap" }, ids.join("\n")));
  }

  #raw() {
    const { raw } = this.#details;
    if (!raw) return null;
    return h("details", {}, h("summary", {}, text("traffic.json")), h("pre", {}, json(raw)));
  }

  #moment(time, exact = false) {
    const { time_format: format, time_zone: zone } = this.#hass.locale ?? {};
    const options = { dateStyle: "medium", timeStyle: "medium" };
    if (exact)
      Object.assign(options, {
        dateStyle: undefined,
        timeStyle: undefined,
        hour: "numeric",
        minute: "2-digit",
        second: "2-digit",
        fractionalSecondDigits: 3,
      });
    if (format === "12" || format === "24") options.hour12 = format === "12";
    if (zone === "server") options.timeZone = this.#hass.config.time_zone;
    return new Date(time).toLocaleString(this.#hass.language, options);
  }
}

function part(title, ...content) {
  const [first, ...rest] = content;
  const isButton = rest.length && rest.at(-1)?.localName?.includes("button");
  const corner = isButton ? rest.pop() : null;
  return h("section", {}, h("h3", {}, h("span", {}, title), corner), first, rest);
}

function json(value) {
  return JSON.stringify(value, null, 2);
}

function spaced(hex) {
  return hex.match(/../g).join(" ");
}

customElements.define("thethingsstack-traffic-entry", Entry);
