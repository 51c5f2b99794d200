/** A dashboard by itself: a view for each application, with a card for each end device. */

import { applications, endDevices, entitiesOf, nameOf } from "./devices.js";
import { loadTexts, text } from "./texts.js";

const MOST_CARDS = 200;
const VIEW = "custom:thethingsstack";

/** The dashboard: `applications` (names or device IDs) leaves out all others. */
class DashboardStrategy extends HTMLElement {
  static async generate(config, hass) {
    await loadTexts(hass);
    const wanted = config.applications;
    const shown = applications(hass).filter(
      (one) => !wanted || wanted.includes(one.id) || wanted.includes(nameOf(one)),
    );
    const views = shown.map((application) => ({
      title: nameOf(application),
      path: `application-${application.id}`,
      strategy: { type: VIEW, application: application.id },
    }));
    return { views: views.length ? views : [empty()] };
  }
}

/** One view: `application` (name or device ID) and, to have only some, `areas` (names or IDs). */
class ViewStrategy extends HTMLElement {
  static async generate(config, hass) {
    await loadTexts(hass);
    const application = applications(hass).find(
      (one) => one.id === config.application || nameOf(one) === config.application,
    );
    if (!application) return empty();
    const areas = areasOf(hass, endDevices(hass, application), config.areas);
    let left = MOST_CARDS;
    const sections = [...problems(hass, [...areas.values()].flat())];
    for (const [name, devices] of areas) {
      const shown = devices.slice(0, Math.max(0, left));
      left -= devices.length;
      if (shown.length) sections.push(section(name, shown));
    }
    if (left < 0) {
      const counts = { count: MOST_CARDS - left, shown: MOST_CARDS };
      sections.push(note(text("dashboard.too_many", counts)));
    }
    return {
      type: "sections",
      max_columns: 4,
      dense_section_placement: true,
      sections: sections.length ? sections : [note(text("dashboard.no_devices"))],
    };
  }
}

/** Return end devices by the names of their areas, in order; those without one come last. */
function areasOf(hass, devices, wanted) {
  const areas = new Map();
  const named = (device) => hass.areas[device.area_id];
  const order = [...devices].sort(
    (a, b) => !named(a) - !named(b) || (named(a)?.name ?? "").localeCompare(named(b)?.name ?? ""),
  );
  for (const device of order) {
    const area = named(device);
    if (wanted && !(area && (wanted.includes(area.area_id) || wanted.includes(area.name)))) continue;
    const name = area?.name ?? text("dashboard.no_area");
    areas.set(name, [...(areas.get(name) ?? []), device]);
  }
  return areas;
}

function section(heading, devices) {
  return {
    type: "grid",
    cards: [
      { type: "heading", heading },
      ...devices.map(({ id }) => ({ type: "custom:thethingsstack-device-card", device: id })),
    ],
  };
}

/** Yield a section that is there while an end device needs a look. */
function* problems(hass, devices) {
  const entities = devices.flatMap((device) =>
    entitiesOf(hass, device.id)
      .filter(({ translation_key }) => translation_key === "status")
      .map(({ entity_id }) => ({ entity: entity_id, name: nameOf(device) })),
  );
  if (!entities.length) return;
  const ill = ["overdue", "not_decoded", "half_created", "never_joined", "not_registered"];
  yield {
    type: "grid",
    cards: [
      {
        type: "entity-filter",
        entities,
        conditions: [{ condition: "state", state: ill }],
        show_empty: false,
        card: { type: "entities", title: text("dashboard.problems") },
      },
    ],
  };
}

function note(content) {
  return { type: "grid", cards: [{ type: "markdown", content }] };
}

function empty() {
  return { type: "sections", sections: [note(text("dashboard.no_applications"))] };
}

customElements.define("ll-strategy-dashboard-thethingsstack", DashboardStrategy);
customElements.define("ll-strategy-view-thethingsstack", ViewStrategy);
