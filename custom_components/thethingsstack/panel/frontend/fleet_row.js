/** One row of the fleet's table: an end device, and the columns that it is sorted by. */

import { h } from "./elements.js";
import { NONE, ago, moment, number, silence } from "./formats.js";
import { drawRhythm, drawSignals, rhythmBar, signalGraph } from "./signal_graph.js";
import { text } from "./texts.js";

const STATUS = "component.thethingsstack.entity.sensor.status.";

/** The columns in order; `value` is what is sorted by, null always comes last. */
export const COLUMNS = [
  { key: "name", label: "fleet.name", value: (row) => row.name.toLocaleLowerCase() },
  { key: "status", label: "fleet.status", value: (row) => row.severity },
  { key: "heard", label: "fleet.heard", value: (row) => row.last_seen, down: true },
  { key: "battery", label: "fleet.battery", value: (row) => row.battery },
  { key: "signal", label: "fleet.signal", value: (row) => row.rssi },
  { key: "sf", label: "fleet.sf", hint: "fleet.sf_hint", value: (row) => row.spreading_factor, down: true },
  { key: "loss", label: "fleet.loss", hint: "fleet.loss_hint", value: (row) => row.packet_loss, down: true },
  { key: "gateways", label: "fleet.gateways", value: (row) => row.gateways },
  { key: "waiting", label: "fleet.waiting", hint: "fleet.waiting_hint", value: (row) => row.downlinks, down: true },
];

/** Return rows in the order of a column; of equal ones the most overdue first, then by name. */
export function sorted(rows, column, down, now = Date.now() / 1000) {
  const keyed = rows.map((row) => ({
    row,
    value: column.value(row),
    silent: (now - (row.last_seen ?? now)) / (row.overdue_after ?? Infinity),
  }));
  keyed.sort((a, b) => {
    if ((a.value == null) !== (b.value == null)) return a.value == null ? 1 : -1;
    if (a.value !== b.value) return (a.value < b.value) === down ? 1 : -1;
    if (a.row.severity < 3 && a.silent !== b.silent) return b.silent - a.silent;
    return a.row.name.localeCompare(b.row.name);
  });
  return keyed.map(({ row }) => row);
}

/** Return a status in words. */
export function statusWords(hass, status) {
  return hass.localize(`${STATUS}state.${status}`) || status;
}

/** Return why the status is so, or what to do about it. */
function reason(hass, row) {
  const interval = row.interval ? silence(hass, row.interval) : undefined;
  if (row.status === "overdue") {
    const time = moment(hass, row.since);
    return interval
      ? text("fleet.overdue_since_usually", { time, interval })
      : text("fleet.overdue_since", { time });
  }
  if (row.status === "not_decoded") return text("fleet.undecoded", { count: row.undecoded });
  if (row.status === "active") return interval ? text("fleet.every", { interval }) : "";
  return nextStep(hass, row);
}

function nextStep(hass, row) {
  if (row.status === "active") return "";
  return hass.localize(`${STATUS}state_attributes.next_step.state.${row.status}`) || "";
}

function severity(row) {
  if (row.status === "active") return "good";
  if (row.status.startsWith("waiting")) return "waiting";
  return row.status === "overdue" || row.status === "not_decoded" ? "bad" : "odd";
}

/** Return an empty row for `fillRow`. */
export function createRow() {
  const cell = (name, ...children) => h("div", { role: "cell", class: name }, ...children);
  const line = (name) => h("span", { class: name });
  return h(
    "div",
    { role: "row", class: "row" },
    cell("name", h("a", { class: "first", tabindex: "-1" }), line("second")),
    cell("status", h("span", { class: "first" }, h("i", { class: "dot" }), line("words")), line("second")),
    cell("heard", line("first"), rhythmBar()),
    cell("battery", line("first")),
    cell("signal", h("span", { class: "numbers" }, line("first"), line("second")), signalGraph()),
    cell("sf", line("first")),
    cell("loss", line("first")),
    cell("gateways", line("first")),
    cell("waiting", line("first")),
  );
}

/** Show an end device in a row. */
export function fillRow(hass, element, row, application) {
  const [name, status, heard, battery, signal, sf, loss, gateways, waiting] = element.children;
  const link = name.firstChild;
  element.id = `device-${row.id}`;
  link.href = devicePath(row);
  put(link, row.name);
  put(name.lastChild, [row.area, application].filter(Boolean).join(" · ") || row.device_id);
  element.dataset.severity = severity(row);
  element.classList.toggle("unheard", row.last_seen == null);
  put(status.querySelector(".words"), statusWords(hass, row.status));
  put(status.lastChild, reason(hass, row));
  status.title = nextStep(hass, row);
  put(heard.firstChild, row.last_seen == null ? text("fleet.never") : ago(hass, row.last_seen));
  heard.title = row.last_seen == null ? "" : moment(hass, row.last_seen);
  drawRhythm(heard.lastChild, row);
  put(battery.firstChild, number(hass, row.battery, 0, "%"));
  battery.classList.toggle("low", row.battery != null && row.battery < 20);
  const [numbers] = signal.children;
  put(numbers.firstChild, number(hass, row.rssi, 0, "dBm"));
  put(numbers.lastChild, row.snr == null ? "" : `SNR ${number(hass, row.snr, 1, "dB")}`);
  put(sf.firstChild, row.spreading_factor ? `SF${row.spreading_factor}` : (row.data_rate ?? NONE));
  put(loss.firstChild, number(hass, row.packet_loss, 1, "%"));
  put(gateways.firstChild, number(hass, row.gateways));
  put(waiting.firstChild, row.downlinks ? number(hass, row.downlinks) : "");
  waiting.classList.toggle("some", row.downlinks > 0);
}

/** Draw the signal of the last day in a row. */
export function fillSignals(hass, element, row, points) {
  const svg = element.querySelector(".graph");
  drawSignals(svg, points, row.interval);
  const levels = points.map(([, rssi]) => rssi).filter((rssi) => rssi != null);
  const words = levels.length
    ? text("fleet.signals", {
        low: number(hass, Math.min(...levels)),
        high: number(hass, Math.max(...levels)),
      })
    : text("fleet.no_signals");
  svg.setAttribute("aria-label", words);
  svg.parentElement.title = words;
}

/** Return the address of the end device's page in Home Assistant. */
export function devicePath(row) {
  return `/config/devices/device/${row.id}`;
}

function put(element, words) {
  if (element.textContent === words) return;
  element.textContent = words;
  element.classList.toggle("none", words === NONE);
}

export const ROW_HEIGHT = 56;
export const SMALL_ROW_HEIGHT = 92;

export const rowStyle = `
.row, .head {
  display: grid;
  grid-template-columns:
    minmax(130px, 3fr) minmax(140px, 4fr) 124px 56px 172px 44px 52px 72px 64px;
  column-gap: 12px;
  align-items: center;
  padding: 0 16px;
}
.row { height: ${ROW_HEIGHT}px; cursor: pointer; border-bottom: 1px solid var(--divider-color); }
.row:hover, .row:focus-within { background: var(--secondary-background-color); }
.row > div { min-width: 0; }
.row .first, .row .second { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row .second { font-size: 12px; color: var(--secondary-text-color); }
.row .status .second { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; white-space: normal; line-height: 16px; }
.row .name .first { color: var(--primary-text-color); font-weight: 500; text-decoration: none; }
.row .status .first { display: flex; align-items: center; gap: 6px; }
.row .words { overflow: hidden; text-overflow: ellipsis; }
.dot { flex: none; width: 8px; height: 8px; border-radius: 50%; background: var(--disabled-color, #bdbdbd); }
[data-severity="good"] .dot { background: var(--success-color, #43a047); }
[data-severity="bad"] .dot { background: var(--error-color, #db4437); }
[data-severity="odd"] .dot { background: var(--warning-color, #ffa600); }
.row .heard .rhythm { margin-top: 6px; }
.row .signal { display: flex; gap: 8px; align-items: center; }
.row .signal, .head .signal { padding-inline-start: 8px; }
.row .numbers { flex: none; width: 80px; }
.row .none { color: var(--secondary-text-color); }
.row .low { color: var(--error-color); }
.row .some { font-weight: 500; color: var(--primary-color); }
.row .battery, .row .sf, .row .loss, .row .gateways, .row .waiting,
.head .battery, .head .sf, .head .loss, .head .gateways, .head .waiting { text-align: end; justify-content: end; }
.medium .row, .medium .head {
  grid-template-columns: minmax(120px, 3fr) minmax(140px, 4fr) 104px 56px 172px 44px;
}
.medium :is(.loss, .gateways, .waiting) { display: none; }
.small .row {
  height: ${SMALL_ROW_HEIGHT}px;
  grid-template-columns: 1fr auto;
  grid-template-rows: auto auto auto;
  gap: 2px 12px;
  padding: 8px 16px;
}
.small .row .name { grid-area: 1 / 1; }
.small .row .name { display: flex; gap: 8px; align-items: baseline; }
.small .row .name .second { flex: 1; }
.small .row .name .first { flex: none; max-width: 100%; }
.small .row .battery { grid-area: 1 / 2; }
.small .row .status { grid-area: 2 / 1; }
.small .row .signal { grid-area: 2 / 2; }
.small .row .signal .numbers { width: auto; text-align: end; }
.small .row .signal .graph { width: 48px; }
.small .row .heard { grid-area: 3 / 1; display: flex; gap: 12px; align-items: center; font-size: 12px; }
.small .row .heard .rhythm { flex: 1; margin: 0; }
.small .row .none { visibility: hidden; }
.small .row .sf { grid-area: 3 / 2; font-size: 12px; }
.small :is(.loss, .gateways, .waiting) { display: none; }
.small .row:not(.unheard) .status .second { -webkit-line-clamp: 1; }
.small .unheard .status { grid-column: 1 / -1; }
.small .unheard :is(.heard, .signal) { display: none; }
`;
