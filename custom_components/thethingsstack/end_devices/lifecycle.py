"""Add, update and remove end devices in Home Assistant."""

import asyncio
from collections.abc import Coroutine, Iterable
import logging
import time
from typing import TYPE_CHECKING, Any

from homeassistant.core import Context, Event, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send

from ..application import TimeSlices
from ..client import EndDevice, EndDeviceIds, StackError
from ..client.rights import DEVICES_READ
from ..const import DOMAIN
from ..fields import registered_location
from ..payload import Meaning
from .listeners import LOCATION, field_key
from .model_sensors import DEFAULT_PATIENCE, PATIENCE, ModelSensors
from .registered_batteries import RegisteredBatteries
from .state import EndDeviceState

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

_LOGGER = logging.getLogger(__name__)

REGISTRATION_PAUSE = 1.0


class EndDeviceLifecycle:
    """Adds and removes end devices, and signals the platforms."""

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Keep the coordinator; makes no request yet."""
        self._coordinator = coordinator
        patience = coordinator.hass.data.get(PATIENCE, DEFAULT_PATIENCE)
        self._models = ModelSensors(
            coordinator.stack, coordinator.store, patience, self._on_model_named
        )
        self._batteries = RegisteredBatteries(coordinator)
        self._new: list[EndDeviceState] = []
        """The end devices that the setup has found and that were not known before."""
        self._registrations = asyncio.Lock()

    # At setup

    async def async_setup(self, registered: Iterable[EndDevice], complete: bool) -> None:
        """Apply the list of registered end devices, and load the sensors of their models."""
        coordinator = self._coordinator
        registered = list(registered)
        brands = {device.version_ids.brand_id for device in registered if device.version_ids}
        for known in coordinator.store.known_devices.values():
            brands.add((known.get("model") or "").partition("/")[0] or None)
        await coordinator.fields.library.async_load(coordinator.hass, brands)
        known_keys = set(coordinator.store.known_devices)
        await coordinator.roster.async_add_all(registered, complete)
        states = coordinator.roster.states
        self._new = [device for key, device in states.items() if key not in known_keys]
        slices = TimeSlices(time.monotonic)
        for device in list(coordinator.roster.states.values()):
            await slices.end()
            self._place(device)
            coordinator.downlinks.on_device_added(device)
            coordinator.formatter_texts.on_device(device)
        await self._models.async_learn_soon(
            coordinator.roster.states.values(), self._start_in_background
        )

    @callback
    def async_start(self) -> None:
        """Follow the user's changes in the device registry until the entry is unloaded.

        Of new end devices, the battery levels are read that the network has.
        """
        self._coordinator.entry.async_on_unload(
            self._coordinator.hass.bus.async_listen(
                dr.EVENT_DEVICE_REGISTRY_UPDATED, self._registry_updated, self._concerns_us
            )
        )
        self._batteries.read_soon(self._new)
        self._new = []

    def _start_in_background(self, learning: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._coordinator.entry.async_create_background_task(
            self._coordinator.hass, learning, f"{DOMAIN} models"
        )

    def _on_model_named(self, device: EndDeviceState) -> None:
        """Give a device the name of its model, unless it was removed while that was asked for."""
        roster = self._coordinator.roster
        if roster.states.get(device.key) is device:
            roster.register(device)

    async def async_apply_choice(self) -> None:
        """Add or remove end devices after the options changed, until the entry is unloaded.

        What end devices that were left out send counts at once: a message adds its end device.
        """
        coordinator = self._coordinator
        roster, slices = coordinator.roster, TimeSlices(time.monotonic)
        taken_in = roster.take_in()
        for device in list(roster.states.values()):
            await slices.end()
            if coordinator.stopped:
                return
            if roster.states.get(device.key) is not device:
                continue
            if not roster.wanted(device.device_id, device.attributes):
                roster.excluded.add(device.device_id)
                roster.remove(device)
                self._remove_controls_of(device)
        for device_id in taken_in:
            await slices.end()
            if coordinator.stopped:
                return
            registered = roster.registrations.get(device_id)
            if registered is None or roster.by_device_id(device_id) is not None:
                continue
            if roster.wanted(device_id, registered.attributes):
                self._announce(roster.add(registered.ids, registered))
            else:
                roster.excluded.add(device_id)
        self._undecoded_changed()

    # From the registry of The Things Stack

    @callback
    def on_registered(self, end_device: EndDevice) -> EndDeviceState | None:
        """Add or update a registered end device; None if the options leave it out."""
        coordinator, ids = self._coordinator, end_device.ids
        roster = coordinator.roster
        roster.registrations[ids.device_id] = end_device
        if not roster.wanted(ids.device_id, end_device.attributes):
            roster.excluded.add(ids.device_id)
            if (excluded := roster.by_device_id(ids.device_id)) is not None:
                roster.remove(excluded)
            return None
        roster.excluded.discard(ids.device_id)
        before = roster.by_device_id(ids.device_id)
        known = roster.find(ids) is not None or roster.key_of(ids) in roster.states
        device = roster.add(ids, end_device)
        if before is not None and before is not device:
            self.on_deleted(before)  # another end device has its id now
        was_vanished, device.vanished = device.vanished, False
        if known:
            self.on_identified(device)
            coordinator.overdue_watch.update(device, Context())
            if was_vanished:
                device.refresh()
        else:
            self._announce(device)
        self._undecoded_changed()
        return device

    @callback
    def on_deleted(self, device: EndDeviceState) -> None:
        """Mark an end device as no longer registered.

        Its entities are kept and unavailable; its data is kept.
        """
        device.known_name = device.name
        device.vanished = True
        device.end_device = None
        device.refresh()
        self._undecoded_changed()

    # From messages

    @callback
    def add_from_message(self, ids: EndDeviceIds) -> EndDeviceState:
        """Add the end device of a message; its registration is fetched unless it is known."""
        coordinator, roster = self._coordinator, self._coordinator.roster
        known = roster.key_of(ids) in roster.states  # it is registered again under another id
        registered = roster.registrations.get(ids.device_id)
        if registered is not None and registered.ids.dev_eui != ids.dev_eui:
            registered = None  # of an earlier end device with its id
        device = roster.add(ids, registered)
        if known:
            coordinator.downlinks.on_device_added(device)
            device.refresh()
        else:
            self._announce(device)
        if registered is None and DEVICES_READ in coordinator.connection_state.rights:
            coordinator.entry.async_create_background_task(
                coordinator.hass, self._async_fetch_registration(device), f"{DOMAIN} registration"
            )
        return device

    async def _async_fetch_registration(self, device: EndDeviceState) -> None:
        """Fetch name and model of a newly seen end device; at most one per second."""
        coordinator = self._coordinator
        async with self._registrations:
            try:
                end_device = await coordinator.stack.device(device.device_id)
            except StackError as err:
                _LOGGER.debug("No registration of %s: %s", device.device_id, err)
            else:
                coordinator.roster.registrations[device.device_id] = end_device
                if coordinator.roster.states.get(device.key) is device:  # not removed meanwhile
                    device.vanished = False
                    device.update_registration(end_device)
                    self.on_identified(device)
                    device.refresh()
                    self._undecoded_changed()
            await asyncio.sleep(REGISTRATION_PAUSE)

    @callback
    def on_identified(self, device: EndDeviceState) -> None:
        """Update the device registry, location and overrides after model or name became known."""
        coordinator = self._coordinator
        coordinator.roster.register(device)
        self._place(device)
        coordinator.formatter_texts.on_device(device)
        async_dispatcher_send(coordinator.hass, coordinator.signals.identified, device)
        coordinator.entry.async_create_background_task(
            coordinator.hass, self._async_learn_model(device), f"{DOMAIN} model"
        )

    async def _async_learn_model(self, device: EndDeviceState) -> None:
        """Read what is known of an end device's model, and correct what was decided without it."""
        coordinator, versions = self._coordinator, device.version_ids
        library = coordinator.fields.library
        if versions is not None and not library.has(versions.brand_id):
            await library.async_load(coordinator.hass, [versions.brand_id])
            device.update_context()
            if coordinator.roster.states.get(device.key) is device:
                coordinator.roster.register(device)  # the library has the brand's name
                coordinator.async_correct(device, device.better_decisions())
        await self._models.async_learn([device])

    async def async_decide_by_model(self, device: EndDeviceState) -> None:
        """Decide anew on the fields of an end device whose model the user has chosen."""
        brand_id = device.version_ids.brand_id if device.version_ids else None
        await self._coordinator.fields.library.async_load(self._coordinator.hass, [brand_id])
        device.update_context()
        self._coordinator.async_correct(device, device.better_decisions(model_chosen=True))

    # Its model and location

    @callback
    def _announce(self, device: EndDeviceState) -> None:
        coordinator = self._coordinator
        coordinator.fields.apply_overrides(device.key)  # its model may have changed meanwhile
        coordinator.downlinks.on_device_added(device)
        coordinator.formatter_texts.on_device(device)
        async_dispatcher_send(coordinator.hass, coordinator.signals.new_device, device)
        coordinator.controls.async_on_device_added(device)
        if device.decisions:
            self._new_fields(device, dict(device.decisions))
        self._place(device)
        self._batteries.read_soon([device])
        coordinator.application_status.changed()

    @callback
    def _place(self, device: EndDeviceState) -> None:
        """Use the registered location of an end device if no better position is known."""
        if not device.show_registered_position():
            return
        if LOCATION not in device.decisions:
            new = self._coordinator.fields.remember(device.key, {LOCATION: registered_location()})
            device.note_fields(new)
            self._new_fields(device, new)
        device.write([field_key(LOCATION)], Context())

    @callback
    def _new_fields(self, device: EndDeviceState, new: dict[str, Meaning]) -> None:
        async_dispatcher_send(
            self._coordinator.hass, self._coordinator.signals.new_fields, device, new
        )

    @callback
    def _undecoded_changed(self) -> None:
        async_dispatcher_send(self._coordinator.hass, self._coordinator.signals.undecoded_changed)

    # Changes by the user

    @callback
    def _remove_controls_of(self, device: EndDeviceState) -> None:
        self._coordinator.hass.async_create_task(
            self._coordinator.controls.async_on_device_removed(device.key), f"{DOMAIN} controls"
        )

    @callback
    def _concerns_us(self, data: dr.EventDeviceRegistryUpdatedData) -> bool:
        return self._coordinator.roster.by_registry_id(data["device_id"]) is not None

    @callback
    def _registry_updated(self, event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        coordinator, registry_id = self._coordinator, event.data["device_id"]
        device = coordinator.roster.by_registry_id(registry_id)
        if device is None:
            return
        entry = dr.async_get(coordinator.hass).async_get(registry_id)
        if entry is None:
            coordinator.roster.drop(device)
            self._remove_controls_of(device)
            self._undecoded_changed()
            coordinator.application_status.changed()
        else:
            device.disabled = entry.disabled
