/** The tab *Live data*: what the applications' streams bring, newest first. */

import { View, alert, button, h, iconButton } from "./elements.js";
import { number } from "./formats.js";
import { styled } from "./style.js";
import { text } from "./texts.js";
import { EventsFollower } from "./traffic_events.js";
import { TrafficFilters } from "./traffic_filters.js";
import { ROW_HEIGHT, SMALL_ROW_HEIGHT, createRow, deviceKey, fillRow, fits, rowStyle } from "./traffic_row.js";
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
  #newest = 0;
  #frame;
  #paused = false;
  #pausedByEntry = false;
  #selected;
  #focused;
  #applications = [];
  #timers = [];
  #choicesTimer;
  #events;
  #clockFormat;
  #shownNotes;

  build() {
    this.filters = new TrafficFilters((names) => this.#filtered(names));
    this.more = h("span", { class: "more" }, iconButton(text("traffic.filters"), FILTER, () => this.filters.element.classList.toggle("open")));
    this.count = h("span", { class: "count secondary", role: "status" });
    this.pauseButton = h("span");
    this.tools = h(
      "div",
      { class: "tools" },
      this.filters.search,
      this.more,
      this.filters.element,
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
    const device = new URLSearchParams(location.search).get("device");
    if (device) this.filters.wantDevice(device);
    this.#events = new EventsFollower(this, () => this.#showNotes());
    this.subscribe({ type: "thethingsstack/traffic/subscribe" }, (batch) => this.#take(batch)).catch((error) =>
      this.notes.replaceChildren(alert("error", text("traffic.failed", { error: error.message }))),
    );
    this.#arrange();
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
    this.filters.showApplications(this.#applications);
    this.#followEvents();
    this.#showNotes();
  }

  #followEvents() {
    const wanted = this.#applications.filter(({ loaded }) => loaded).map(({ entry_id }) => [entry_id, null]);
    const { device } = this.filters.value;
    const row = device && this.#rows.find((one) => deviceKey(one) === device);
    if (row) wanted.push([row.entry_id, row.device_id]);
    this.#events.follow(wanted);
  }

  #showNotes() {
    const name = (id) => this.#applications.find(({ entry_id }) => entry_id === id)?.name ?? id;
    const silent = this.#applications.filter(({ connected }) => !connected);
    const { group, device } = this.filters.value;
    const notes = [
      ...(group === "mac" && !device ? [["info", text("traffic.mac_hint")]] : []),
      ...silent.map((one) => ["warning", text("traffic.not_connected", { application: one.name })]),
      ...this.#events.refused.map(([entry, error]) => [
        "info",
        text("traffic.no_events", { application: name(entry), error }),
      ]),
    ];
    if (String(notes) === this.#shownNotes) return;
    this.#shownNotes = String(notes);
    this.notes.replaceChildren(...notes.map(([type, message]) => alert(type, message)));
  }

  // What comes

  #take({ rows, skipped }) {
    if (skipped) console.warn(`${skipped} rows came too fast to be shown`);
    // After the connection was away, all that is kept comes again; IDs rise.
    const added = rows.filter(({ id }) => id > this.#newest);
    if (!added.length) return;
    this.#newest = added.at(-1).id;
    this.#waiting = this.#waiting.concat(added).slice(-KEPT); // nothing is drawn in a hidden tab
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
    if (!newest.length) return;
    this.#rows = newest.concat(this.#rows).slice(0, KEPT);
    this.#arrange(newest.filter((row) => fits(row, this.filters.value)).length);
    this.#choicesTimer ??= setTimeout(() => this.#showChoices(), CHOICES_PAUSE);
  }

  /** Show the rows that fit; `above` are new ones, which leave what is looked at in its place. */
  #arrange(above = 0) {
    const shown = this.#rows.filter((row) => fits(row, this.filters.value));
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
      this.empty.replaceChildren(h("p", {}, text("traffic.nothing_fits")), button(text("traffic.show_all"), () => this.filters.reset()));
    else this.empty.replaceChildren(h("p", {}, text("traffic.nothing_yet")));
  }

  #showChoices() {
    this.#choicesTimer = undefined;
    this.filters.showRows(this.#rows, this.hass.language);
  }

  // What is shown

  #filtered(names) {
    this.#arrange();
    this.scroller.scrollTop = 0;
    if (names.includes("device")) this.#followEvents();
    this.#showNotes();
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
    const key = `${this.hass.language} ${JSON.stringify(options)}`;
    if (this.#clockFormat?.key !== key)
      this.#clockFormat = { key, format: new Intl.DateTimeFormat(this.hass.language, options) };
    return this.#clockFormat.format.format(new Date(time));
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

customElements.define("thethingsstack-traffic", Traffic);
