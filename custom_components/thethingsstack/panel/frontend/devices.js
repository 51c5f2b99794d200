/** What of an end device is known to every user: its device and its entities. */

const DOMAIN = "thethingsstack";
const indexes = new WeakMap();

/** Return the applications: devices of Home Assistant, by name. */
export function applications(hass) {
  return ours(hass)
    .filter((device) => device.entry_type === "service")
    .sort(byName);
}

/** Return the end devices of an application, by name; those that are disabled are left out. */
export function endDevices(hass, application) {
  const belongs = (device) => device.via_device_id === application.id && !device.disabled_by;
  return ours(hass).filter(belongs).sort(byName);
}

/** Return a device's name as Home Assistant shows it. */
export function nameOf(device) {
  return device.name_by_user || device.name || device.id;
}

/** Return the entities of ours that a device has and that aren't hidden. */
export function entitiesOf(hass, deviceId) {
  if (!indexes.has(hass.entities)) {
    const index = new Map();
    for (const entity of Object.values(hass.entities)) {
      if (entity.platform !== DOMAIN || entity.hidden) continue;
      if (!index.has(entity.device_id)) index.set(entity.device_id, []);
      index.get(entity.device_id).push(entity);
    }
    indexes.set(hass.entities, index);
  }
  return indexes.get(hass.entities).get(deviceId) ?? [];
}

/** Return the state of the device's entity with this translation key; undefined without one. */
export function stateOf(hass, deviceId, translationKey) {
  const entity = entitiesOf(hass, deviceId).find((one) => one.translation_key === translationKey);
  return entity && hass.states[entity.entity_id];
}

function ours(hass) {
  return Object.values(hass.devices).filter((device) =>
    device.identifiers.some(([domain]) => domain === DOMAIN),
  );
}

function byName(a, b) {
  return nameOf(a).localeCompare(nameOf(b));
}
