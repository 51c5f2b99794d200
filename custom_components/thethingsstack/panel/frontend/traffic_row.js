/** A row of the live view: what kind it is, what it says, whether it fits a filter. */

import { h, icon } from "./elements.js";
import { number } from "./formats.js";
import { text } from "./texts.js";

export const ROW_HEIGHT = 40;
export const SMALL_ROW_HEIGHT = 60;

const UP = "M15,20H9V12H4.16L12,4.16L19.84,12H15V20Z";
const DOWN = "M9,4H15V12H19.84L12,19.84L4.16,12H9V4Z";
const JOIN =
  "M10,17V14H3V10H10V7L15,12L10,17M10,2H19A2,2 0 0,1 21,4V20A2,2 0 0,1 19,22H10A2,2 0 0,1 8,20V18H10V20H19V4H10V6H8V4A2,2 0 0,1 10,2Z";
const PLACE =
  "M12,11.5A2.5,2.5 0 0,1 9.5,9A2.5,2.5 0 0,1 12,6.5A2.5,2.5 0 0,1 14.5,9A2.5,2.5 0 0,1 12,11.5M12,2A7,7 0 0,0 5,9C5,14.25 12,22 12,22C12,22 19,14.25 19,9A7,7 0 0,0 12,2Z";
const DOT = "M12,7A5,5 0 0,0 7,12A5,5 0 0,0 12,17A5,5 0 0,0 17,12A5,5 0 0,0 12,7Z";
const ALERT =
  "M13,13H11V7H13M13,17H11V15H13M12,2A10,10 0 0,0 2,12A10,10 0 0,0 12,22A10,10 0 0,0 22,12A10,10 0 0,0 12,2Z";

/** The choices of the filter for kinds. */
export const GROUPS = {
  uplink: "traffic.uplinks",
  join: "traffic.joins",
  downlink: "traffic.downlinks",
  location: "traffic.locations",
  service: "traffic.services",
  event: "traffic.events",
  mac: "traffic.mac_commands",
  stream: "traffic.stream",
};

const KINDS = {
  uplink: { group: "uplink", label: "traffic.kind_uplink", path: UP },
  join: { group: "join", label: "traffic.kind_join", path: JOIN },
  queued: { group: "downlink", label: "traffic.kind_queued", path: DOWN },
  sent: { group: "downlink", label: "traffic.kind_sent", path: DOWN },
  ack: { group: "downlink", label: "traffic.kind_ack", path: DOWN },
  nack: { group: "downlink", label: "traffic.kind_nack", path: DOWN, bad: true },
  failed: { group: "downlink", label: "traffic.kind_failed", path: DOWN, bad: true },
  invalidated: { group: "downlink", label: "traffic.kind_invalidated", path: DOWN, bad: true },
  location: { group: "location", label: "traffic.kind_location", path: PLACE },
  service: { group: "service", label: "traffic.kind_service", path: DOT },
  connected: { group: "stream", label: "traffic.kind_connected", path: DOT },
  lost: { group: "stream", label: "traffic.kind_lost", path: ALERT, bad: true },
  dropped: { group: "stream", label: "traffic.kind_dropped", path: ALERT, bad: true },
  unreadable: { group: "stream", label: "traffic.kind_unreadable", path: ALERT, bad: true },
};

const MAC_COMMAND = "traffic.event_mac_command";
const EVENTS = [
  [/^js\.join\.reject|^ns\.up\.join\..*(fail|drop)|^as\.up\.join\.drop/, "traffic.event_join_rejected", true],
  [/^(js|ns|as)\..*join/, "traffic.event_join"],
  [/^as\.up\.data\.decode\.fail/, "traffic.event_not_decoded", true],
  [/^as\.up\..*warning/, "traffic.event_formatter_warning"],
  [/\.up\..*drop/, "traffic.event_uplink_dropped", true],
  [/^as\.down\..*(fail|drop)|^ns\.down\..*fail/, "traffic.event_downlink_failed", true],
  [/^as\.webhook\.fail/, "traffic.event_webhook_failed", true],
  [/^ns\.mac\./, MAC_COMMAND],
  [/^ns\.class\./, "traffic.event_class"],
  [/^end_device\./, "traffic.event_registration"],
  [/^gs\.gateway\.connect/, "traffic.event_gateway_connected"],
  [/^gs\.gateway\.disconnect/, "traffic.event_gateway_disconnected", true],
];

/** Return what a row is: `group`, `label` (a text's key), `path` of its icon, and `bad`. */
export function kindOf(row) {
  if (row.kind !== "event") return KINDS[row.kind] ?? { label: "traffic.kind_event", path: DOT };
  const [, label, bad] = EVENTS.find(([pattern]) => pattern.test(row.event)) ?? [];
  return { group: "event", label: label ?? "traffic.kind_event", path: bad ? ALERT : DOT, bad };
}

/** Return what a row says after its kind. */
export function sayingOf(row) {
  if (row.kind === "event" && row.event.startsWith("gs.gateway.")) return row.text;
  if (row.kind === "event") return row.text ? `${row.text} · ${row.event}` : row.event;
  if (row.kind === "dropped") return text("traffic.count_dropped", { count: row.count });
  if (row.kind === "join") return row.text ? text("traffic.address", { address: row.text }) : "";
  return row.text;
}

/**
 * Return whether a row fits a filter: entry, device, group, port, gateway and words.
 *
 * A device is named by `deviceKey`, or by its ID in Home Assistant.
 */
export function fits(row, { entry, device, group, port, gateway, words }) {
  if (entry && row.entry_id !== entry) return false;
  if (device && deviceKey(row) !== device && row.device !== device) return false;
  if (group && !isOfGroup(row, group)) return false;
  if (port && String(row.port) !== port) return false;
  if (gateway && !row.gateways?.includes(gateway)) return false;
  if (!words) return true;
  row.words ??= [row.name, row.device_id, sayingOf(row), text(kindOf(row).label), row.data_rate, row.gateways]
    .join("\n")
    .toLocaleLowerCase();
  return row.words.includes(words);
}

/** Return whether a row is of a group; a MAC command is one of the network's events as well. */
function isOfGroup(row, group) {
  const kind = kindOf(row);
  return group === "mac" ? kind.label === MAC_COMMAND : kind.group === group;
}

/** Return what identifies a row's end device among all applications; undefined without one. */
export function deviceKey(row) {
  return row.device_id ? `${row.entry_id}/${row.device_id}` : undefined;
}

export const rowStyle = `
.row {
  display: grid;
  grid-template-columns: 88px 24px 148px minmax(110px, 1fr) 36px minmax(120px, 2.2fr) 120px 92px;
  gap: 0 12px;
  align-items: center;
  height: ${ROW_HEIGHT}px;
  padding: 0 16px;
  border-bottom: 1px solid var(--divider-color);
  cursor: pointer;
  white-space: nowrap;
}
.row > * { overflow: hidden; text-overflow: ellipsis; }
.row:hover { background: color-mix(in srgb, var(--primary-text-color) 5%, transparent); }
.row.selected { background: color-mix(in srgb, var(--primary-color) 14%, transparent); }
.row:focus-visible { outline-offset: -2px; }
.row svg { width: 20px; height: 20px; display: block; color: var(--secondary-text-color); }
.row.uplink svg { color: var(--primary-color); }
.row.downlink svg { color: var(--accent-color); }
.row.join svg { color: var(--success-color); }
.row.bad svg, .row.bad .kind { color: var(--error-color); }
.row .time { font-variant-numeric: tabular-nums; color: var(--secondary-text-color); }
.row .device { font-weight: 500; }
.row .port { text-align: end; color: var(--secondary-text-color); }
.row .port:empty { visibility: hidden; }
.row .says { font-family: var(--ha-font-family-code, monospace); font-size: 13px; }
.row.undecoded .says { color: var(--warning-color); }
.row .signal, .row .rate { color: var(--secondary-text-color); font-variant-numeric: tabular-nums; }
.medium .row { grid-template-columns: 96px 24px 148px minmax(100px, 1fr) 32px minmax(100px, 1.6fr); }
.medium .signal, .medium .rate { display: none; }
.small .row {
  grid-template: "icon device device time" 1fr "icon kind says says" 1fr / 24px auto 1fr auto;
  gap: 0 12px;
  height: ${SMALL_ROW_HEIGHT}px;
  padding: 8px 16px;
}
.small .row svg { grid-area: icon; align-self: center; }
.small .device { grid-area: device; }
.small .time { grid-area: time; }
.small .says { grid-area: says; color: var(--secondary-text-color); }
.small .kind { grid-area: kind; }
.small .row.uplink:not(.undecoded, .simulated) .kind { display: none; }
.small .row.uplink:not(.undecoded, .simulated) .says { grid-column: 2 / -1; }
.small .port, .small .signal, .small .rate { display: none; }
`;

/** Return a new row without content. */
export function createRow() {
  const cell = (name) => h("div", { class: name, role: "gridcell" });
  const names = ["time", "icon", "kind", "device", "port", "says", "signal", "rate"];
  return h("div", { role: "row" }, names.map(cell));
}

/** Show a row. */
export function fillRow(hass, element, row, clock) {
  const kind = kindOf(row);
  const [time, sign, label, device, port, says, signal, rate] = element.children;
  const classes = ["row", kind.group, kind.bad && "bad", row.undecoded && "undecoded", row.simulated && "simulated"];
  element.className = classes.filter(Boolean).join(" ");
  time.textContent = clock(row.time);
  sign.replaceChildren(icon(kind.path));
  label.textContent = text(kind.label);
  device.textContent = row.name ?? "";
  port.textContent = row.port ?? "";
  port.title = row.port ? text("traffic.port_number", { port: row.port }) : "";
  says.textContent = sayingOf(row) ?? "";
  signal.textContent = row.rssi == null ? "" : signalOf(hass, row);
  rate.textContent = row.data_rate ?? "";
  const marks = [row.simulated && text("traffic.simulated"), row.undecoded && text("traffic.undecoded")];
  label.append(...marks.filter(Boolean).map((mark) => h("span", { class: "secondary" }, ` · ${mark}`)));
  label.title = label.textContent;
  element.ariaLabel = [label.textContent, row.name, time.textContent, says.textContent]
    .filter(Boolean)
    .join(", ");
}

function signalOf(hass, { rssi, snr }) {
  const parts = [number(hass, rssi, 0, "dBm")];
  if (snr != null) parts.push(number(hass, snr, 1, "dB"));
  return parts.join(" · ");
}
