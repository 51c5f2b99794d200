"""Automation triggers: activity of end devices and their downlinks.

They listen to dispatcher signals, not to event entities, so they also work if those are
disabled or not created yet.
"""

from collections.abc import Callable
from typing import Any, override

from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.target import TargetSelection
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .end_devices import Activity, targeted_devices
from .end_devices.activity import OCCURRED

CONF_F_PORT = "f_port"

TARGET_SCHEMA = vol.Schema({vol.Required(CONF_TARGET): cv.TARGET_FIELDS})
UPLINK_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
        vol.Optional(CONF_OPTIONS, default=dict): {
            vol.Optional(CONF_F_PORT): vol.All(vol.Coerce(int), vol.Range(min=0, max=255))
        },
    }
)


class DeviceTrigger(Trigger):
    """Fires on certain kinds of activity of a device of the target."""

    kinds: frozenset[str]
    schema = TARGET_SCHEMA
    description: str

    @override
    @classmethod
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Return the configuration; raises vol.Invalid without a target."""
        valid: ConfigType = cls.schema(config)
        return valid

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Keep the target."""
        super().__init__(hass, config)
        self._target = TargetSelection(config.target or {})
        self._options = config.options or {}

    def wanted(self, activity: Activity) -> bool:
        """Return whether the activity passes the trigger's options."""
        return True

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Run the action on each activity; return a function that detaches it."""

        @callback
        def occurred(
            registry_id: str | None,
            kind: str,
            details: Callable[[], Activity],
            context: Context | None,
        ) -> None:
            if kind not in self.kinds or registry_id is None:
                return
            if registry_id not in targeted_devices(self._hass, self._target):
                return
            activity = details()
            if self.wanted(activity):
                variables: dict[str, Any] = {"device_id": registry_id, **activity.attributes}
                run_action(variables, self.description, context)

        return async_dispatcher_connect(self._hass, OCCURRED, occurred)


class UplinkReceived(DeviceTrigger):
    """A device sent an uplink."""

    kinds = frozenset({"uplink_received"})
    schema = UPLINK_SCHEMA
    description = "uplink received"

    @override
    def wanted(self, activity: Activity) -> bool:
        """Return whether the uplink has the f_port of the options, if given."""
        port = self._options.get(CONF_F_PORT)
        return port is None or activity.attributes["f_port"] == port


class DeviceJoined(DeviceTrigger):
    """A device joined the network."""

    kinds = frozenset({"joined"})
    description = "device joined"


class DeviceOverdue(DeviceTrigger):
    """A device became overdue: it has been silent for too long."""

    kinds = frozenset({"overdue"})
    description = "device overdue"


class DeviceHeardAgain(DeviceTrigger):
    """An overdue device sent a message again."""

    kinds = frozenset({"heard_again"})
    description = "device heard again"


class DownlinkAcknowledged(DeviceTrigger):
    """A device acknowledged a downlink."""

    kinds = frozenset({"downlink_acknowledged"})
    description = "downlink acknowledged"


class DownlinkFailed(DeviceTrigger):
    """A downlink will not reach its device."""

    kinds = frozenset({"downlink_failed", "downlink_expired"})
    description = "downlink failed"


TRIGGERS: dict[str, type[Trigger]] = {
    "uplink_received": UplinkReceived,
    "device_joined": DeviceJoined,
    "device_overdue": DeviceOverdue,
    "device_heard_again": DeviceHeardAgain,
    "downlink_acknowledged": DownlinkAcknowledged,
    "downlink_failed": DownlinkFailed,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers by name."""
    return TRIGGERS
