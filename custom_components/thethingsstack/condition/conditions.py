"""The conditions, checked for the devices that a target names or includes."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Unpack, override

from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.condition import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ALL,
    BEHAVIOR_ANY,
    Condition,
    ConditionCheckParams,
    ConditionConfig,
)
from homeassistant.helpers.target import TargetSelection
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from ..const import DOMAIN
from ..end_devices import EndDeviceState, targeted_devices

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

SCHEMA = vol.Schema(
    {
        vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
        vol.Required(CONF_OPTIONS, default=dict): {
            vol.Required(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): vol.In([BEHAVIOR_ANY, BEHAVIOR_ALL])
        },
    }
)


class TargetCondition(Condition):
    """Tests each device of the target; false where the target has none of this integration.

    States are read from the devices themselves, so it also works where their entities are
    disabled.
    """

    @override
    @classmethod
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Return the configuration; raises vol.Invalid without a target."""
        valid: ConfigType = SCHEMA(config)
        return valid

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Keep target and behavior."""
        super().__init__(hass, config)
        self._target = TargetSelection(config.target or {})
        self._all = (config.options or {}).get(ATTR_BEHAVIOR) == BEHAVIOR_ALL

    @abstractmethod
    def _results(self, registry_ids: set[str]) -> Iterator[bool]:
        """Yield the result for each of these devices that the condition is about."""

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        results = list(self._results(set(targeted_devices(self._hass, self._target))))
        return bool(results) and (all(results) if self._all else any(results))

    def _applications(self) -> Iterator[ApplicationCoordinator]:
        for entry in self._hass.config_entries.async_loaded_entries(DOMAIN):
            yield entry.runtime_data


class EndDeviceCondition(TargetCondition):
    """Tests the end devices of the target; applications and gateways in it don't count."""

    @abstractmethod
    def _holds(self, application: ApplicationCoordinator, device: EndDeviceState) -> bool:
        """Return whether the condition holds for this end device."""

    @override
    def _results(self, registry_ids: set[str]) -> Iterator[bool]:
        for application in self._applications():
            for registry_id in registry_ids:
                if (device := application.roster.by_registry_id(registry_id)) is not None:
                    yield self._holds(application, device)


class IsOverdue(EndDeviceCondition):
    """The end device has been silent for too long."""

    @override
    def _holds(self, application: ApplicationCoordinator, device: EndDeviceState) -> bool:
        return application.overdue_watch.is_overdue(device)


class DownlinkIsPending(EndDeviceCondition):
    """A downlink waits for the end device, or for its acknowledgement."""

    @override
    def _holds(self, application: ApplicationCoordinator, device: EndDeviceState) -> bool:
        return any(record.open for record in application.downlinks.records_of(device))


class IsConnected(TargetCondition):
    """The application, or that of a targeted device, receives messages of The Things Stack.

    An application that isn't loaded is not connected.
    """

    @override
    def _results(self, registry_ids: set[str]) -> Iterator[bool]:
        devices = dr.async_get(self._hass)
        connected = {
            application.entry.entry_id: application.connection_state.connected
            for application in self._applications()
        }
        for entry in self._hass.config_entries.async_entries(DOMAIN):
            own = dr.async_entries_for_config_entry(devices, entry.entry_id)
            if any(device.id in registry_ids for device in own):
                yield connected.get(entry.entry_id, False)


CONDITIONS: dict[str, type[Condition]] = {
    "is_connected": IsConnected,
    "is_overdue": IsOverdue,
    "downlink_is_pending": DownlinkIsPending,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of the integration, by key."""
    return CONDITIONS
