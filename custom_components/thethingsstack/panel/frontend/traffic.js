/** The tab *Live data*: what the applications' streams bring, newest first. */

import { View, alert, button, h, iconButton } from "./elements.js";
import { number } from "./formats.js";
import { styled } from "./style.js";
import { text } from "./texts.js";
import { EventsFollower } from "./traffic_events.js";
import { GROUPS, ROW_HEIGHT, SMALL_ROW_HEIGHT, createRow, deviceKey, fillRow, fits, rowStyle } from "./traffic_row.js";
import "./traffic_entry.js";
import { VirtualList } from "./virtual_list.js";

const KEPT = 2000;
const CHOICES_PAUSE = 500;
const APPLICATIONS_PAUSE = 10_000;
const PAUSE = "M14,19H18V5H14M6,19H10V5H6V19Z";
const PLAY = "M8,5.14V19.14L19,12.14L8,5.14Z";
const CLEAR =
  "M15,16H19V18H15V16M15,8H22V10H15V8M15,12H21V14H15V12M3,18A2,2 0 0,0 5,20H11A2,2 0 0,0 13,18V8H3V18M14,5H11L10,4H6L5,5H2V7H14V5Z";
const FILTER = "M6,13H18V11H6M3,6V8H21V6M10,18H14V16H10V18Z";

const STYLE = `
:host {
  position: relative;
  display: flex;
  flex-direction: column;
  height: 100%;
  background: var(--card-background-color);
}
.tools { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 8px 16px; }
.tools input { flex: 1 1 140px; min-width: 0; max-width: 320px; }
.tools select { flex: 0 1 150px; min-width: 90px; }
.filters { display: contents; }
.end { display: flex; align-items: center; margin-inline-start: auto; }
.count { white-space: nowrap; margin-inline-end: 8px; }
.more { display: none; }
.small.tools input { max-width: none; flex: 1 1 0; min-width: 0; }
.small .filters { display: none; flex-basis: 100%; flex-wrap: wrap; gap: 8px; order: 1; }
.small .filters.open { display: flex; }
.small .filters select { flex: 1 1 40%; max-width: none; }
.small .more { display: inline-block; }
.small .count { display: none; }
.notes > * { display: block; margin: 0 16px 8px; }
.held { flex: none; padding: 4px 16px; text-align: center; background: color-mix(in srgb, var(--primary-color) 14%, transparent); }
.held button { border: 0; background: none; color: var(--primary-color); font-weight: 500; padding: 6px 16px; }
.body { display: flex; flex: 1; min-height: 0; border-top: 1px solid var(--divider-color); }
.scroller { flex: 1; min-width: 0; overflow: auto; }
thethingsstack-traffic-entry { flex: 0 0 min(520px, 50%); border-inline-start: 1px solid var(--divider-color); overflow: auto; }
.body.small thethingsstack-traffic-entry {
  position: absolute;
  inset: 0;
  z-index: 2;
  background: var(--card-background-color);
}
.empty { padding: 32px 16px; text-align: center; }
.empty p { max-width: 60ch; margin: 0 auto 16px; }
${rowStyle}
`;

class Traffic extends View {
  #rows = [];
  #held = [];
  #waiting = [];
  #frame;
  #paused = false;
  #pausedByEntry = false;
  #filter = { words: "", entry: "", device: "", group: "", port: "", gateway: "" };
  #selected;
  #focused;
  #applications = [];
  #timers = [];
  #choicesTimer;
  #events;

  build() {
    const select = (name, label) =>
      h("select", {
        "aria-label": text(label),
        "data-filter": name,
        onchange: (event) => this.#change({ [name]: event.target.value }),
      });
    this.search = h("input", {
      type: "search",
      placeholder: text("traffic.search"),
      "aria-label": text("traffic.search"),
      oninput: () => this.#change({ words: this.search.value.trim().toLocaleLowerCase() }),
    });
    this.selects = {
      entry: select("entry", "traffic.application"),
      device: select("device", "traffic.device"),
      group: select("group", "traffic.kind"),
      port: select("port", "traffic.port"),
      gateway: select("gateway", "traffic.gateway"),
    };
    fill(this.selects.group, text("traffic.all_kinds"), Object.entries(GROUPS).map(([value, key]) => [value, text(key)]));
    this.filters = h("div", { class: "filters" }, Object.values(this.selects));
    this.more = h("span", { class: "more" }, iconButton(text("traffic.filters"), FILTER, () => this.filters.classList.toggle("open")));
    this.count = h("span", { class: "count secondary", role: "status" });
    this.pauseButton = h("span");
    this.tools = h(
      "div",
      { class: "tools" },
      this.search,
      this.more,
      this.filters,
      h(
        "div",
        { class: "end" },
        this.count,
        this.pauseButton,
        iconButton(text("traffic.clear"), CLEAR, () => this.#clear()),
      ),
    );
    this.notes = h("div", { class: "notes" });
    this.held = h("div", { class: "held", hidden: true }, h("button", { onclick: () => this.#pause(false) }));
    this.content = h("div", {
      role: "grid",
      "aria-label": text("panel.tab_traffic"),
      onkeydown: (event) => this.#onKey(event),
      onclick: (event) => this.#open(this.#rowOf(event.target), false),
      onfocusin: (event) => (this.#focused = this.#rowOf(event.target)?.id),
    });
    this.empty = h("div", { class: "empty" });
    this.scroller = h("div", { class: "scroller" }, this.content, this.empty);
    this.body = h("div", { class: "body" }, this.scroller);
    this.root.append(styled(STYLE), this.tools, this.notes, this.held, this.body);
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.#close());
    this.list = new VirtualList({
      scroller: this.scroller,
      content: this.content,
      height: ROW_HEIGHT,
      create: createRow,
      fill: (element, row, index) => this.#fill(element, row, index),
    });
    new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect.width)).observe(this);
    new ResizeObserver(([{ contentRect }]) => this.#resizeList(contentRect.width)).observe(this.scroller);
    this.#showPause();
  }

  start() {
    this.#filter.device = new URLSearchParams(location.search).get("device") ?? this.#filter.device;
    this.#events = new EventsFollower(this, () => this.#showNotes());
    this.subscribe({ type: "thethingsstack/traffic/subscribe" }, (batch) => this.#take(batch)).catch((error) =>
      this.notes.replaceChildren(alert("error", text("traffic.failed", { error: error.message }))),
    );
    this.#readApplications();
    this.#timers = [setInterval(() => this.#readApplications(), APPLICATIONS_PAUSE)];
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#timers.forEach(clearInterval);
  }

  async #readApplications() {
    try {
      this.#applications = await this.hass.callWS({ type: "thethingsstack/panel/applications" });
    } catch {
      return; // asked again in a while; what comes meanwhile is shown
    }
    this.selects.entry.hidden = this.#applications.length < 2;
    const names = this.#applications.map(({ entry_id, name }) => [entry_id, name]);
    fill(this.selects.entry, text("traffic.all_applications"), names, this.#filter.entry);
    this.#followEvents();
    this.#showNotes();
  }

  #followEvents() {
    const wanted = this.#applications.filter(({ loaded }) => loaded).map(({ entry_id }) => [entry_id, null]);
    const row = this.#filter.device && this.#rows.find((one) => deviceKey(one) === this.#filter.device);
    if (row) wanted.push([row.entry_id, row.device_id]);
    this.#events.follow(wanted);
  }

  #showNotes() {
    const name = (id) => this.#applications.find(({ entry_id }) => entry_id === id)?.name ?? id;
    const silent = this.#applications.filter(({ connected }) => !connected);
    this.notes.replaceChildren(
      ...silent.map((one) => alert("warning", text("traffic.not_connected", { application: one.name }))),
      ...this.#events.refused.map(([entry, error]) =>
        alert("info", text("traffic.no_events", { application: name(entry), error })),
      ),
    );
  }

  // What comes

  #take({ rows, skipped }) {
    if (skipped) console.warn(`${skipped} rows came too fast to be shown`);
    this.#waiting.push(...rows);
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      const newest = this.#waiting.splice(0).reverse();
      if (this.#paused) this.#hold(newest);
      else this.#add(newest);
    });
  }

  #hold(newest) {
    this.#held = newest.concat(this.#held).slice(0, KEPT);
    this.#showPause();
  }

  #add(newest) {
    const known = new Set(this.#rows.slice(0, KEPT).map(({ id }) => id));
    const added = newest.filter(({ id }) => !known.has(id));
    if (!added.length && this.#rows.length) return;
    this.#rows = added.concat(this.#rows).slice(0, KEPT);
    this.#arrange(added.filter((row) => fits(row, this.#filter)).length);
    this.#choicesTimer ??= setTimeout(() => this.#showChoices(), CHOICES_PAUSE);
  }

  /** Show the rows that fit; `above` are new ones, which leave what is looked at in its place. */
  #arrange(above = 0) {
    const shown = this.#rows.filter((row) => fits(row, this.#filter));
    const { scrollTop } = this.scroller;
    this.list.items = shown;
    if (scrollTop > 0) this.scroller.scrollTop = scrollTop + above * this.#rowHeight;
    this.content.setAttribute("aria-rowcount", shown.length);
    const counts = { shown: number(this.hass, shown.length), count: number(this.hass, this.#rows.length) };
    this.count.textContent =
      shown.length === this.#rows.length ? text("traffic.count", counts) : text("traffic.count_of", counts);
    this.#showEmpty(shown.length);
  }

  get #rowHeight() {
    return this.scroller.classList.contains("small") ? SMALL_ROW_HEIGHT : ROW_HEIGHT;
  }

  #showEmpty(shown) {
    this.empty.hidden = shown > 0;
    if (shown) return;
    if (this.#rows.length)
      this.empty.replaceChildren(h("p", {}, text("traffic.nothing_fits")), button(text("traffic.show_all"), () => this.#reset()));
    else this.empty.replaceChildren(h("p", {}, text("traffic.nothing_yet")));
  }

  #showChoices() {
    this.#choicesTimer = undefined;
    const devices = new Map();
    const ports = new Set();
    const gateways = new Set();
    for (const row of this.#rows) {
      if (row.device_id) devices.set(deviceKey(row), row.name);
      if (row.device && row.device === this.#filter.device) this.#change({ device: deviceKey(row) });
      if (row.port) ports.add(row.port);
      row.gateways?.forEach((gateway) => gateways.add(gateway));
    }
    const byName = [...devices].sort((a, b) => a[1].localeCompare(b[1]));
    const numbers = [...ports].sort((a, b) => a - b);
    fill(this.selects.device, text("traffic.all_devices"), byName, this.#filter.device);
    fill(this.selects.port, text("traffic.all_ports"), numbers.map((port) => [String(port), text("traffic.port_number", { port })]), this.#filter.port);
    fill(this.selects.gateway, text("traffic.all_gateways"), [...gateways].sort().map((id) => [id, id]), this.#filter.gateway);
  }

  // What is shown

  #change(change) {
    this.#filter = { ...this.#filter, ...change };
    this.#arrange();
    this.scroller.scrollTop = 0;
    if ("device" in change) this.#followEvents();
  }

  #reset() {
    this.search.value = "";
    for (const select of Object.values(this.selects)) select.value = "";
    this.#change({ words: "", entry: "", device: "", group: "", port: "", gateway: "" });
  }

  #clear() {
    this.#rows = [];
    this.#held = [];
    this.#close();
    this.#arrange();
    this.#showPause();
  }

  #pause(paused) {
    this.#paused = paused;
    this.#pausedByEntry = false;
    const held = this.#held.splice(0);
    if (held.length) this.#add(held);
    this.#showPause();
  }

  #showPause() {
    const label = text(this.#paused ? "traffic.resume" : "traffic.pause");
    this.pauseButton.replaceChildren(
      iconButton(label, this.#paused ? PLAY : PAUSE, () => this.#pause(!this.#paused), { id: "pause" }),
    );
    this.held.hidden = !this.#held.length;
    this.held.firstChild.textContent = text("traffic.held", { count: number(this.hass, this.#held.length) });
  }

  #fill(element, row, index) {
    fillRow(this.hass, element, row, (time) => this.#clock(time));
    element.id = `row-${row.id}`;
    const selected = row.id === this.#selected;
    element.classList.toggle("selected", selected);
    element.setAttribute("aria-selected", String(selected));
    const focusable = this.#focused ?? this.list.items[0]?.id;
    element.tabIndex = row.id === focusable || (index === 0 && !this.#isThere(focusable)) ? 0 : -1;
  }

  #isThere(id) {
    return this.list.items.some((row) => row.id === id);
  }

  #clock(time) {
    const { time_format: format, time_zone: zone } = this.hass.locale ?? {};
    const options = { hour: "numeric", minute: "2-digit", second: "2-digit" };
    if (format === "12" || format === "24") options.hour12 = format === "12";
    if (zone === "server") options.timeZone = this.hass.config.time_zone;
    return new Date(time).toLocaleTimeString(this.hass.language, options);
  }

  // One entry

  #rowOf(target) {
    const element = target.closest?.(".row");
    return element && this.list.items.find(({ id }) => `row-${id}` === element.id);
  }

  #open(row, focus) {
    if (!row) return;
    if (!this.#paused) {
      this.#pause(true);
      this.#pausedByEntry = true;
    }
    this.#selected = this.#focused = row.id;
    if (!this.entry) {
      this.entry = h("thethingsstack-traffic-entry", {
        "onentry-close": () => this.#close(),
        "onentry-acted": () => this.#pause(false),
      });
      this.body.append(this.entry);
    }
    this.entry.hass = this.hass;
    this.entry.narrow = this.narrow;
    this.entry.row = row;
    if (focus || this.body.classList.contains("small")) this.entry.focusFirst();
    this.list.refresh();
  }

  #close() {
    if (!this.entry) return;
    this.entry.remove();
    this.entry = undefined;
    this.#selected = undefined;
    if (this.#pausedByEntry) this.#pause(false);
    this.list.refresh();
    const index = this.list.items.findIndex(({ id }) => id === this.#focused);
    if (index >= 0) this.list.reveal(index)?.focus({ preventScroll: true });
  }

  changed() {
    if (this.entry) this.entry.hass = this.hass;
  }

  #onKey(event) {
    const { items } = this.list;
    const last = items.length - 1;
    const here = Math.max(0, items.findIndex(({ id }) => id === this.#focused));
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#open(items[here], true);
      return;
    }
    const steps = {
      ArrowDown: here + 1,
      ArrowUp: here - 1,
      PageDown: here + this.list.page,
      PageUp: here - this.list.page,
      Home: 0,
      End: last,
    };
    if (!(event.key in steps) || last < 0) return;
    event.preventDefault();
    const index = Math.min(last, Math.max(0, steps[event.key]));
    this.#focused = items[index].id;
    this.list.refresh();
    this.list.reveal(index)?.focus({ preventScroll: true });
  }

  #resize(width) {
    const small = width < 800;
    this.tools.classList.toggle("small", small);
    this.body.classList.toggle("small", small);
  }

  #resizeList(width) {
    const small = width < 560;
    this.scroller.classList.toggle("small", small);
    this.scroller.classList.toggle("medium", !small && width < 960);
    this.list.height = this.#rowHeight;
    this.list.refresh();
  }
}

/** Fill a select with pairs of value and label, `all` first; what is chosen stays in it. */
function fill(select, all, choices, chosen = select.value) {
  const there = choices.some(([value]) => value === chosen) || !chosen;
  const wanted = [["", all], ...choices, ...(there ? [] : [[chosen, chosen.split("/").pop()]])];
  const same =
    wanted.length === select.options.length &&
    wanted.every(([value, label], index) => select.options[index].value === value && select.options[index].text === label);
  if (same) return;
  select.replaceChildren(...wanted.map(([value, label]) => h("option", { value }, label)));
  select.value = chosen;
}

customElements.define("thethingsstack-traffic", Traffic);
