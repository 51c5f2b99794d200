"""The repair of uplinks that no payload formatter decodes, for all end devices of a model at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import json
from typing import Any

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from .client import Formatter, FormatterFailed, Formatters, NotFound, Stack, StackError, VersionIds
from .client.formatters import CAYENNE_LPP, JAVASCRIPT, REPOSITORY
from .client.rights import DEVICES_READ, DEVICES_WRITE, TRAFFIC_READ
from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .device import EndDeviceState
from .registration_errors import lacking, refusal

NEEDED = (DEVICES_READ, DEVICES_WRITE, TRAFFIC_READ)
CONF_DEVICES = "devices"
CONF_SCRIPT = "script"
TRIED = 3
LONGEST_RESULT = 1_500
EXAMPLE = """function decodeUplink(input) {
  return { data: { bytes: input.bytes, port: input.fPort } };
}
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a formatter makes of last uplinks: a text with the results, or why it doesn't fit."""

    results: str = ""
    failure: str | None = None


async def async_reason(stack: Stack, device: EndDeviceState) -> str | None:
    """Return why the last uplink isn't decoded, in the formatter's own words.

    None where there is no formatter, empty where it can't be told.
    """
    try:
        formatters = await stack.formatters.of_device(device.device_id)
        if formatters is None:
            formatters = await stack.formatters.of_application()
        if formatters is None or formatters.up is None:
            return None
        return (await async_try(stack, [device], formatters.up)).failure or ""
    except StackError:
        return ""


async def async_try(stack: Stack, devices: Sequence[EndDeviceState], formatter: Formatter) -> Trial:
    """Let a formatter decode the last uplinks of some end devices; nothing is changed."""
    results = []
    for device in devices:
        uplink = device.last_data_uplink
        if uplink is None or not uplink.frm_payload:
            continue
        try:
            decoded = await stack.formatters.decode(
                device.device_id,
                f_port=uplink.f_port,
                payload=uplink.frm_payload,
                formatter=formatter,
                version_ids=device.version_ids,
            )
        except FormatterFailed as err:
            return Trial(failure=str(err))
        if not decoded.data:
            return Trial(failure=f"{uplink.frm_payload.hex().upper()} → {{}}")
        results.append(_shown(device, uplink.frm_payload, decoded.data))
        if len(results) == TRIED:
            break
    return Trial(results="\n\n".join(results))


def _shown(device: EndDeviceState, payload: bytes, data: Mapping[str, Any]) -> str:
    text = json.dumps(data, indent=2, ensure_ascii=False)[:LONGEST_RESULT].replace("```", "'''")
    return f"**{device.name}** `{payload.hex().upper()}`\n\n```json\n{text}\n```"


class FormatterRepairFlow(RepairsFlow):
    """Why it fails → which formatter → what it makes of the last uplinks → saved for all."""

    def __init__(self, entry: TtsConfigEntry, devices: Sequence[EndDeviceState]) -> None:
        """Take the end devices that one formatter is to decode."""
        self._entry = entry
        self._devices = list(devices)
        self._formatter: Formatter | None = None
        self._reason = ""
        self._results = ""
        self._script = EXAMPLE
        self._in_repository: bool | None = None

    @property
    def _coordinator(self) -> ApplicationCoordinator:
        return self._entry.runtime_data

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Devices of no known model have little in common: ask which to mend together."""
        if self._entry.state is not ConfigEntryState.LOADED or not self._devices:
            return self.async_abort(reason="not_loaded")
        if len(self._devices) > 1 and self._devices[0].model is None:
            return await self.async_step_which()
        return await self._async_diagnose()

    async def async_step_which(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Ask for the devices that send the same kind of payload."""
        errors: dict[str, str] = {}
        if user_input is not None:
            wanted = user_input[CONF_DEVICES]
            devices = [device for device in self._devices if device.device_id in wanted]
            if devices:
                self._devices = devices
                return await self._async_diagnose()
            errors[CONF_DEVICES] = "choose_one"
        options = [
            SelectOptionDict(value=device.device_id, label=device.name) for device in self._devices
        ]
        selector = SelectSelector(
            SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
        )
        return self.async_show_form(
            step_id="which",
            data_schema=vol.Schema({vol.Required(CONF_DEVICES): selector}),
            errors=errors,
        )

    async def _async_diagnose(self) -> RepairsFlowResult:
        """Find out what is wrong, and whether the key may mend it."""
        reason = await async_reason(self._coordinator.stack, self._devices[0])
        self._reason = reason or ""
        if rights := lacking(self._coordinator.rights, NEEDED):
            return self.async_abort(
                reason="missing_rights",
                description_placeholders=self._told() | {"rights": rights},
            )
        if self._reason:
            return await self.async_step_failing()
        return await self.async_step_missing()

    async def async_step_missing(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """There is no formatter: offer those that there are."""
        return await self._async_offer("missing")

    async def async_step_failing(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """The formatter refuses the uplinks: tell its reason, and offer others."""
        return await self._async_offer("failing")

    async def async_step_unfit(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """The one that was tried doesn't fit either."""
        return await self._async_offer("unfit")

    async def _async_offer(self, step_id: str) -> RepairsFlowResult:
        options = ["cayenne_lpp", "javascript"]
        if await self._async_in_repository():
            options.insert(0, "repository")
        return self.async_show_menu(
            step_id=step_id, menu_options=options, description_placeholders=self._told()
        )

    async def _async_in_repository(self) -> bool:
        """Return whether the Device Repository has a formatter for the model; asked once."""
        if self._in_repository is None:
            versions = self._devices[0].version_ids
            self._in_repository = False
            if versions is not None and _complete(versions):
                repository = self._coordinator.stack.repository
                try:
                    await repository.formatter(versions, "uplink_decoder")
                    self._in_repository = True
                except NotFound:
                    pass
                except StackError:
                    self._in_repository = None  # perhaps next time
        return self._in_repository is True

    # Which one

    async def async_step_repository(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Try the one that comes with the model."""
        return await self._async_try(Formatter(kind=REPOSITORY))

    async def async_step_cayenne_lpp(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Try the format that many home-made devices send."""
        return await self._async_try(Formatter(kind=CAYENNE_LPP))

    async def _async_try(self, formatter: Formatter) -> RepairsFlowResult:
        try:
            trial = await async_try(self._coordinator.stack, self._devices, formatter)
        except StackError as err:
            trial = Trial(failure=str(err))
        if trial.failure is not None:
            self._reason = trial.failure
            return await self.async_step_unfit()
        self._formatter, self._results = formatter, trial.results
        return await self.async_step_result()

    async def async_step_javascript(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for a script, as the maker of the device offers one, and try it."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._script = user_input[CONF_SCRIPT]
            formatter = Formatter(kind=JAVASCRIPT, parameter=self._script)
            try:
                trial = await async_try(self._coordinator.stack, self._devices, formatter)
            except StackError as err:
                trial = Trial(failure=str(err))
            if trial.failure is None:
                self._formatter, self._results = formatter, trial.results
                return await self.async_step_result()
            self._reason = trial.failure
            errors[CONF_SCRIPT] = "formatter_failed"
        schema = vol.Schema(
            {vol.Required(CONF_SCRIPT): TextSelector(TextSelectorConfig(multiline=True))}
        )
        return self.async_show_form(
            step_id="javascript",
            data_schema=self.add_suggested_values_to_schema(schema, {CONF_SCRIPT: self._script}),
            errors=errors,
            description_placeholders=self._told(),
        )

    # Save it

    async def async_step_result(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show what the last uplinks become; save it for all devices when told so."""
        errors: dict[str, str] = {}
        told = self._told()
        if user_input is not None:
            try:
                await self._async_save()
            except StackError as err:
                refused = refusal(err, str)
                errors["base"] = "not_saved"
                told |= {"reason": str(err), **refused.placeholders}
            else:
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="result",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders=told,
        )

    async def _async_save(self) -> None:
        """Set the formatter of each device that hasn't it yet: again where it failed half-way."""
        stack = self._coordinator.stack
        assert self._formatter is not None
        for device in self._devices:
            before = await stack.formatters.of_device(device.device_id)
            if before is None or before.up != self._formatter:
                down = await _async_down(stack, before, self._formatter)
                await stack.formatters.set_of_device(
                    device.device_id, Formatters(up=self._formatter, down=down)
                )
            device.undecoded = 0
        # Home Assistant deletes the issue when the dialogue ends: that of others comes back then.
        self.hass.loop.call_soon(
            async_dispatcher_send, self.hass, self._coordinator.signals.undecoded_changed
        )

    def _told(self) -> dict[str, str]:
        return {
            "devices": "\n".join(f"- {device.name}" for device in self._devices),
            "count": str(len(self._devices)),
            "reason": self._reason or "-",
            "results": self._results,
            "url": self._coordinator.roster.console_url(self._devices[0].device_id),
        }


async def _async_down(
    stack: Stack, before: Formatters | None, formatter: Formatter
) -> Formatter | None:
    """Return the formatter for downlinks: that of before, unless the model brings its own."""
    if formatter.kind == REPOSITORY:
        return formatter
    if before is None:
        try:
            before = await stack.formatters.of_application()
        except StackError:
            return None  # the key may not see the application's settings
    return None if before is None else before.down


def _complete(versions: VersionIds) -> bool:
    """Return whether the repository can tell the very version."""
    parts = (versions.brand_id, versions.model_id, versions.firmware_version, versions.band_id)
    return all(parts)
