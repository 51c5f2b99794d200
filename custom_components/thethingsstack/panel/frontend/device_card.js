/** The card *LoRaWAN device*: values, status, rhythm and signal of an end device. */

import { applications, endDevices, entitiesOf, nameOf, stateOf } from "./devices.js";
import { h, ha, navigate, openMoreInfo } from "./elements.js";
import { ago, moment, number, silence } from "./formats.js";
import { drawRhythm, graphStyle, rhythmBar } from "./signal_graph.js";
import { styled } from "./style.js";
import { loadTexts, text } from "./texts.js";

const MOST_VALUES = 8;
const LEVELS = [-15, -10, -5, 0];
const CLOCK = 10_000;

const STYLE = `
:host { display: block; height: 100%; }
ha-card, .card { height: 100%; padding: 12px 16px; overflow: hidden; box-sizing: border-box; }
.top { display: flex; align-items: baseline; gap: 8px; }
.top button { flex: 1; min-width: 0; padding: 0; border: 0; background: none; text-align: start; }
.name { font-size: 16px; font-weight: 500; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.battery { flex: none; }
.battery.low { color: var(--error-color); }
.status { display: flex; align-items: center; gap: 6px; margin-top: 2px; min-height: 20px; }
.dot { flex: none; width: 8px; height: 8px; border-radius: 50%; background: var(--disabled-color, #bdbdbd); }
.dot[data-state="active"] { background: var(--success-color, #43a047); }
.dot:is([data-state="overdue"], [data-state="not_decoded"]) { background: var(--error-color, #db4437); }
.dot:is([data-state="half_created"], [data-state="never_joined"], [data-state="not_registered"]) { background: var(--warning-color, #ffa600); }
.hint { margin-top: 4px; font-size: 12px; }
.rhythm { margin: 10px 0 6px; }
.radio { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2px 12px; font-size: 12px; }
.radio span { display: flex; align-items: baseline; gap: 6px; }
.bars { display: flex; align-items: end; gap: 2px; height: 12px; }
.bars i { width: 3px; background: var(--divider-color); border-radius: 1px; }
.bars i:nth-child(1) { height: 30%; }
.bars i:nth-child(2) { height: 50%; }
.bars i:nth-child(3) { height: 75%; }
.bars i:nth-child(4) { height: 100%; }
.bars i.on { background: var(--primary-color); }
.values { margin-top: 8px; border-top: 1px solid var(--divider-color); padding-top: 6px; }
.values button {
  display: flex;
  justify-content: space-between;
  gap: 12px;
  width: 100%;
  padding: 4px 0;
  border: 0;
  background: none;
  text-align: start;
}
.values span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.values b { flex: none; max-width: 60%; overflow: hidden; text-overflow: ellipsis; font-weight: 500; }
`;

class DeviceCard extends HTMLElement {
  #hass;
  #config;
  #states = [];
  #ready = false;
  #timer;

  constructor() {
    super();
    this.root = this.attachShadow({ mode: "open" });
  }

  /** The form by which the card's editor in Home Assistant changes it. */
  static async getConfigForm() {
    return {
      schema: [
        { name: "device", required: true, selector: { device: { integration: "thethingsstack" } } },
        { name: "name", selector: { text: {} } },
        {
          name: "entities",
          selector: { entity: { multiple: true, filter: { integration: "thethingsstack" } } },
        },
        { name: "show_radio", default: true, selector: { boolean: {} } },
      ],
      computeLabel: ({ name }) => LABELS[name]?.() ?? name,
    };
  }

  static getStubConfig(hass) {
    const [device] = applications(hass).flatMap((application) => endDevices(hass, application));
    return { device: device?.id ?? "" };
  }

  setConfig(config) {
    this.#config = { show_radio: true, ...config };
    this.#states = [];
    this.#show();
  }

  set hass(hass) {
    this.#hass = hass;
    if (this.#ready) this.#show();
    else
      loadTexts(hass).then(() => {
        this.#ready = true;
        this.#show();
      });
  }

  getCardSize() {
    return 4;
  }

  getGridOptions() {
    return { columns: 12, min_columns: 6 };
  }

  connectedCallback() {
    this.#timer = setInterval(() => this.#build(), CLOCK);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  /** Build the card anew if one of the states that it shows is another. */
  #show() {
    if (!this.#ready || !this.#config) return;
    const { device, entities = [] } = this.#config;
    const ids = [...entitiesOf(this.#hass, device).map(({ entity_id }) => entity_id), ...entities];
    const states = [this.#hass.devices[device], ...ids.map((id) => this.#hass.states[id])];
    if (states.length === this.#states.length && states.every((one, i) => one === this.#states[i]))
      return;
    this.#states = states;
    this.#build();
  }

  #build() {
    if (!this.#ready || !this.#config) return;
    const device = this.#hass.devices[this.#config.device];
    const focused = [...this.root.querySelectorAll("button")].indexOf(this.root.activeElement);
    const parts = device
      ? this.#parts(device)
      : [h("p", { class: "secondary" }, text(this.#config.device ? "card.gone" : "card.choose"))];
    const card = ha("ha-card", "div", {}, ...parts);
    if (card.localName === "div") card.className = "card";
    this.root.replaceChildren(styled(graphStyle + STYLE), card);
    if (focused >= 0) this.root.querySelectorAll("button")[focused]?.focus({ preventScroll: true });
  }

  #parts(device) {
    const last = stateOf(this.#hass, device.id, "last_uplink");
    const heard = {
      last_seen: isKnown(last) ? Date.parse(last.state) / 1000 : null,
      interval: last?.attributes.uplink_interval,
      overdue_after: last?.attributes.overdue_after,
    };
    const bar = rhythmBar();
    drawRhythm(bar, heard);
    return [
      this.#top(device),
      this.#status(device, heard),
      bar,
      this.#config.show_radio && this.#radio(heard, last?.attributes ?? {}),
      this.#values(device),
    ];
  }

  #top(device) {
    const battery = this.#battery(device);
    const open = () => {
      const about = ["status", "last_uplink"].map((key) => stateOf(this.#hass, device.id, key));
      if (this.#hass.user?.is_admin) navigate(`/config/devices/device/${device.id}`);
      else openMoreInfo(this, about.find(Boolean)?.entity_id);
    };
    return h(
      "div",
      { class: "top" },
      h("button", { class: "name", onclick: open }, this.#config.name || nameOf(device)),
      battery &&
        h(
          "span",
          { class: Number(battery.state) < 20 ? "battery low" : "battery", title: text("card.battery") },
          this.#hass.formatEntityState(battery),
        ),
    );
  }

  #battery(device) {
    return entitiesOf(this.#hass, device.id)
      .map(({ entity_id }) => this.#hass.states[entity_id])
      .find(
        (state) =>
          isKnown(state) &&
          state.entity_id.startsWith("sensor.") &&
          state.attributes.device_class === "battery",
      );
  }

  #status(device, { last_seen, overdue_after, interval }) {
    const state = stateOf(this.#hass, device.id, "status");
    const overdue = last_seen != null && overdue_after && Date.now() / 1000 - last_seen > overdue_after;
    const status = state?.state ?? (overdue ? "overdue" : undefined);
    const words = [state && this.#hass.formatEntityState(state)];
    if (status === "overdue" && overdue)
      words.push(text("card.since", { time: moment(this.#hass, last_seen + overdue_after) }));
    else if (interval) words.push(text("card.every", { interval: silence(this.#hass, interval) }));
    const step = state?.attributes.next_step;
    return [
      h(
        "div",
        { class: "status" },
        status && h("i", { class: "dot", "data-state": status }),
        words.filter(Boolean).join(" · "),
      ),
      step &&
        h("div", { class: "hint secondary" }, this.#hass.formatEntityAttributeValue(state, "next_step")),
    ];
  }

  #radio({ last_seen }, { rssi, snr, gateways, data_rate }) {
    const level = LEVELS.filter((least) => snr >= least).length;
    const signal = [
      number(this.#hass, rssi, 0, "dBm"),
      snr != null && `SNR ${number(this.#hass, snr, 1, "dB")}`,
      data_rate?.match(/^SF\d+/)?.[0] ?? data_rate,
      gateways > 1 && text("card.gateways", { count: number(this.#hass, gateways) }),
    ];
    return h(
      "div",
      { class: "radio secondary" },
      h("span", {}, last_seen == null ? text("card.never") : ago(this.#hass, last_seen)),
      rssi != null &&
        h(
          "span",
          {},
          h("i", { class: "bars" }, LEVELS.map((_, index) => h("i", { class: index < level ? "on" : "" }))),
          signal.filter(Boolean).join(" · "),
        ),
    );
  }

  #values(device) {
    const chosen = this.#config.entities;
    const ids = chosen?.length
      ? chosen
      : entitiesOf(this.#hass, device.id)
          .filter(({ entity_category, entity_id }) => !entity_category && !entity_id.startsWith("event."))
          .map(({ entity_id }) => entity_id)
          .slice(0, MOST_VALUES);
    const states = ids.map((id) => this.#hass.states[id]).filter(Boolean);
    if (!states.length) return null;
    return h(
      "div",
      { class: "values" },
      states.map((state) =>
        h(
          "button",
          { onclick: () => openMoreInfo(this, state.entity_id) },
          h("span", {}, this.#nameOf(state, device)),
          h("b", {}, this.#valueOf(state)),
        ),
      ),
    );
  }

  /** Return a state in words, of a thermostat with the temperature that it is set to. */
  #valueOf(state) {
    const words = this.#hass.formatEntityState(state);
    if (!state.entity_id.startsWith("climate.") || state.attributes.temperature == null) return words;
    return `${words} · ${this.#hass.formatEntityAttributeValue(state, "temperature")}`;
  }

  /** Return an entity's name without the device's. */
  #nameOf(state, device) {
    const whole = state.attributes.friendly_name ?? state.entity_id;
    const start = nameOf(device);
    return whole.startsWith(`${start} `) ? whole.slice(start.length + 1) : whole;
  }
}

const LABELS = {
  device: () => text("card.device"),
  name: () => text("card.name_shown"),
  entities: () => text("card.entities"),
  show_radio: () => text("card.show_radio"),
};

function isKnown(state) {
  return Boolean(state) && state.state !== "unknown" && state.state !== "unavailable";
}

customElements.define("thethingsstack-device-card", DeviceCard);
