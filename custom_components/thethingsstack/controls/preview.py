"""Preview of what a control's commands send, before the control is added."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..end_devices import EndDeviceState
from .entity import render_payload
from .form import FieldError, choices_field
from .kinds import KINDS, State
from .model import Command
from .payload_template import PayloadTemplateError

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

# Errors that only mean that encoding can't be tested; the payload may still be valid.
_NOT_NOW = frozenset({"downlink_no_answer", "downlink_rate_limited", "downlink_missing_right"})


class ControlPreview:
    """Encodes each command with sample values."""

    def __init__(
        self,
        hass: HomeAssistant,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        names: Mapping[str, str],
        notes: Mapping[str, str],
    ) -> None:
        """Keep the translated names of commands and the texts of the table."""
        self._hass = hass
        self._coordinator = coordinator
        self._device = device
        self._names = names
        self._notes = notes

    async def async_table(self, data: Mapping[str, Any]) -> str:
        """Return what each command sends, as a Markdown table.

        Raises FieldError for a command that can't be sent.
        """
        notes = self._notes
        lines = [f"| {notes['command']} | {notes['port']} | {notes['payload']} |", "|---|---|---|"]
        for field, name, command, values in _samples(data):
            label = self._names.get(name, name)
            for value in values:
                text = label if value is None else f"{label}: {_plain(value)}"
                port, payload = await self._async_encode(field, command, value)
                lines.append(f"| {text} | {port} | {payload} |")
        return "\n".join(lines)

    async def _async_encode(
        self, field: str, command: Command, value: State | None
    ) -> tuple[str, str]:
        """Return port and payload of a command as text; raises FieldError if it can't be sent."""
        try:
            filled = command.fill(value, lambda text, v: render_payload(self._hass, text, v))
        except PayloadTemplateError as err:
            raise FieldError(field, err.key, ", ".join(err.placeholders.values())) from err
        if isinstance(filled, bytes):
            return str(command.f_port), f"`{filled.hex(' ').upper()}`" if filled else "-"
        try:
            encoded = await self._coordinator.downlinks.async_encode(
                self._device, filled, command.f_port
            )
        except HomeAssistantError as err:
            if err.translation_key in _NOT_NOW:
                return str(command.f_port or "-"), self._notes["unknown"].format(error=err)
            raise FieldError(field, "not_encoded", str(err)) from err
        text = f"`{encoded.payload.hex(' ').upper()}`"
        if encoded.warnings:
            text += " ⚠ " + self._notes["warnings"].format(warnings="; ".join(encoded.warnings))
        return str(encoded.f_port), text


def _samples(data: Mapping[str, Any]) -> Iterator[tuple[str, str, Command, list[State | None]]]:
    """Yield form field, name, command and sample values of each command."""
    kind = KINDS[Platform(data["platform"])]
    for name, given in data["commands"].items():
        spec = kind.command(name)
        assert spec is not None
        values: list[State | None] = [None]
        if spec.role is not None and spec.to is None:
            if "minimum" in data:
                middle = float(round((data["minimum"] + data["maximum"]) / 2))
                values = [data["minimum"], middle, data["maximum"]]
            elif data["platform"] == Platform.TEXT:
                values = ["abc"]
            else:
                values = [0.0, 50.0, 100.0]
        yield name, name, Command.from_dict(given), values
    for name, given in data["choices"].items():
        yield choices_field(kind), name, Command.from_dict(given), [None]


def _plain(value: State) -> State:
    return int(value) if isinstance(value, float) and value.is_integer() else value
