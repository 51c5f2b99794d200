"""Sets up only those of Home Assistant's platforms that an application has entities of."""

import asyncio
from collections.abc import Iterable, Mapping
import time
from typing import TYPE_CHECKING

from homeassistant.config_entries import OperationNotAllowed
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import async_get_platforms
from homeassistant.loader import async_get_integration

from ..const import DOMAIN
from ..payload import Kind, Meaning
from .time_slices import TimeSlices

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry
    from ..end_devices import EndDeviceState

ALWAYS = frozenset({Platform.BINARY_SENSOR, Platform.EVENT, Platform.SENSOR})
"""Those of the application's own entities, and of what every end device has."""
_ALL = frozenset(Platform)


class Platforms:
    """The platforms of an entry: at first those that are needed, later others with their entities."""

    def __init__(self, hass: HomeAssistant, entry: TtsConfigEntry) -> None:
        """Set nothing up yet."""
        self._hass = hass
        self._entry = entry
        self._forwarding = asyncio.Lock()
        self._unloaded = False
        self._started: set[Platform] = set()
        self._loaded: set[Platform] = set()
        """Those that have to be unloaded."""

    async def async_setup(self) -> None:
        """Set up what is needed now; call it in the entry's setup, before messages come."""
        coordinator = self._entry.runtime_data
        registry = er.async_get(self._hass)
        known = er.async_entries_for_config_entry(registry, self._entry.entry_id)
        domains = {entity.domain for entity in known}
        devices = coordinator.roster.states.values()
        fields = (meaning for device in devices for meaning in device.decisions.values())
        await self._async_forward(
            {
                *ALWAYS,
                *map(Platform, _ALL & domains),
                *_platforms_of(fields),
                *self._of_subentries(),
            }
        )
        self._entry.async_on_unload(
            async_dispatcher_connect(self._hass, coordinator.signals.new_fields, self._on_fields)
        )

    async def async_apply(self) -> None:
        """Set up the platforms of new controls and gateways, before these are added."""
        await self._async_forward_late(self._of_subentries())

    async def async_unload(self) -> bool:
        """Remove all entities, a few at a time, and unload the platforms; return whether they are."""
        self._unloaded = True
        slices = TimeSlices(time.monotonic)
        for platform in list(async_get_platforms(self._hass, DOMAIN)):
            if platform.config_entry is not self._entry:
                continue
            for entity in list(platform.entities.values()):
                try:
                    await entity.async_remove()
                except Exception:  # noqa: BLE001 - Home Assistant logs it as it unloads the platform
                    continue
                await slices.end()
        return await self._hass.config_entries.async_unload_platforms(self._entry, self._loaded)

    def _of_subentries(self) -> set[Platform]:
        coordinator = self._entry.runtime_data
        trackers = {Platform.DEVICE_TRACKER} if coordinator.gateways.chosen else set()
        return coordinator.controls.platforms | trackers

    @callback
    def _on_fields(self, _device: EndDeviceState, fields: Mapping[str, Meaning]) -> None:
        """Set up the platform of the first field of a kind; it adds what is decided by then."""
        if missing := _platforms_of(fields.values()) - self._started:
            self._hass.async_create_task(self._async_forward_late(missing))

    async def _async_forward(self, platforms: Iterable[Platform]) -> None:
        if not (new := set(platforms) - self._started):
            return
        self._started |= new
        try:
            await self._hass.config_entries.async_forward_entry_setups(self._entry, new)
        except OperationNotAllowed:
            self._started -= new
            raise
        self._loaded |= new

    async def _async_forward_late(self, platforms: Iterable[Platform]) -> None:
        """Set platforms up while the entry runs; nothing if it is unloaded meanwhile."""
        async with self._forwarding:
            integration = await async_get_integration(self._hass, DOMAIN)
            await integration.async_get_platforms(platforms)
            # Before 2026.11 Home Assistant takes a lock that is held for one of the entry's setup.
            async with self._entry.setup_lock:
                pass
            if self._unloaded:  # also when the entry is set up again by now
                return
            try:
                await self._async_forward(platforms)
            except OperationNotAllowed:
                return


def _platforms_of(fields: Iterable[Meaning]) -> set[Platform]:
    kinds = {meaning.kind for meaning in fields}
    return {Platform(kind) for kind in kinds if kind is not Kind.IGNORE}
