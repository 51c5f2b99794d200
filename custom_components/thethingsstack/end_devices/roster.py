"""The end devices of one application, and their place in Home Assistant's device registry."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.typing import UNDEFINED

from ..application import ApplicationStore
from ..client import EndDevice, EndDeviceIds, Stack
from ..const import (
    CONF_CHOSEN_DEVICES,
    CONF_DEVICES,
    DEFAULT_DEVICES,
    DEVICES_CHOSEN,
    DEVICES_NOT_IGNORED,
    DOMAIN,
    IGNORE_ATTRIBUTE,
    IGNORE_VALUE,
)
from ..fields import FieldDecisions
from .areas import area_from_attributes, follow
from .state import EndDeviceState

# Brands that are not written as their id with a capital letter.
BRANDS = {
    "diehl-metering": "Diehl Metering",
    "mclimate": "MClimate",
    "nke-watteco": "nke Watteco",
    "rakwireless": "RAKwireless",
    "sensecap": "SenseCAP",
    "sensedge": "SensEdge",
    "tektelic": "TEKTELIC",
    "the-things-industries": "The Things Industries",
    "the-things-products": "The Things Products",
    "ursalink": "Ursalink",
}


class EndDeviceRoster:
    """End devices by their ids, each with its state and its device in the registry.

    The key of an end device is application and DevEUI, so that history survives a
    removed entry, another server address and a new device id; its id only where it has
    no DevEUI, and the JoinEUI besides only where two share a DevEUI.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        stack: Stack,
        store: ApplicationStore,
        decisions: FieldDecisions,
    ) -> None:
        """Start empty."""
        self._hass = hass
        self._entry = entry
        self._connection = stack.connection
        self._server_time = stack.server_time
        self._store = store
        self._decisions = decisions
        self._by_device_id: dict[str, EndDeviceState] = {}
        self._by_registry_id: dict[str, EndDeviceState] = {}
        self.states: dict[str, EndDeviceState] = {}
        self.registrations: dict[str, EndDevice] = {}
        self.excluded: set[str] = set()
        self.application_registry_id = ""

    @property
    def application_identifier(self) -> tuple[str, str]:
        """Return the registry identifier of the application's own device."""
        return (DOMAIN, self._scope)

    @property
    def _scope(self) -> str:
        """Return what keys begin with: the application, unless another entry has one so named."""
        return self._store.scope or self._connection.application_id or ""

    @callback
    def register_application(self, name: str) -> None:
        """Put the application itself into the device registry, before its end devices."""
        application_status = dr.async_get(self._hass).async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={self.application_identifier},
            name=name,
            manufacturer="The Things Industries",
            model="Application",
            model_id=self._connection.uid,
            entry_type=dr.DeviceEntryType.SERVICE,
            configuration_url=self.console_url(),
        )
        self.application_registry_id = application_status.id

    def console_url(self, device_id: str | None = None) -> str:
        """Return the Console page of the application, or of one of its end devices."""
        application = (
            f"{self._connection.server}/console/applications/{self._connection.application_id}"
        )
        return f"{application}/devices/{device_id}" if device_id else application

    def find(self, ids: EndDeviceIds) -> EndDeviceState | None:
        """Return the state of the end device with these ids, if it is known."""
        state = self._by_device_id.get(ids.device_id)
        if state is None:
            return None
        dev_eui = state.ids.dev_eui
        if ids.dev_eui is None or dev_eui == ids.dev_eui:
            return state
        if dev_eui is None:
            self._upgrade(state, ids)
            return state
        return None

    def wanted(self, device_id: str, attributes: Mapping[str, str]) -> bool:
        """Return whether the options let this end device into Home Assistant."""
        choice = self._entry.options.get(CONF_DEVICES, DEFAULT_DEVICES)
        if choice == DEVICES_CHOSEN:
            return device_id in self._entry.options.get(CONF_CHOSEN_DEVICES, ())
        if choice == DEVICES_NOT_IGNORED:
            return attributes.get(IGNORE_ATTRIBUTE) != IGNORE_VALUE
        return True

    def key_of(self, ids: EndDeviceIds) -> str:
        """Return what identifies an end device in Home Assistant."""
        if ids.dev_eui is None:
            return f"{self._scope}/{ids.device_id}"
        key = f"{self._scope}/{ids.dev_eui}"
        longer = f"{key}/{ids.join_eui}"
        if longer in self._store.known_devices:
            return longer  # the one that it shared the DevEUI with may be gone by now
        other = self.states.get(key)
        if (
            other is not None
            and other.device_id != ids.device_id
            and ids.join_eui != other.ids.join_eui
        ):
            return longer
        return key

    @callback
    def add(self, ids: EndDeviceIds, end_device: EndDevice | None = None) -> EndDeviceState:
        """Return the state of an end device, registering it where it is new."""
        key = self.key_of(ids)
        state = self.states.get(key)
        if state is None:
            state = EndDeviceState(
                key, ids, self._decisions.of(key), self._store.model_sensors, self._server_time
            )
            registered = dr.async_get(self._hass).async_get_device_by_identifier(
                (DOMAIN, key), self._entry.entry_id
            )
            state.taken_over = key in self._store.taken_over
            state.known_name = registered.name if registered is not None else None
            self.states[key] = state
        elif state.device_id != ids.device_id:  # it came back under another id
            self._by_device_id.pop(state.device_id, None)
            state.ids = ids
        self._by_device_id[ids.device_id] = state
        state.half_created = ids.device_id in self._store.partial_devices
        if end_device is not None:
            state.update_registration(end_device)
        self.register(state)
        return state

    @callback
    def register(self, state: EndDeviceState) -> None:
        """Write what is known of an end device to the device registry."""
        ids, versions = state.ids, state.version_ids
        area = area_from_attributes(state.attributes)
        untold = UNDEFINED if state.end_device is None else None
        device = dr.async_get(self._hass).async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={(DOMAIN, state.key)},
            name=state.name,
            manufacturer=brand_name(versions.brand_id) if versions else untold,
            model=versions.model_id.upper() if versions and versions.model_id else untold,
            sw_version=versions.firmware_version if versions else untold,
            hw_version=versions.hardware_version if versions else untold,
            serial_number=ids.dev_eui,
            configuration_url=self.console_url(ids.device_id),
            suggested_area=area,
            via_device_id=self.application_registry_id,
        )
        state.registry_id = device.id
        state.disabled = device.disabled
        self._by_registry_id[device.id] = state
        before = self._store.known_devices.get(state.key, {}).get("area")
        if state.end_device is None:
            area = before  # nobody knows what its attributes say now
        elif area is not None:
            follow(self._hass, device, before, area)
        self._store.remember_device(
            state.key,
            {
                "device_id": ids.device_id,
                "dev_eui": ids.dev_eui,
                "join_eui": ids.join_eui,
                "model": state.model,
                "area": area,
            },
        )

    @callback
    def add_all(self, registered: Iterable[EndDevice], complete: bool) -> None:
        """Take over the list of end devices, and those that only the store remembers."""
        for end_device in registered:
            self.registrations[end_device.ids.device_id] = end_device
            if self.wanted(end_device.ids.device_id, end_device.attributes):
                self._recall_without_dev_eui(end_device.ids)
                self.add(end_device.ids, end_device)
            else:
                self.excluded.add(end_device.ids.device_id)
        present = {(DOMAIN, key) for key in self.states}
        registry = dr.async_get(self._hass)
        for key, known in list(self._store.known_devices.items()):
            if (DOMAIN, key) in present or known.get("device_id") in self._by_device_id:
                continue
            if self.wanted(known["device_id"], {}) and (
                not complete
                or registry.async_get_device_by_identifier((DOMAIN, key), self._entry.entry_id)
            ):
                state = self.add(
                    EndDeviceIds(
                        device_id=known["device_id"],
                        application_id=self._connection.application_id or "",
                        dev_eui=known.get("dev_eui"),
                        join_eui=known.get("join_eui"),
                        dev_addr=None,
                    )
                )
                state.vanished = complete

    def _recall_without_dev_eui(self, ids: EndDeviceIds) -> None:
        """Take up an end device under its DevEUI that was known by its id only."""
        old = f"{self._scope}/{ids.device_id}"
        if ids.dev_eui is not None and old in self._store.known_devices:
            self.add(replace(ids, dev_eui=None, join_eui=None))
            self.find(ids)

    @callback
    def remove(self, state: EndDeviceState) -> None:
        """Take an end device out of Home Assistant; its decisions stay for its return."""
        self.drop(state)
        if state.registry_id is not None:
            dr.async_get(self._hass).async_remove_device(state.registry_id)

    @callback
    def drop(self, state: EndDeviceState) -> None:
        """Forget the live state of an end device."""
        self.states.pop(state.key, None)
        if self._by_device_id.get(state.device_id) is state:
            del self._by_device_id[state.device_id]
        if state.registry_id is not None:
            self._by_registry_id.pop(state.registry_id, None)

    @callback
    def refresh(self) -> None:
        """Let all entities of all end devices show what is true now."""
        for state in self.states.values():
            state.refresh()

    def by_registry_id(self, registry_id: str) -> EndDeviceState | None:
        """Return the end device behind a device registry id."""
        return self._by_registry_id.get(registry_id)

    def by_device_id(self, device_id: str) -> EndDeviceState | None:
        """Return the end device with this id in The Things Stack."""
        return self._by_device_id.get(device_id)

    def _upgrade(self, state: EndDeviceState, ids: EndDeviceIds) -> None:
        """Move an end device from its id to its DevEUI as key, with all its entities."""
        old, new = state.key, f"{self._scope}/{ids.dev_eui}"
        state.ids = ids
        if new in self.states or state.registry_id is None:
            return
        rename_in_registries(self._hass, state.registry_id, old, new)
        self._store.rename_device(old, new)
        self._decisions.rename_device(old, new)
        self.states[new] = self.states.pop(old)
        state.key = new
        self.register(state)
        rename_in_controls(self._hass, self._entry, old, new)


@callback
def rename_in_registries(hass: HomeAssistant, registry_id: str, old: str, new: str) -> None:
    """Give a device and its entities another device key; their history goes on."""
    entities = er.async_get(hass)
    for entity in er.async_entries_for_device(
        entities, registry_id, include_disabled_entities=True
    ):
        if entity.platform == DOMAIN and entity.unique_id.startswith(f"{old}/"):
            entities.async_update_entity(
                entity.entity_id, new_unique_id=new + entity.unique_id[len(old) :]
            )
    dr.async_get(hass).async_update_device(registry_id, new_identifiers={(DOMAIN, new)})


@callback
def rename_in_controls(hass: HomeAssistant, entry: ConfigEntry, old: str, new: str) -> None:
    """Let the controls of a device go with it to another device key."""
    for subentry in list(entry.subentries.values()):
        if subentry.data.get("device") == old:
            hass.config_entries.async_update_subentry(
                entry, subentry, data={**subentry.data, "device": new}
            )


def brand_name(brand_id: str | None) -> str | None:
    """Return a Device Repository brand id as people write it."""
    if not brand_id:
        return None
    known = brand_id.removesuffix("-iot")
    return BRANDS.get(known) or " ".join(part.capitalize() for part in known.split("-"))
