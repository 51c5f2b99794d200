/** A map of gateways and end devices whose places are known, without a background. */

import { h, iconButton, replaceChildren } from "./elements.js";
import { number } from "./formats.js";
import { text } from "./texts.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const METRES_PER_DEGREE = 111_320;
const MARGIN = 48;
const MOST_ZOOM = 4000;
/** With more marks than these, only gateways and what is pointed at have names. */
const MOST_NAMED = 300;
/** About how large a letter of a name, a line, and a mark are, in pixels. */
const [LETTER, LINE, DOT] = [6.5, 14, 12];
const PLUS = "M19,13H13V19H11V13H5V11H11V5H13V11H19V13Z";
const MINUS = "M19,13H5V11H19V13Z";
const FIT = "M5,5H10V7H7V10H5V5M14,5H19V10H17V7H14V5M17,14H19V19H14V17H17V14M10,17V19H5V14H7V17H10Z";

/** Return how good a reception is by its SNR in dB, as a name of a class. */
export function quality(snr) {
  if (snr == null) return "unknown";
  if (snr >= 0) return "good";
  return snr >= -10 ? "fair" : "weak";
}

/** Return whether a gateway or an end device has a place. */
export function placed({ latitude, longitude }) {
  return latitude != null && longitude != null;
}

export class GatewayMap {
  #points = [];
  #lines = [];
  #zoom = 1;
  #offset = [0, 0];
  #bounds;
  #hass;

  /** `open(item)` is called with a gateway or an end device that was clicked. */
  constructor(open) {
    this.open = open;
    this.svg = svg("svg", { class: "map", role: "group", "aria-label": text("gateways.map") });
    this.scale = h("div", { class: "scale" });
    const zoom = (factor) => () => this.#zoomBy(factor);
    this.element = h(
      "div",
      { class: "map-box" },
      this.svg,
      h(
        "div",
        { class: "map-tools" },
        iconButton(text("gateways.zoom_in"), PLUS, zoom(1.6)),
        iconButton(text("gateways.zoom_out"), MINUS, zoom(1 / 1.6)),
        iconButton(text("gateways.zoom_fit"), FIT, () => this.#fit()),
      ),
      this.scale,
    );
    this.svg.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    this.svg.addEventListener("pointerdown", (event) => this.#onDrag(event));
    new ResizeObserver(() => this.#place()).observe(this.element);
  }

  /** Show these; a place far from all others is reached by zooming. */
  show(hass, gateways, devices) {
    this.#hass = hass;
    const places = [...gateways, ...devices].filter(placed);
    const bounds = places.length ? boundsOf(places) : undefined;
    const moved = JSON.stringify(bounds) !== JSON.stringify(this.#bounds);
    this.#bounds = bounds;
    if (moved) [this.#zoom, this.#offset] = [1, [0, 0]];
    const known = new Map(gateways.filter(placed).map((gateway) => [gateway.id, gateway]));
    this.#lines = devices.filter(placed).flatMap((device) =>
      Object.entries(device.heard_by)
        .filter(([id]) => known.has(id))
        .map(([id, { snr }]) => ({
          from: device,
          to: known.get(id),
          element: svg("line", { class: quality(snr), "data-gateway": id }),
        })),
    );
    this.#points = [
      ...devices.filter(placed).map((item) => ({ item, element: this.#device(item) })),
      ...[...known.values()].map((item) => ({ item, element: this.#gateway(item) })),
    ];
    this.svg.classList.remove("only"); // the gateway that was pointed at may be gone
    replaceChildren(
      this.svg,
      ...this.#lines.map(({ element }) => element),
      ...this.#points.map(({ element }) => element),
    );
    this.#place();
  }

  #device(device) {
    const count = Object.keys(device.heard_by).length;
    const name = count ? "device" : "device alone";
    return this.#mark(device, name, svg("circle", { r: 5 }), label(device, 18));
  }

  #gateway(gateway) {
    const shape = svg("path", { d: "M0,-9L8,6H-8Z" });
    const mark = this.#mark(gateway, "gateway", shape, label(gateway, -12));
    const highlight = (on) => {
      this.svg.classList.toggle("only", on);
      for (const { element } of this.#lines)
        element.classList.toggle("on", on && element.dataset.gateway === gateway.id);
    };
    mark.addEventListener("pointerenter", () => highlight(true));
    mark.addEventListener("pointerleave", () => highlight(false));
    mark.addEventListener("focus", () => highlight(true));
    mark.addEventListener("blur", () => highlight(false));
    return mark;
  }

  #mark(item, name, ...shapes) {
    const title = svg("title");
    title.textContent = item.name;
    const key = `${item.heard_by ? "device" : "gateway"} ${item.id}`;
    const mark = svg("g", { class: name, tabindex: 0, role: "link", "aria-label": item.name, "data-key": key });
    mark.append(title, ...shapes);
    mark.addEventListener("click", () => this.open(item));
    mark.addEventListener("keydown", (event) => event.key === "Enter" && this.open(item));
    return mark;
  }

  // From degrees to pixels

  #place() {
    const { clientWidth: width, clientHeight: height } = this.svg;
    if (!this.#bounds || !width || !height) return;
    const { south, north, west, east } = this.#bounds;
    const narrow = Math.cos((((south + north) / 2) * Math.PI) / 180);
    const least = 0.002; // degrees: one place alone is shown with some of its surroundings
    const perDegree =
      this.#zoom *
      Math.min(
        (width - 2 * MARGIN) / Math.max(least, (east - west) * narrow),
        (height - 2 * MARGIN) / Math.max(least, north - south),
      );
    const [left, top] = this.#offset;
    const x = ({ longitude }) => width / 2 + left + (longitude - (west + east) / 2) * narrow * perDegree;
    const y = ({ latitude }) => height / 2 + top - (latitude - (south + north) / 2) * perDegree;
    for (const { item, element } of this.#points)
      element.setAttribute("transform", `translate(${x(item).toFixed(1)},${y(item).toFixed(1)})`);
    for (const { from, to, element } of this.#lines) {
      set(element, { x1: x(from), y1: y(from), x2: x(to), y2: y(to) });
    }
    this.#nameThose(this.#points.map(({ item, element }) => ({ element, x: x(item), y: y(item) })));
    this.#showScale(perDegree / METRES_PER_DEGREE);
  }

  /** Show the names of all gateways, and of those end devices whose names cover nothing. */
  #nameThose(marks) {
    const taken = marks.map(({ x, y }) => ({ x, y, width: DOT, height: DOT }));
    const free = (box) =>
      taken.every((one) => Math.abs(one.x - box.x) * 2 > one.width + box.width || Math.abs(one.y - box.y) * 2 > one.height + box.height);
    for (const { element, x, y } of [...marks].reverse()) {
      const name = element.querySelector("text");
      const box = { x, y: y + Number(name.getAttribute("y")) - 4, width: name.textContent.length * LETTER, height: LINE };
      const shown = element.classList.contains("gateway") || (marks.length <= MOST_NAMED && free(box));
      name.classList.toggle("covered", !shown);
      if (shown) taken.push(box);
    }
  }

  #showScale(perMetre) {
    const about = 100 / perMetre;
    const power = 10 ** Math.floor(Math.log10(about));
    const metres = [5, 2, 1].map((step) => step * power).find((length) => length <= about);
    const [length, unit] = metres >= 1000 ? [metres / 1000, "km"] : [metres, "m"];
    this.scale.textContent = number(this.#hass, length, 2, unit);
    this.scale.style.width = `${metres * perMetre}px`;
  }

  #fit() {
    this.#zoom = 1;
    this.#offset = [0, 0];
    this.#place();
  }

  #zoomBy(factor, x = 0, y = 0) {
    const zoom = Math.min(MOST_ZOOM, Math.max(0.5, this.#zoom * factor));
    const grown = zoom / this.#zoom;
    this.#zoom = zoom;
    this.#offset = [x + (this.#offset[0] - x) * grown, y + (this.#offset[1] - y) * grown];
    this.#place();
  }

  #onWheel(event) {
    event.preventDefault();
    const { left, top, width, height } = this.svg.getBoundingClientRect();
    const [x, y] = [event.clientX - left - width / 2, event.clientY - top - height / 2];
    this.#zoomBy(Math.exp(-event.deltaY / 400), x, y);
  }

  #onDrag(start) {
    if (start.target.closest(".device, .gateway")) return;
    const [left, top] = this.#offset;
    const move = (event) => {
      this.#offset = [left + event.clientX - start.clientX, top + event.clientY - start.clientY];
      this.#place();
    };
    const end = () => {
      this.svg.removeEventListener("pointermove", move);
      this.svg.removeEventListener("pointerup", end);
      this.svg.removeEventListener("pointercancel", end);
    };
    this.svg.setPointerCapture(start.pointerId);
    this.svg.addEventListener("pointermove", move);
    this.svg.addEventListener("pointerup", end);
    this.svg.addEventListener("pointercancel", end);
  }
}

function label({ name }, y) {
  const words = svg("text", { y });
  words.textContent = name;
  return words;
}

function boundsOf(places) {
  const latitudes = places.map(({ latitude }) => latitude);
  const longitudes = places.map(({ longitude }) => longitude);
  return {
    south: Math.min(...latitudes),
    north: Math.max(...latitudes),
    west: Math.min(...longitudes),
    east: Math.max(...longitudes),
  };
}

function svg(tag, attributes = {}) {
  return set(document.createElementNS(NAMESPACE, tag), attributes);
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export const mapStyle = `
.map-box { position: relative; flex: 1; min-height: 280px; }
.map { position: absolute; inset: 0; width: 100%; height: 100%; touch-action: none; cursor: grab; }
.map line { stroke-width: 1.5; stroke: var(--disabled-color, #bdbdbd); opacity: 0.5; }
.map line.good { stroke: var(--success-color, #43a047); }
.map line.fair { stroke: var(--warning-color, #ffa600); }
.map line.weak { stroke: var(--error-color, #db4437); }
.map.only line { opacity: 0.08; }
.map.only line.on { opacity: 1; }
.map g { cursor: pointer; outline-offset: 4px; }
.map .device { fill: var(--primary-color); stroke: var(--card-background-color); }
.map .alone { fill: var(--disabled-color, #bdbdbd); }
.map .gateway { fill: var(--primary-text-color); stroke: var(--card-background-color); }
.map text {
  font-size: 12px;
  text-anchor: middle;
  paint-order: stroke;
  stroke-width: 3px;
}
.map text.covered { display: none; }
.map g:hover text, .map g:focus text { display: inline; }
.map .device text { fill: var(--secondary-text-color); }
.map-tools { position: absolute; top: 8px; inset-inline-end: 8px; display: flex; flex-direction: column; background: var(--card-background-color); border-radius: 8px; }
.scale {
  position: absolute;
  bottom: 12px;
  inset-inline-start: 16px;
  border: solid var(--primary-text-color);
  border-width: 0 1px 2px;
  font-size: 12px;
  text-align: center;
  pointer-events: none;
}
`;
