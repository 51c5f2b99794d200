"""The end devices of one application, and their place in Home Assistant's device registry."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.typing import UNDEFINED

from ..application import ApplicationStore, TimeSlices
from ..client import ApplicationClient, EndDevice, EndDeviceIds, VersionIds
from ..const import (
    CONF_APPLICATION_ID,
    CONF_CHOSEN_DEVICES,
    CONF_DEVICES,
    CONF_LEFT_OUT_DEVICES,
    DEFAULT_DEVICES,
    DEVICES_ALL,
    DEVICES_CHOSEN,
    DEVICES_NOT_IGNORED,
    DOMAIN,
    IGNORE_ATTRIBUTE,
    IGNORE_VALUE,
)
from ..fields import FieldDecisions
from .areas import area_from_attributes, follow
from .last_values import LastValues
from .state import EndDeviceState
from .uplink_history import UplinkHistory

CLOCK_TOLERANCE = timedelta(minutes=5)
"""What was stored with a time later than this is from a clock that was wrong."""

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
"""Names of brands whose id with capital letters isn't the name that they use."""


class EndDeviceRoster:
    """The end devices by their ids, each with its state and its device in the device registry.

    The device key consists of application and DevEUI, so that history is kept when the entry is
    removed and added again, or the server's address or the device ID changes. Without a DevEUI it
    has the device ID; where two end devices share a DevEUI, it has the JoinEUI, too.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        stack: ApplicationClient,
        store: ApplicationStore,
        decisions: FieldDecisions,
    ) -> None:
        """Start without end devices."""
        self._hass = hass
        self._entry = entry
        self._connection = stack.connection
        self._has_console = stack.capabilities.console
        self._server_time = stack.server_time
        self._not_in_future = stack.not_in_future
        self._store = store
        self._decisions = decisions
        self._by_device_id: dict[str, EndDeviceState] = {}
        self._by_registry_id: dict[str, EndDeviceState] = {}
        self.states: dict[str, EndDeviceState] = {}
        self.registrations: dict[str, EndDevice] = {}
        self.excluded: set[str] = set()
        self.application_registry_id = ""
        self._outdated: dict[EndDeviceState, None] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self.last_values = LastValues(hass, entry, self.states)

    @property
    def application_identifier(self) -> tuple[str, str]:
        """Return the registry identifier of the application's own device."""
        return (DOMAIN, self._scope)

    @property
    def _scope(self) -> str:
        """Return the first part of device keys: the application's ID unless the store has another.

        Another is needed if a second entry has an application with the same ID.
        """
        return self._store.scope or self._connection.application_id or ""

    def choose_scope(self) -> None:
        """Decide on the first part of device keys, once: two servers may have applications of one id."""
        if self._store.scope is not None:
            return
        application = self._connection.application_id
        taken = any(
            other.data.get(CONF_APPLICATION_ID) == application
            for other in self._hass.config_entries.async_entries(DOMAIN)
            if other.entry_id != self._entry.entry_id and other.created_at < self._entry.created_at
        )
        self._store.scope = f"{self._entry.unique_id}" if taken else application

    @callback
    def register_application(self, name: str) -> None:
        """Add the application to the device registry; needed before its end devices are added."""
        application_status = dr.async_get(self._hass).async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={self.application_identifier},
            name=name,
            manufacturer="The Things Industries",
            model="Application",
            model_id=self._connection.uid,
            entry_type=dr.DeviceEntryType.SERVICE,
            configuration_url=self.console_url() or None,
        )
        self.application_registry_id = application_status.id

    def console_url(self, device_id: str | None = None) -> str:
        """Return the Console page of the application, or of one of its end devices.

        Empty where the network has no Console.
        """
        if not self._has_console:
            return ""
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
        """Return whether the options allow this end device in Home Assistant."""
        choice = self._entry.options.get(CONF_DEVICES, DEFAULT_DEVICES)
        if choice == DEVICES_CHOSEN:
            return device_id in self._entry.options.get(CONF_CHOSEN_DEVICES, ())
        if choice == DEVICES_ALL:
            return True
        if choice == DEVICES_NOT_IGNORED and attributes.get(IGNORE_ATTRIBUTE) == IGNORE_VALUE:
            return False
        return device_id not in self._entry.options.get(CONF_LEFT_OUT_DEVICES, ())

    def take_in(self) -> list[str]:
        """Exclude no longer what the options allow by now; return the IDs of these end devices."""
        taken_in = [
            device_id
            for device_id in self.excluded
            if self.wanted(device_id, self._registered_attributes(device_id))
        ]
        self.excluded.difference_update(taken_in)
        return taken_in

    def _registered_attributes(self, device_id: str) -> Mapping[str, str]:
        registered = self.registrations.get(device_id)
        return registered.attributes if registered is not None else {}

    def key_of(self, ids: EndDeviceIds) -> str:
        """Return the device key: what identifies an end device in Home Assistant."""
        if ids.dev_eui is None:
            return f"{self._scope}/{ids.device_id}"
        key = f"{self._scope}/{ids.dev_eui}"
        longer = f"{key}/{ids.join_eui}"
        if longer in self._store.known_devices:
            return longer  # kept also when the other end device with this DevEUI is removed
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
        """Return the state of an end device, new or known, and update the device registry.

        `end_device` is its registration in The Things Stack, if that was read.
        """
        key = self.key_of(ids)
        state = self.states.get(key)
        if state is None:
            uplinks = self._store.uplinks.setdefault(key, UplinkHistory())
            uplinks.forget_future(self._server_time() + CLOCK_TOLERANCE)
            state = EndDeviceState(
                key,
                ids,
                self._decisions.of(key),
                self._store.model_sensors,
                self._not_in_future,
                known_fields=self._decisions.library.fields_of,
                observations=self._decisions.observations(key),
                uplinks=uplinks,
            )
            registered = dr.async_get(self._hass).async_get_device_by_identifier(
                (DOMAIN, key), self._entry.entry_id
            )
            state.taken_over = key in self._store.taken_over
            state.local_decoder.chosen = self._store.decoders.get(key)
            state.known_name = registered.name if registered is not None else None
            self.states[key] = state
            self.last_values.restore(state)
        elif state.device_id != ids.device_id:  # registered again under another id
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
        """Write name, model and the like of an end device to the device registry."""
        ids, versions = state.ids, state.version_ids
        area = area_from_attributes(state.attributes)
        unknown = UNDEFINED if state.end_device is None else None
        device = dr.async_get(self._hass).async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={(DOMAIN, state.key)},
            name=state.name,
            manufacturer=self._brand_name(versions.brand_id) if versions else unknown,
            model=self._model_name(versions) or unknown,
            model_id=versions.model_id if versions else unknown,
            sw_version=versions.firmware_version if versions else unknown,
            hw_version=versions.hardware_version if versions else unknown,
            serial_number=ids.dev_eui,
            configuration_url=self.console_url(ids.device_id) or None,
            suggested_area=area,
            via_device_id=self.application_registry_id,
        )
        state.registry_id = device.id
        state.disabled = device.disabled
        self._by_registry_id[device.id] = state
        before = self._store.known_devices.get(state.key, {}).get("area")
        if state.end_device is None:
            area = before  # its attributes are unknown until its registration is read
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

    def names_of(self, versions: VersionIds | None) -> str:
        """Return brand and model in words, as on the device's page; a dash if none is known."""
        brand = self._brand_name(versions.brand_id) if versions else None
        return " ".join(filter(None, (brand, self._model_name(versions)))) or "-"

    def _model_name(self, versions: VersionIds | None) -> str | None:
        """Return a model's name as the Device Repository has it, else one made of its ID."""
        if versions is None or not versions.model_id:
            return None
        known = self._store.model_names.get(f"{versions.brand_id}/{versions.model_id}")
        return known or model_name(versions.model_id)

    def _brand_name(self, brand_id: str | None) -> str | None:
        return self._decisions.library.name_of(brand_id) or brand_name(brand_id)

    async def async_add_all(self, registered: Iterable[EndDevice], complete: bool) -> None:
        """Add the registered end devices, and those that are only known from the store.

        Those that the options leave out by now are removed from the device registry.
        `complete` is whether `registered` are all: then those from the store have vanished.
        """
        slices = TimeSlices(time.monotonic)
        for end_device in registered:
            await slices.end()
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
            device = registry.async_get_device_by_identifier((DOMAIN, key), self._entry.entry_id)
            attributes = self._registered_attributes(known["device_id"])
            if not self.wanted(known["device_id"], attributes):
                if device is not None:
                    registry.async_remove_device(device.id)
            elif device is not None or not complete:
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
        """Change the key of an end device to its DevEUI if it is stored under its device ID."""
        old = f"{self._scope}/{ids.device_id}"
        if ids.dev_eui is not None and old in self._store.known_devices:
            self.add(replace(ids, dev_eui=None, join_eui=None))
            self.find(ids)

    @callback
    def remove(self, state: EndDeviceState) -> None:
        """Remove an end device from Home Assistant; its decisions are kept for its return."""
        self.drop(state)
        if state.registry_id is not None:
            dr.async_get(self._hass).async_remove_device(state.registry_id)

    @callback
    def drop(self, state: EndDeviceState) -> None:
        """Remove the live state of an end device; its device in the registry is kept."""
        self.states.pop(state.key, None)
        if state.key in self._store.known_devices:
            self.last_values.keep(state)
        else:  # it was deleted for good
            self.last_values.forget_device(state.key)
        if self._by_device_id.get(state.device_id) is state:
            del self._by_device_id[state.device_id]
        if state.registry_id is not None:
            self._by_registry_id.pop(state.registry_id, None)

    @callback
    def interrupted(self) -> None:
        """Note that uplinks may have been missed: silences around now say nothing."""
        for state in self.states.values():
            state.uplinks.interval.interrupt()

    @callback
    def refresh(self) -> None:
        """Let all entities of all end devices read their state again, some at once, others soon."""
        self._outdated.update(dict.fromkeys(self.states.values()))
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = self._entry.async_create_background_task(
                self._hass, self._async_refresh(), f"{DOMAIN} refresh"
            )

    async def _async_refresh(self) -> None:
        slices = TimeSlices(time.monotonic)
        while self._outdated:
            state = next(iter(self._outdated))
            del self._outdated[state]
            if self.states.get(state.key) is state:
                state.refresh()
            await slices.end()

    def by_registry_id(self, registry_id: str) -> EndDeviceState | None:
        """Return the end device with this ID in the device registry."""
        return self._by_registry_id.get(registry_id)

    def by_device_id(self, device_id: str) -> EndDeviceState | None:
        """Return the end device with this id in The Things Stack."""
        return self._by_device_id.get(device_id)

    def _upgrade(self, state: EndDeviceState, ids: EndDeviceIds) -> None:
        """Change the key of an end device from device ID to DevEUI, also that of its entities."""
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
    """Change the device key of a device and its entities; their history is kept."""
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
    """Change the device key in the controls of an end device."""
    for subentry in list(entry.subentries.values()):
        if subentry.data.get("device") == old:
            hass.config_entries.async_update_subentry(
                entry, subentry, data={**subentry.data, "device": new}
            )


def model_name(model_id: str) -> str:
    """Return a name made of a model's ID: LHT65N, Oyster, WS301-Pro."""
    return "-".join(
        part.capitalize() if len(part) > 3 and part.isalpha() else part.upper()
        for part in model_id.split("-")
    )


def brand_name(brand_id: str | None) -> str | None:
    """Return the name of a brand in the Device Repository made of its ID; None without one."""
    if not brand_id:
        return None
    known = brand_id.removesuffix("-iot")
    return BRANDS.get(known) or " ".join(part.capitalize() for part in known.split("-"))
