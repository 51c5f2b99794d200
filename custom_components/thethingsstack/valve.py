"""Valves: controls that are open or closed."""

from typing import override

from homeassistant.components.valve import ValveEntity, ValveEntityFeature
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .controls.entity import ControlEntity, connect
from .controls.kinds import Role
from .controls.model import Control
from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .end_devices.state import EndDeviceState

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the controls that are valves."""
    connect(entry, Platform.VALVE, ControlValve, async_add_entities)


class ControlValve(ControlEntity, ValveEntity):
    """An end device's valve."""

    _moves = True

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        subentry_id: str,
        control: Control,
        device: EndDeviceState,
    ) -> None:
        """Create the valve with the features that the control has commands for."""
        super().__init__(coordinator, subentry_id, control, device)
        features = ValveEntityFeature.OPEN | ValveEntityFeature.CLOSE
        if "stop" in control.commands:
            features |= ValveEntityFeature.STOP
        if "position" in control.commands:
            features |= ValveEntityFeature.SET_POSITION
        self._attr_supported_features = features
        self._attr_reports_position = "position" in control.commands or (
            Role.POSITION in control.reports and Role.STATE not in control.reports
        )

    @property
    @override
    def current_valve_position(self) -> int | None:
        """Return the position in per cent, 100 for open."""
        position = self.number_of(Role.POSITION)
        return None if position is None else round(position)

    @property
    @override
    def is_closed(self) -> bool | None:
        """Return whether it is closed."""
        opened = self.truth_of()
        if opened is None and (position := self.current_valve_position) is not None:
            return position == 0
        return None if opened is None else not opened

    @property
    @override
    def is_opening(self) -> bool:
        """Return whether a command to open it is pending."""
        return self.opening is True

    @property
    @override
    def is_closing(self) -> bool:
        """Return whether a command to close it is pending."""
        return self.opening is False

    @override
    async def async_open_valve(self) -> None:
        """Queue the downlink that opens it."""
        await self.async_command("open")

    @override
    async def async_close_valve(self) -> None:
        """Queue the downlink that closes it."""
        await self.async_command("close")

    @override
    async def async_stop_valve(self) -> None:
        """Queue the downlink that stops it."""
        await self.async_command("stop")

    @override
    async def async_set_valve_position(self, position: int) -> None:
        """Queue the downlink that sets the position."""
        await self.async_command("position", position)
