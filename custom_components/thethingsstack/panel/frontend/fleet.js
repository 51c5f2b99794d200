/** The tab *Fleet*: a table of all end devices, problems first. */

import { View, alert, button, h, navigate } from "./elements.js";
import {
  COLUMNS,
  ROW_HEIGHT,
  SMALL_ROW_HEIGHT,
  createRow,
  devicePath,
  fillRow,
  fillSignals,
  rowStyle,
  sorted,
  statusWords,
} from "./fleet_row.js";
import { number } from "./formats.js";
import { graphStyle } from "./signal_graph.js";
import { styled } from "./style.js";
import { text } from "./texts.js";
import { VirtualList } from "./virtual_list.js";

const SIGNALS_FRESH = 300_000;
const SIGNALS_AT_ONCE = 100;
const QUARTER = 900;
const CLOCK = 10_000;
/** Pixels: below, rows are blocks of three lines; below the other, the last columns are left out. */
const NARROWEST_TABLE = 740;
const WHOLE_TABLE = 1000;

const STYLE = `
:host { display: flex; flex-direction: column; height: 100%; background: var(--card-background-color); }
.tools { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; padding: 12px 16px 8px; }
.tools input { flex: 1 1 200px; max-width: 360px; }
.tools select { flex: 0 1 auto; max-width: 100%; }
.statuses { display: flex; gap: 8px; padding: 0 16px 12px; overflow-x: auto; flex: none; }
.statuses button {
  flex: none;
  display: flex;
  align-items: center;
  gap: 6px;
  min-height: 32px;
  padding: 0 12px;
  border: 1px solid var(--divider-color);
  border-radius: 16px;
  background: none;
}
.statuses button[aria-pressed="true"] {
  border-color: var(--primary-color);
  background: color-mix(in srgb, var(--primary-color) 16%, transparent);
}
.statuses b { font-weight: 500; }
.notes > * { display: block; margin: 0 16px 8px; }
.scroller { flex: 1; min-height: 0; overflow: auto; border-top: 1px solid var(--divider-color); }
.head {
  position: sticky;
  top: 0;
  z-index: 1;
  height: 40px;
  background: var(--card-background-color);
  border-bottom: 1px solid var(--divider-color);
}
.head > div { display: flex; min-width: 0; }
.head button {
  padding: 8px 0;
  border: 0;
  background: none;
  font-weight: 500;
  color: var(--secondary-text-color);
  white-space: nowrap;
}
.head [aria-sort] button { color: var(--primary-text-color); }
.head [aria-sort="ascending"] button::after { content: " ↑"; }
.head [aria-sort="descending"] button::after { content: " ↓"; }
.small .head, .tools .sort { display: none; }
.tools.small .sort { display: block; }
.empty { padding: 32px 16px; text-align: center; }
`;

class Fleet extends View {
  #rows = new Map();
  #applications = [];
  #signals = new Map();
  #wanted = [];
  #words = "";
  #application = "";
  #status = "";
  #column = COLUMNS[1];
  #down = false;
  #focused = 0;
  #timers = [];

  build() {
    this.search = h("input", {
      type: "search",
      placeholder: text("fleet.search"),
      "aria-label": text("fleet.search"),
      oninput: () => this.#filter({ words: this.search.value }),
    });
    this.chooser = h("select", {
      "aria-label": text("fleet.application"),
      onchange: () => this.#filter({ application: this.chooser.value }),
    });
    const choices = COLUMNS.map(({ key, label }) => h("option", { value: key }, text(label)));
    this.sorter = h(
      "select",
      { class: "sort", "aria-label": text("fleet.sort_by"), onchange: () => this.#sort(this.sorter.value) },
      choices,
    );
    this.count = h("span", { class: "secondary", role: "status" });
    this.notes = h("div", { class: "notes" });
    this.statuses = h("div", { class: "statuses", role: "group", "aria-label": text("fleet.status") });
    this.head = h("div", { role: "row", class: "head" }, COLUMNS.map((column) => this.#header(column)));
    this.content = h("div", { role: "rowgroup", onkeydown: (event) => this.#onKey(event) });
    this.empty = h("div", { class: "empty", hidden: true });
    this.table = h("div", { role: "table", "aria-label": text("panel.tab_fleet") }, this.head, this.content);
    this.scroller = h("div", { class: "scroller" }, this.table, this.empty);
    this.root.append(
      styled(STYLE + rowStyle + graphStyle),
      h("div", { class: "tools" }, this.search, this.chooser, this.sorter, this.count),
      this.statuses,
      this.notes,
      this.scroller,
    );
    this.list = new VirtualList({
      scroller: this.scroller,
      content: this.content,
      height: ROW_HEIGHT,
      create: createRow,
      fill: (element, row, index) => this.#fill(element, row, index),
      onview: (rows) => this.#inView(rows),
    });
    this.content.addEventListener("click", (event) => this.#onClick(event));
    this.content.addEventListener("focusin", (event) => this.#onFocus(event));
    new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect.width)).observe(this.scroller);
    this.#showSort();
  }

  start() {
    this.subscribe({ type: "thethingsstack/panel/fleet" }, (changes) => this.#take(changes)).catch(
      (error) => this.notes.replaceChildren(alert("error", text("fleet.failed", { error: error.message }))),
    );
    this.#timers = [
      setInterval(() => this.list.refresh(), CLOCK),
      setInterval(() => this.#askSignals(), 1000),
    ];
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#timers.forEach(clearInterval);
  }

  #take({ all, applications, devices = [], removed = [] }) {
    if (all) this.#rows.clear(); // the connection was away
    for (const row of devices) {
      this.#rows.set(row.id, row);
      this.#addSignal(row);
    }
    for (const id of removed) this.#rows.delete(id);
    if (applications) this.#showApplications(applications);
    this.#arrange();
  }

  #showApplications(applications) {
    this.#applications = applications;
    this.chooser.hidden = applications.length < 2;
    this.chooser.replaceChildren(
      h("option", { value: "" }, text("fleet.all_applications")),
      ...applications.map(({ entry_id, title }) => h("option", { value: entry_id }, title)),
    );
    this.chooser.value = this.#application;
    this.notes.replaceChildren(
      ...applications
        .filter(({ connected }) => !connected)
        .map(({ title }) => alert("warning", text("fleet.not_connected", { application: title }))),
    );
  }

  #filter({ words = this.#words, application = this.#application, status = this.#status }) {
    this.#words = words.trim().toLocaleLowerCase();
    this.#application = application;
    this.#status = status;
    this.#arrange();
    this.scroller.scrollTop = 0;
  }

  #arrange() {
    const all = [...this.#rows.values()];
    const found = all.filter((row) => this.#fits(row));
    this.#showStatuses(found);
    const shown = found.filter((row) => !this.#status || row.status === this.#status);
    this.#focused = Math.min(this.#focused, Math.max(0, shown.length - 1));
    this.list.items = sorted(shown, this.#column, this.#down);
    this.table.setAttribute("aria-rowcount", shown.length + 1);
    const counts = { shown: number(this.hass, shown.length), count: number(this.hass, all.length) };
    this.count.textContent =
      shown.length === all.length ? text("fleet.count", counts) : text("fleet.count_of", counts);
    this.#showEmpty(all.length, shown.length);
  }

  #fits(row) {
    if (this.#application && row.entry_id !== this.#application) return false;
    if (!this.#words) return true;
    const parts = [row.name, row.area, row.model, row.device_id].filter(Boolean);
    return parts.join("\n").toLocaleLowerCase().includes(this.#words);
  }

  #showStatuses(rows) {
    const counts = new Map();
    const order = [...rows].sort((a, b) => a.severity - b.severity);
    for (const { status } of order) counts.set(status, (counts.get(status) ?? 0) + 1);
    if (this.#status && !counts.has(this.#status)) counts.set(this.#status, 0);
    const focused = this.root.activeElement?.dataset.status;
    const chip = (status, words, count) =>
      h(
        "button",
        {
          "aria-pressed": String(this.#status === status),
          "data-status": status,
          onclick: () => this.#filter({ status }),
        },
        words,
        h("b", {}, number(this.hass, count)),
      );
    this.statuses.replaceChildren(
      chip("", text("fleet.all"), rows.length),
      ...[...counts].map(([status, count]) => chip(status, statusWords(this.hass, status), count)),
    );
    if (focused !== undefined)
      this.statuses.querySelector(`[data-status="${focused}"]`)?.focus({ preventScroll: true });
  }

  #showEmpty(all, shown) {
    this.empty.hidden = shown > 0;
    if (shown > 0) return;
    const reset = () => {
      this.search.value = this.chooser.value = "";
      this.#filter({ words: "", application: "", status: "" });
    };
    this.empty.replaceChildren(
      h("p", {}, text(all ? "fleet.nothing_fits" : "fleet.none")),
      ...(all ? [button(text("fleet.show_all"), reset)] : []),
    );
  }

  #header(column) {
    const { key, label, hint } = column;
    return h(
      "div",
      { role: "columnheader", class: key },
      h("button", { title: hint ? text(hint) : "", onclick: () => this.#sort(key) }, text(label)),
    );
  }

  #sort(key) {
    const column = COLUMNS.find((one) => one.key === key);
    this.#down = column === this.#column ? !this.#down : Boolean(column.down);
    this.#column = column;
    this.#showSort();
    this.#arrange();
  }

  #showSort() {
    this.sorter.value = this.#column.key;
    for (const [index, header] of [...this.head.children].entries())
      if (COLUMNS[index] === this.#column)
        header.setAttribute("aria-sort", this.#down ? "descending" : "ascending");
      else header.removeAttribute("aria-sort");
  }

  #fill(element, row, index) {
    const several = this.#applications.length > 1;
    const application = this.#applications.find(({ entry_id }) => entry_id === row.entry_id);
    fillRow(this.hass, element, row, several ? application?.title : undefined);
    fillSignals(this.hass, element, row, this.#signals.get(row.id)?.points ?? []);
    element.querySelector("a").tabIndex = index === this.#focused ? 0 : -1;
  }

  // Signals are asked for where rows are in view, and again after a while.

  #inView(rows) {
    this.#wanted = rows.map(({ id }) => id);
  }

  /** Add the signal of an uplink that came since they were asked for. */
  #addSignal({ id, last_seen, rssi, snr }) {
    const points = this.#signals.get(id)?.points;
    if (!points || rssi == null) return;
    if (last_seen - (points.at(-1)?.[0] ?? 0) < QUARTER) points.pop();
    points.push([last_seen, rssi, snr]);
  }

  async #askSignals() {
    const now = Date.now();
    const devices = this.#wanted
      .filter((id) => now - (this.#signals.get(id)?.asked ?? 0) > SIGNALS_FRESH)
      .slice(0, SIGNALS_AT_ONCE);
    if (!devices.length) return;
    for (const id of devices)
      this.#signals.set(id, { asked: now, points: this.#signals.get(id)?.points ?? [] });
    try {
      const found = await this.hass.callWS({ type: "thethingsstack/panel/signals", devices });
      for (const [id, points] of Object.entries(found)) this.#signals.set(id, { asked: now, points });
    } catch {
      // Asked for again with the next ones: a graph that is missing is no reason for a message.
      for (const id of devices) this.#signals.get(id).asked = now - SIGNALS_FRESH + CLOCK;
    }
    this.list.refresh();
  }

  // Mouse and keyboard

  #onClick(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const row = event.target.closest(".row");
    if (!row) return;
    event.preventDefault();
    navigate(devicePath(this.#rows.get(row.id.slice("device-".length))));
  }

  #onFocus(event) {
    const id = event.target.closest(".row")?.id.slice("device-".length);
    const index = this.list.items.findIndex((row) => row.id === id);
    if (index >= 0) this.#focused = index;
  }

  #onKey(event) {
    const last = this.list.items.length - 1;
    const steps = {
      ArrowDown: this.#focused + 1,
      ArrowUp: this.#focused - 1,
      PageDown: this.#focused + this.list.page,
      PageUp: this.#focused - this.list.page,
      Home: 0,
      End: last,
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.#focused = Math.min(last, Math.max(0, steps[event.key]));
    this.list.refresh();
    this.list.reveal(this.#focused)?.querySelector("a").focus({ preventScroll: true });
  }

  #resize(width) {
    const small = width < NARROWEST_TABLE;
    this.root.querySelectorAll(".scroller, .tools").forEach((part) => {
      part.classList.toggle("small", small);
    });
    this.scroller.classList.toggle("medium", !small && width < WHOLE_TABLE);
    this.list.height = small ? SMALL_ROW_HEIGHT : ROW_HEIGHT;
    this.list.refresh();
  }
}

customElements.define("thethingsstack-fleet", Fleet);
