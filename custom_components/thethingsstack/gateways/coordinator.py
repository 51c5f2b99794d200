"""Coordinators that read the status of an application's gateways regularly."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from ..application import async_create_stack
from ..client import (
    ApplicationClient,
    AuthenticationFailed,
    Gateway,
    GatewayConnection,
    MissingRight,
    NotFound,
    RateLimited,
    StackError,
)
from ..const import DOMAIN
from ..end_devices import EndDeviceRoster
from ..issues import application_name, clear_issue, raise_issue

_LOGGER = logging.getLogger(__name__)

SUBENTRY_GATEWAY = "gateway"
CONF_GATEWAY_ID = "gateway_id"

INTERVAL = timedelta(minutes=1)
REFUSED_INTERVAL = timedelta(minutes=15)
REGISTRY_INTERVAL = timedelta(hours=1)

type GatewayFactory = Callable[["GatewayCoordinator"], Iterable[Entity]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStatus:
    """A gateway's registration, and its connection: None if it isn't connected."""

    gateway: Gateway
    connection: GatewayConnection | None


async def async_stack_with(
    hass: HomeAssistant, entry: ConfigEntry, api_key: str | None
) -> ApplicationClient:
    """Return a client with a gateway's own API key; the application's client if that is None."""
    if api_key is None:
        stack: ApplicationClient = entry.runtime_data.stack
        return stack
    return await async_create_stack(hass, {**entry.data, CONF_API_KEY: api_key})


class GatewayCoordinator(DataUpdateCoordinator[GatewayStatus]):
    """Reads the status of a gateway once a minute, and less often while the server refuses it."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry, scope: str
    ) -> None:
        """Keep entry and subentry; makes no request yet. `scope` begins the device key."""
        self.gateway_id: str = subentry.data[CONF_GATEWAY_ID]
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=f"gateway {self.gateway_id}",
            update_interval=INTERVAL,
            always_update=False,
        )
        self.entry = entry
        self.subentry_id = subentry.subentry_id
        self.key = f"{scope}/gateway/{self.gateway_id}"
        """What identifies the gateway in Home Assistant."""
        self.refused: str | None = None
        """The error's name while the server refuses to show the gateway; else None."""
        self._title = subentry.title
        self._api_key: str | None = subentry.data.get(CONF_API_KEY)
        self._stack: ApplicationClient | None = None
        self._gateway: Gateway | None = None
        self._asked_registry: datetime | None = None

    @property
    def own_key(self) -> bool:
        """Return whether the gateway is read with its own API key."""
        return self._api_key is not None

    @property
    def device_info(self) -> DeviceInfo:
        """Return the gateway for the device registry.

        Before the first successful read, only its identifier, so that the registry isn't changed.
        """
        identifiers = {(DOMAIN, self.key)}
        gateway = self._gateway
        if gateway is None and self._device is not None:
            return DeviceInfo(identifiers=identifiers)
        server = self.entry.runtime_data.stack.connection.server
        return DeviceInfo(
            identifiers=identifiers,
            name=(gateway.name if gateway else None) or self._title,
            model="Gateway",
            model_id=self.gateway_id,
            serial_number=gateway.gateway_eui if gateway else None,
            configuration_url=f"{server}/console/gateways/{self.gateway_id}",
        )

    @property
    def name_in_home_assistant(self) -> str | None:
        """Return the gateway's name in Home Assistant; None if it has no device there yet."""
        device = self._device
        return (device.name_by_user or device.name) if device is not None else None

    @property
    def _device(self) -> dr.DeviceEntry | None:
        return dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, self.key), self.entry.entry_id
        )

    async def async_use_key(self, api_key: str | None) -> None:
        """Use another API key from now on (None: the application's), and read the gateway."""
        self._api_key = api_key
        self._stack = self._gateway = None
        await self.async_refresh()

    @override
    async def _async_update_data(self) -> GatewayStatus:
        try:
            status = await self._async_read()
        except RateLimited as err:
            wait = max(err.retry_after, INTERVAL.total_seconds())
            raise self._failed(err, wait) from err
        except (MissingRight, AuthenticationFailed, NotFound) as err:
            self._refuse(err)
            raise self._failed(err) from err
        except StackError as err:
            raise self._failed(err) from err
        self.refused = None
        self.update_interval = INTERVAL
        clear_issue(self.hass, self._issue_id)
        return status

    async def _async_read(self) -> GatewayStatus:
        if self._stack is None:
            self._stack = await async_stack_with(self.hass, self.entry, self._api_key)
        now = dt_util.utcnow()
        gateway = self._gateway
        if (
            gateway is None
            or self._asked_registry is None
            or now - self._asked_registry >= REGISTRY_INTERVAL
        ):
            gateway = await self._stack.gateways.get(self.gateway_id)
        connection = await self._stack.gateways.connection(self.gateway_id)
        if gateway is not self._gateway:
            self._gateway, self._asked_registry = gateway, now
            self._update_device()
        return GatewayStatus(gateway=gateway, connection=connection)

    @callback
    def _update_device(self) -> None:
        """Update name and EUI of the device in Home Assistant from the registration."""
        assert self._gateway is not None
        if (device := self._device) is not None:
            dr.async_get(self.hass).async_update_device(
                device.id,
                name=self._gateway.name or self._title,
                serial_number=self._gateway.gateway_eui,
            )

    def _failed(self, error: StackError, retry_after: float | None = None) -> UpdateFailed:
        return UpdateFailed(
            retry_after=retry_after,
            translation_domain=DOMAIN,
            translation_key="gateway_not_read",
            translation_placeholders={"gateway": self.gateway_id, "error": str(error)},
        )

    @callback
    def _refuse(self, error: StackError) -> None:
        """Read less often, and raise an issue that says what to do."""
        self.refused = error.name
        self.update_interval = REFUSED_INTERVAL
        if isinstance(error, AuthenticationFailed) and not self.own_key:
            return  # the application checks its own key after each refusal
        raise_issue(
            self.hass,
            self._issue_id,
            "gateway_gone" if isinstance(error, NotFound) else "gateway_refused",
            {
                "gateway": self.gateway_id,
                "application": application_name(self.entry),
                "error": str(error),
            },
        )

    @property
    def _issue_id(self) -> str:
        return f"gateway_{self.entry.entry_id}_{self.subentry_id}"

    @override
    async def async_shutdown(self) -> None:
        """Stop reading, and clear the issue."""
        await super().async_shutdown()
        clear_issue(self.hass, self._issue_id)


class Gateways:
    """The gateways of an entry: one coordinator for each gateway subentry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, roster: EndDeviceRoster) -> None:
        """Start without gateways."""
        self._hass = hass
        self._entry = entry
        self._roster = roster
        self._platforms: list[tuple[GatewayFactory, AddConfigEntryEntitiesCallback]] = []
        self._data: dict[str, dict[str, Any]] = {}
        self._known: dict[str, GatewayCoordinator] = {}
        self._applying = asyncio.Lock()

    def __iter__(self) -> Iterator[GatewayCoordinator]:
        """Iterate over the gateways."""
        return iter(list(self._known.values()))

    @property
    def chosen(self) -> bool:
        """Return whether any gateway was added to the entry, also where none was read yet."""
        return any(self._subentries())

    def name_of(self, gateway_id: str) -> str | None:
        """Return the name of a gateway in Home Assistant; None if it isn't there."""
        gateway = next((known for known in self if known.gateway_id == gateway_id), None)
        return gateway.name_in_home_assistant if gateway is not None else None

    def reception_counts(self) -> dict[str, int]:
        """Return how many end devices' last uplink each gateway received, by ID, most first.

        Without gateways of other networks, since their status can't be read.
        """
        counts: dict[str, int] = {}
        for device in self._roster.states.values():
            uplink = device.last_uplink
            receptions = uplink.receptions if uplink is not None else ()
            for gateway_id in {r.gateway_id for r in receptions if not r.via_packet_broker}:
                counts[gateway_id] = counts.get(gateway_id, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @callback
    def async_prepare(self) -> None:
        """Create a coordinator for each gateway subentry; call it before platforms are set up."""
        for subentry in self._subentries():
            self._data[subentry.subentry_id] = dict(subentry.data)
            self._known[subentry.subentry_id] = self._coordinator(subentry)

    @callback
    def async_connect(
        self, factory: GatewayFactory, async_add_entities: AddConfigEntryEntitiesCallback
    ) -> None:
        """Add the entities that `factory` returns for each gateway, also for later ones."""
        self._platforms.append((factory, async_add_entities))
        for gateway in self:
            self._add(gateway, factory, async_add_entities)

    @callback
    def async_start(self) -> None:
        """Start reading; call it after all platforms are set up."""
        for gateway in self:
            self._start_reading(gateway)
        self._entry.async_on_unload(self._async_stop)

    async def async_apply(self) -> None:
        """Add, change and remove gateways after subentries changed, without a reload."""
        async with self._applying:
            now = {s.subentry_id: dict(s.data) for s in self._subentries()}
            before, self._data = self._data, now
            for removed in before.keys() - now.keys():
                # Home Assistant has removed device and entities with the subentry.
                if (gateway := self._known.pop(removed, None)) is not None:
                    await gateway.async_shutdown()
            for new in now.keys() - before.keys():
                gateway = self._coordinator(self._entry.subentries[new])
                self._known[new] = gateway
                for factory, add in self._platforms:
                    self._add(gateway, factory, add)
                self._start_reading(gateway)
            for changed in [i for i in before.keys() & now.keys() if before[i] != now[i]]:
                await self._known[changed].async_use_key(now[changed].get(CONF_API_KEY))

    def _subentries(self) -> Iterator[ConfigSubentry]:
        return (
            subentry
            for subentry in list(self._entry.subentries.values())
            if subentry.subentry_type == SUBENTRY_GATEWAY
        )

    def _coordinator(self, subentry: ConfigSubentry) -> GatewayCoordinator:
        scope = self._roster.application_identifier[1]
        return GatewayCoordinator(self._hass, self._entry, subentry, scope)

    @callback
    def _start_reading(self, gateway: GatewayCoordinator) -> None:
        self._entry.async_create_background_task(
            self._hass, gateway.async_refresh(), f"{DOMAIN} {gateway.name}"
        )

    @staticmethod
    def _add(
        gateway: GatewayCoordinator, factory: GatewayFactory, add: AddConfigEntryEntitiesCallback
    ) -> None:
        add(factory(gateway), config_subentry_id=gateway.subentry_id)

    async def _async_stop(self) -> None:
        for gateway in self:
            await gateway.async_shutdown()


@callback
def async_remove_gateway(hass: HomeAssistant, entry: ConfigEntry, device: dr.DeviceEntry) -> bool:
    """Remove a gateway's subentry and device; return False if the device is no gateway."""
    subentry = entry.subentries.get(device.config_subentry_id or "")
    if subentry is None or subentry.subentry_type != SUBENTRY_GATEWAY:
        return False
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    return True
