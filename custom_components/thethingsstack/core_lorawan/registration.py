"""Register an application with Home Assistant's LoRaWAN integration, and withdraw it again."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.importlib import async_import_module
from homeassistant.loader import Integration, IntegrationNotFound, async_get_integration
from homeassistant.setup import async_setup_component

from ..client import JoinAccept, LocationSolved, UplinkMessage
from ..const import CONF_CORE_LORAWAN, DEFAULT_CORE_LORAWAN, DOMAIN
from ..end_devices import EndDeviceState

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator
    from .connection import StackConnection

CORE_DOMAIN: Final = "lorawan"

type Matchers = dict[str, list[tuple[str, int | str]]]
"""Which brands an integration supports, as core keeps it: domain to stack and brand."""


async def async_core_lorawan(hass: HomeAssistant) -> Integration | None:
    """Return Home Assistant's LoRaWAN integration; None where it has none.

    A custom integration of the same name takes its place, and is not meant.
    """
    try:
        integration = await async_get_integration(hass, CORE_DOMAIN)
    except IntegrationNotFound:
        return None
    return integration if integration.is_built_in else None


class CoreLorawan:
    """Registers an application with Home Assistant's LoRaWAN integration.

    There its end devices are listed, and integrations for single brands use its connection. It is
    withdrawn while the server can't be reached for long, so that those can tell. Where Home
    Assistant has no such integration, or the option is off, nothing happens.
    """

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Keep the coordinator; registers nothing yet."""
        self._coordinator = coordinator
        self._hass, self._entry = coordinator.hass, coordinator.entry
        self._connection: StackConnection | None = None
        self._cancel: list[CALLBACK_TYPE] = []
        self._matchers: Matchers = {}
        self._applying = asyncio.Lock()
        self._missing = False
        """Whether Home Assistant doesn't have the integration, or can't set it up."""
        self._updates_soon = False

    @property
    def registered(self) -> bool:
        """Return whether the application is registered now."""
        return self._connection is not None

    @callback
    def async_start(self) -> None:
        """Register the application, and keep it so until the entry is unloaded."""
        entry, coordinator = self._entry, self._coordinator
        entry.async_on_unload(self._withdraw)
        entry.async_on_unload(coordinator.application_status.async_listen(self.async_apply))
        signals = coordinator.signals
        for signal in (signals.new_device, signals.identified):
            entry.async_on_unload(
                async_dispatcher_connect(self._hass, signal, self._device_changed)
            )
        entry.async_on_unload(
            async_dispatcher_connect(self._hass, signals.undecoded_changed, self._update_soon)
        )
        self.async_apply()

    @callback
    def async_apply(self) -> None:
        """Register or withdraw, as the option and the connection ask for."""
        if self._wanted is not self.registered and not self._missing:
            self._entry.async_create_background_task(
                self._hass, self._async_apply(), f"{DOMAIN} core LoRaWAN"
            )

    @property
    def _chosen(self) -> bool:
        return bool(self._entry.options.get(CONF_CORE_LORAWAN, DEFAULT_CORE_LORAWAN))

    @property
    def _wanted(self) -> bool:
        return self._chosen and self._coordinator.connection_state.available

    async def _async_apply(self) -> None:
        async with self._applying:
            if not self._wanted:
                self._withdraw()
                if not self._chosen:
                    self._remove_identifiers()
            elif not self.registered:
                await self._async_register()

    async def _async_register(self) -> None:
        """Set the integration up, which installs what it requires, and register with it."""
        integration = await async_core_lorawan(self._hass)
        if integration is None or not await async_setup_component(self._hass, CORE_DOMAIN, {}):
            self._missing = True
            return
        core = await integration.async_get_component()
        module = await async_import_module(self._hass, f"{__package__}.connection")
        connection = cast(
            "StackConnection", module.StackConnection(self._entry.entry_id, self._coordinator)
        )
        self._connection = connection
        self._update()
        try:
            unregister = await core.async_register_connection(  # type: ignore[attr-defined]
                self._hass,
                self._entry,
                connection=connection,
                configuration_url=self._coordinator.roster.console_url() or None,
            )
        except BaseException:
            self._withdraw()
            raise
        self._cancel.append(cast(Callable[[], None], unregister))
        # In the manifest they would need a dependency that Home Assistant 2026.10 doesn't have.
        self._matchers = self._hass.data[core.DATA_REGISTRY].integrations  # type: ignore[attr-defined]
        self._support_brands()

    @callback
    def _withdraw(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        while self._cancel:
            self._cancel.pop()()
        if not any(
            entry.runtime_data.core_lorawan.registered
            for entry in self._hass.config_entries.async_entries(DOMAIN)
            if entry.state is ConfigEntryState.LOADED and entry.entry_id != self._entry.entry_id
        ):
            self._matchers.pop(DOMAIN, None)
        self._matchers = {}

    # The end devices

    @callback
    def _device_changed(self, _device: EndDeviceState) -> None:
        self._update_soon()

    @callback
    def _update_soon(self) -> None:
        """Update the list once after all changes of this moment."""
        if self._connection is not None and not self._updates_soon:
            self._updates_soon = True
            self._hass.loop.call_soon(self._update)

    @callback
    def _update(self) -> None:
        self._updates_soon = False
        if self._connection is not None:
            for device in self._connection.update():
                self._identify(device)
            self._support_brands()

    @callback
    def _support_brands(self) -> None:
        """List the brands of all end devices as supported, so that core looks for their devices."""
        if self._connection is not None:
            brands = self._connection.brands.union(self._matchers.get(DOMAIN, ()))
            self._matchers[DOMAIN] = sorted(brands, key=str)

    @callback
    def _identify(self, device: EndDeviceState) -> None:
        """Give an end device's entry in the device registry the identifier that core looks for."""
        registry = dr.async_get(self._hass)
        entry = registry.async_get(device.registry_id or "")
        if entry is None or self._connection is None or device.ids.dev_eui is None:
            return
        wanted = {(DOMAIN, device.key), (DOMAIN, self._connection.identifier(device.ids.dev_eui))}
        if wanted != entry.identifiers:
            registry.async_update_device(entry.id, new_identifiers=wanted)

    @callback
    def _remove_identifiers(self) -> None:
        registry = dr.async_get(self._hass)
        for device in self._coordinator.roster.states.values():
            entry = registry.async_get(device.registry_id or "")
            if entry is not None and entry.identifiers != {(DOMAIN, device.key)}:
                registry.async_update_device(entry.id, new_identifiers={(DOMAIN, device.key)})

    # Messages

    @callback
    def on_uplink(self, device: EndDeviceState, uplink: UplinkMessage) -> None:
        """Pass an uplink on."""
        if self._connection is not None and not uplink.simulated:
            self._connection.on_uplink(device, uplink)

    @callback
    def on_joined(self, device: EndDeviceState, message: JoinAccept) -> None:
        """Pass a join on."""
        if self._connection is not None:
            self._connection.on_joined(device, message)

    @callback
    def on_location(self, device: EndDeviceState, message: LocationSolved) -> None:
        """Pass a position on that a location service has found."""
        if self._connection is not None:
            self._connection.on_location(device, message)
