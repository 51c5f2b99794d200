"""A payload formatter for some end devices: tried on their last uplinks, then saved for all."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
import json
from typing import TYPE_CHECKING, Any

from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.selector import BooleanSelector
import voluptuous as vol

from ..client import (
    UNCHANGED,
    ApplicationClient,
    DeviceChanges,
    Formatter,
    FormatterFailed,
    Formatters,
    MissingRight,
    NotFound,
    StackError,
    VersionIds,
)
from ..client.device_changes import Unchanged
from ..client.formatters import JAVASCRIPT, REPOSITORY
from ..client.rights import DEVICES_READ, DEVICES_WRITE, TRAFFIC_READ
from ..dialogs import running
from ..end_devices import EndDeviceState
from ..issues import escape_markdown

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator, TtsConfigEntry

NEEDED = (DEVICES_READ, DEVICES_WRITE, TRAFFIC_READ)
"""The rights that trying and saving a formatter needs."""
CONF_ANOTHER = "another"
ANOTHER_FIELD = {vol.Optional(CONF_ANOTHER, default=False): BooleanSelector()}
"""The way back to the choice of formatters, in forms behind it."""
TRIED = 3
LONGEST_RESULT = 1_500
LONGEST_FRAME = 300
EXAMPLE = """function decodeUplink(input) {
  return { data: { bytes: input.bytes, port: input.fPort } };
}
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of a trial: the decoded last uplinks as a text, or the error."""

    results: str = ""
    failure: str | None = None


async def async_present(
    stack: ApplicationClient, device: EndDeviceState
) -> tuple[Formatter | None, str]:
    """Return the formatter that applies, and its error text for the last uplink.

    The text is empty if the reason can't be found. Raises StackError if the formatter can't be
    read.
    """
    formatters = await stack.formatters.of_device(device.device_id)
    if formatters is None:
        formatters = await stack.formatters.of_application()
    if formatters is None or formatters.up is None:
        return None, ""
    try:
        return formatters.up, (await async_try(stack, [device], formatters.up)).failure or ""
    except StackError:
        return formatters.up, ""


async def async_try(
    stack: ApplicationClient,
    devices: Sequence[EndDeviceState],
    formatter: Formatter,
    model: VersionIds | None = None,
) -> Trial:
    """Decode the last uplinks of some end devices with a formatter; changes nothing.

    `model` is what they are taken for, instead of what they are registered as.
    """
    results = []
    for device in devices:
        uplink = device.last_data_uplink
        if uplink is None or not uplink.frm_payload:
            continue
        prefix = f"{device.name}: " if len(devices) > 1 else ""
        try:
            decoded = await stack.formatters.decode(
                device.device_id,
                f_port=uplink.f_port,
                payload=uplink.frm_payload,
                formatter=formatter,
                version_ids=model or device.version_ids,
            )
        except FormatterFailed as err:
            return Trial(failure=prefix + str(err))
        if not decoded.data:
            return Trial(failure=f"{prefix}{uplink.frm_payload.hex().upper()} → {{}}")
        results.append(_shown(device, uplink.frm_payload, decoded.data))
        if len(results) == TRIED:
            break
    return Trial(results="\n\n".join(results))


def _shown(device: EndDeviceState, payload: bytes, data: Mapping[str, Any]) -> str:
    text = json.dumps(data, indent=2, ensure_ascii=False)[:LONGEST_RESULT].replace("```", "'''")
    return f"**{escape_markdown(device.name)}** `{payload.hex().upper()}`\n\n```json\n{text}\n```"


def frames_of(devices: Sequence[EndDeviceState], reason: str) -> str:
    """Return the last uplinks as a list in Markdown: port, bytes, and what they give now.

    `reason` is why the present formatter fails, for those that aren't decoded.
    """
    lines = []
    for device in devices:
        uplink = device.last_data_uplink
        if uplink is None or not uplink.frm_payload:
            continue
        gives = escape_markdown(reason or "-")
        if uplink.decoded_payload:
            text = json.dumps(uplink.decoded_payload, ensure_ascii=False)[:LONGEST_FRAME]
            gives = f"`{text.replace('`', chr(39))}`"
        name = escape_markdown(device.name)
        lines.append(
            f"- {name}, f_port {uplink.f_port}: `{uplink.frm_payload.hex(' ').upper()}` → {gives}"
        )
        if len(lines) == TRIED:
            break
    return "\n".join(lines) or "-"


class FormatterChoice:
    """The formatter that a dialogue is choosing for some end devices.

    There is at least one end device; the first one's model is used for all.
    """

    def __init__(self, entry: TtsConfigEntry, devices: Sequence[EndDeviceState]) -> None:
        """Keep the end devices; makes no request yet."""
        self._entry = entry
        self.devices = list(devices)
        self.script = EXAMPLE
        self.results = ""
        """Last uplinks decoded with the formatter tried last; empty if there are none."""
        self.reason = ""
        """Why the formatter tried last fails."""
        self.present_reason = ""
        """Why the present formatter fails."""
        self.repository_script = ""
        """The script of the Device Repository's formatter, once it has been read."""
        self._in_repository: bool | None = None
        self._model: VersionIds | None = None

    def take_for(self, model: VersionIds | None) -> None:
        """Take the end devices for another model, which is saved with the formatter; None: don't."""
        if model != self._model:
            self._model, self._in_repository, self.repository_script = model, None, ""

    @property
    def coordinator(self) -> ApplicationCoordinator:
        """Return the application; raises AbortFlow where it isn't loaded."""
        return running(self._entry)

    async def async_read_present(self) -> None:
        """Find out why the first device's uplinks aren't decoded, and begin with its script.

        Nothing is known if the present formatter can't be read.
        """
        try:
            formatter, reason = await async_present(self.coordinator.stack, self.devices[0])
        except StackError:
            return
        self.reason = self.present_reason = reason
        if formatter is None:
            return
        if formatter.kind == JAVASCRIPT:
            self.script = formatter.parameter or self.script
        elif formatter.kind == REPOSITORY and await self.async_in_repository():
            self.script = self.repository_script or self.script

    async def async_in_repository(self) -> bool:
        """Return whether the Device Repository has a formatter for the model; read once."""
        if self._in_repository is None:
            versions = self._model or self.devices[0].version_ids
            self._in_repository = False
            if versions is not None and _complete(versions):
                repository = self.coordinator.stack.repository
                try:
                    found = await repository.formatter(versions, "uplink_decoder")
                    self._in_repository, self.repository_script = True, found.script
                except NotFound:
                    pass
                except StackError:
                    self._in_repository = None  # read again on the next call
        return self._in_repository is True

    async def async_try(self, formatter: Formatter) -> bool:
        """Return whether a formatter decodes the last uplinks; keeps results or error.

        Raises StackError if it can't be tried.
        """
        trial = await async_try(self.coordinator.stack, self.devices, formatter, self._model)
        if trial.failure is not None:
            self.reason = trial.failure
            return False
        self.results = trial.results
        return True

    async def async_save(self, up: Formatter | None) -> None:
        """Save the formatter for each end device that doesn't have it yet.

        Raises StackError, after which it can be called again; NotFound, once all others are saved.
        """
        formatters = self.coordinator.stack.formatters

        async def save(device_id: str) -> None:
            before = await formatters.of_device(device_id)
            wanted = Formatters(up=up, down=await _async_down(self.coordinator.stack, before, up))
            if self._model is not None:
                await self._async_change(device_id, formatters=wanted)
            elif before != wanted:
                await formatters.set_of_device(device_id, wanted)

        await self._async_for_all(save)

    async def async_save_model(self) -> None:
        """Save the model alone, with the formatter that there is; raises StackError."""
        await self._async_for_all(self._async_change, decodes=False)

    async def _async_change(
        self, device_id: str, formatters: Formatters | Unchanged = UNCHANGED
    ) -> None:
        assert self._model is not None
        changes = DeviceChanges(version_ids=self._model, formatters=formatters)
        changed = await self.coordinator.stack.end_devices.update(device_id, changes)
        self.coordinator.lifecycle.on_registered(changed)

    async def async_save_default(self) -> None:
        """Use the application's formatters in both directions; raises StackError."""
        formatters = self.coordinator.stack.formatters

        async def save(device_id: str) -> None:
            if await formatters.of_device(device_id) is not None:
                await formatters.set_of_device(device_id, None)

        await self._async_for_all(save)

    async def _async_for_all(
        self, save: Callable[[str], Awaitable[None]], *, decodes: bool = True
    ) -> None:
        missing: NotFound | None = None
        for device in self.devices:
            try:
                await save(device.device_id)
            except NotFound as err:  # for example a partial device
                missing = err
                continue
            if decodes:
                device.undecoded = 0
                self.coordinator.formatter_texts.on_changed(device.device_id)
        self._signal()
        if missing is not None:
            raise missing

    def _signal(self) -> None:
        # Home Assistant deletes the issue when a repair ends; it is raised again for other devices.
        hass = self.coordinator.hass
        signal = self.coordinator.signals.undecoded_changed
        hass.loop.call_soon(async_dispatcher_send, hass, signal)

    def placeholders(self) -> dict[str, str]:
        """Return the placeholders for the texts of its dialogues."""
        return {
            "devices": "\n".join(f"- {escape_markdown(device.name)}" for device in self.devices),
            "count": str(len(self.devices)),
            "reason": self.reason or "-",
            "results": self.results,
            "frames": frames_of(self.devices, self.present_reason),
            "url": self.coordinator.roster.console_url(self.devices[0].device_id),
        }


async def _async_down(
    stack: ApplicationClient, before: Formatters | None, up: Formatter | None
) -> Formatter | None:
    """Return the downlink formatter: the present one, unless the repository has one.

    None if it is the application's and the key may not read it. Raises StackError.
    """
    if up is not None and up.kind == REPOSITORY:
        return up
    if before is None:
        try:
            before = await stack.formatters.of_application()
        except MissingRight:
            return None
    return None if before is None else before.down


def _complete(versions: VersionIds) -> bool:
    """Return whether the ids identify one version in the Device Repository."""
    parts = (versions.brand_id, versions.model_id, versions.firmware_version, versions.band_id)
    return all(parts)
