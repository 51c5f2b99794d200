"""The repair of uplinks that no payload formatter decodes, for all end devices of a model at once."""

from collections.abc import Sequence
from typing import Any

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..client import Formatter, StackError
from ..client.formatters import CAYENNE_LPP, JAVASCRIPT, REPOSITORY
from ..coordinator import TtsConfigEntry
from ..end_devices.state import EndDeviceState
from ..provisioning.errors import lacking, refusal
from .trial import NEEDED, FormatterChoice, async_reason

CONF_DEVICES = "devices"
CONF_SCRIPT = "script"


class FormatterRepairFlow(RepairsFlow):
    """Why it fails → which formatter → what it makes of the last uplinks → saved for all."""

    def __init__(self, entry: TtsConfigEntry, devices: Sequence[EndDeviceState]) -> None:
        """Take the end devices that one formatter is to decode."""
        self._entry = entry
        self._choice = FormatterChoice(entry, devices)
        self._formatter: Formatter | None = None

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Devices of no known model have little in common: ask which to mend together."""
        if self._entry.state is not ConfigEntryState.LOADED or not self._choice.devices:
            return self.async_abort(reason="not_loaded")
        if len(self._choice.devices) > 1 and self._choice.devices[0].model is None:
            return await self.async_step_which()
        return await self._async_diagnose()

    async def async_step_which(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Ask for the devices that send the same kind of payload."""
        errors: dict[str, str] = {}
        if user_input is not None:
            wanted = user_input[CONF_DEVICES]
            devices = [device for device in self._choice.devices if device.device_id in wanted]
            if devices:
                self._choice.devices = devices
                return await self._async_diagnose()
            errors[CONF_DEVICES] = "choose_one"
        options = [
            SelectOptionDict(value=device.device_id, label=device.name)
            for device in self._choice.devices
        ]
        selector = SelectSelector(
            SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
        )
        return self.async_show_form(
            step_id="which",
            data_schema=vol.Schema({vol.Required(CONF_DEVICES, default=[]): selector}),
            errors=errors,
        )

    async def _async_diagnose(self) -> RepairsFlowResult:
        """Find out what is wrong, and whether the key may mend it."""
        reason = await async_reason(self._choice.coordinator.stack, self._choice.devices[0])
        self._choice.reason = reason or ""
        if rights := lacking(self._choice.coordinator.rights, NEEDED):
            return self.async_abort(
                reason="missing_rights",
                description_placeholders=self._choice.told() | {"rights": rights},
            )
        if self._choice.reason:
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
        if await self._choice.async_in_repository():
            options.insert(0, "repository")
        return self.async_show_menu(
            step_id=step_id, menu_options=options, description_placeholders=self._choice.told()
        )

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
        if await self._async_fits(formatter):
            return await self.async_step_result()
        return await self.async_step_unfit()

    async def _async_fits(self, formatter: Formatter) -> bool:
        """Return whether a formatter fits: then it is the one to save."""
        try:
            fits = await self._choice.async_try(formatter)
        except StackError as err:
            self._choice.reason = str(err)
            return False
        if fits:
            self._formatter = formatter
        return fits

    async def async_step_javascript(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for a script, as the maker of the device offers one, and try it."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._choice.script = user_input[CONF_SCRIPT]
            formatter = Formatter(kind=JAVASCRIPT, parameter=self._choice.script)
            if await self._async_fits(formatter):
                return await self.async_step_result()
            errors[CONF_SCRIPT] = "formatter_failed"
        schema = vol.Schema(
            {vol.Required(CONF_SCRIPT): TextSelector(TextSelectorConfig(multiline=True))}
        )
        return self.async_show_form(
            step_id="javascript",
            data_schema=self.add_suggested_values_to_schema(
                schema, {CONF_SCRIPT: self._choice.script}
            ),
            errors=errors,
            description_placeholders=self._choice.told(),
        )

    # Save it

    async def async_step_result(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show what the last uplinks become; save it for all devices when told so."""
        errors: dict[str, str] = {}
        told = self._choice.told()
        if user_input is not None:
            try:
                await self._choice.async_save(self._formatter)
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
