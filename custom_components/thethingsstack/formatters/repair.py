"""Repair of uplinks that aren't decoded, for all end devices of a model at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, override

from homeassistant.components.repairs import RepairsFlow, RepairsFlowContext, RepairsFlowResult
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

from ..application import error_text, lacking
from ..client import Formatter, StackError, VersionIds
from ..client.formatters import CAYENNE_LPP, JAVASCRIPT, REPOSITORY
from ..dialogs import ModelSteps
from ..end_devices import EndDeviceState
from ..issues import escape_markdown
from .local_decoding import LocalDecoding
from .local_decoding_steps import LocalDecodingSteps
from .trial import ANOTHER_FIELD, CONF_ANOTHER, NEEDED, FormatterChoice

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator, TtsConfigEntry

CONF_DEVICES = "devices"
CONF_SCRIPT = "script"


class FormatterRepairFlow(
    ModelSteps[RepairsFlowContext, RepairsFlowResult, str],
    LocalDecodingSteps[RepairsFlowContext, RepairsFlowResult],
    RepairsFlow,
):
    """Why it fails → which formatter, or which model → what it decodes → saved for all."""

    def __init__(self, entry: TtsConfigEntry, devices: Sequence[EndDeviceState]) -> None:
        """Keep the end devices that shall get a formatter."""
        super().__init__()
        self._entry = entry
        self._choice = FormatterChoice(entry, devices)
        self._formatter: Formatter | None = None
        self._lacking = ""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask for the end devices to repair together, where they have no model in common."""
        if self._entry.state is not ConfigEntryState.LOADED or not self._choice.devices:
            return self.async_abort(reason="not_loaded")
        if len(self._choice.devices) > 1 and self._choice.devices[0].model is None:
            return await self.async_step_which()
        return await self._async_diagnose()

    async def async_step_which(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Ask for the end devices that send the same kind of payload."""
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
        """Find out why uplinks aren't decoded, and whether the key may change that."""
        await self._choice.async_read_present()
        if rights := lacking(self._choice.coordinator.rights, NEEDED):
            self._lacking = rights
            return await self.async_step_missing_rights()
        if self._choice.reason:
            return await self.async_step_failing()
        return await self.async_step_missing()

    async def async_step_missing_rights(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Say which rights the key lacks; decoding in Home Assistant needs none."""
        return self.async_show_menu(
            step_id="missing_rights",
            menu_options=["here"],
            description_placeholders=self._choice.placeholders() | {"rights": self._lacking},
        )

    async def async_step_missing(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Let the user choose a formatter if there is none."""
        return await self._async_menu("missing")

    async def async_step_failing(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show why the present formatter fails, and let the user choose another."""
        return await self._async_menu("failing")

    async def async_step_unfit(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Show why the tried formatter fails too, and let the user choose another."""
        return await self._async_menu("unfit")

    async def _async_menu(self, step_id: str) -> RepairsFlowResult:
        options = ["cayenne_lpp", "javascript", "here"]
        if self._choice.coordinator.stack.capabilities.repository:
            options.insert(0, "brand")
        self._choice.take_for(None)
        if await self._choice.async_in_repository():
            options.insert(0, "repository")
        return self.async_show_menu(
            step_id=step_id,
            menu_options=options,
            description_placeholders=self._choice.placeholders(),
        )

    # Which one

    async def async_step_repository(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Try the model's formatter from the Device Repository."""
        return await self._async_try(Formatter(kind=REPOSITORY))

    # Its model: the steps before are those of ModelSteps

    @property
    @override
    def _coordinator(self) -> ApplicationCoordinator:
        return self._choice.coordinator

    @override
    async def _async_model_chosen(self, versions: VersionIds) -> RepairsFlowResult:
        """Try the formatter of the chosen model."""
        self._choice.take_for(versions)
        if await self._async_fits(Formatter(kind=REPOSITORY)):
            return await self.async_step_result_of_model()
        return await self.async_step_unfit()

    async def async_step_cayenne_lpp(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Try CayenneLPP, which many self-built devices send."""
        return await self._async_try(Formatter(kind=CAYENNE_LPP))

    async def _async_try(self, formatter: Formatter) -> RepairsFlowResult:
        if await self._async_fits(formatter):
            return await self.async_step_result()
        return await self.async_step_unfit()

    async def _async_fits(self, formatter: Formatter) -> bool:
        """Return whether a formatter decodes the last uplinks; remembers it for saving if so."""
        try:
            fits = await self._choice.async_try(formatter)
        except StackError as err:
            self._choice.reason = error_text(err)
            return False
        if fits:
            self._formatter = formatter
        return fits

    async def async_step_javascript(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for a script, such as the maker's, and try it."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._choice.script = user_input[CONF_SCRIPT]
            if user_input.get(CONF_ANOTHER):
                return await self._async_again()
            formatter = Formatter(kind=JAVASCRIPT, parameter=self._choice.script)
            if await self._async_fits(formatter):
                return await self.async_step_result()
            errors[CONF_SCRIPT] = "formatter_failed"
        schema = vol.Schema(
            {
                vol.Required(CONF_SCRIPT): TextSelector(TextSelectorConfig(multiline=True)),
                **ANOTHER_FIELD,
            }
        )
        return self.async_show_form(
            step_id="javascript",
            data_schema=self.add_suggested_values_to_schema(
                schema, {CONF_SCRIPT: self._choice.script}
            ),
            errors=errors,
            description_placeholders=self._choice.placeholders(),
        )

    async def _async_again(self) -> RepairsFlowResult:
        """Return to the choice of formatters; what was typed stays."""
        if self._choice.present_reason:
            self._choice.reason = self._choice.present_reason
            return await self.async_step_failing()
        return await self.async_step_missing()

    async def async_step_here(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Let Home Assistant decode the uplinks."""
        self._decoding = LocalDecoding(self._entry, self._choice.devices)
        return await self.async_step_local_decoder()

    @override
    async def _async_decoding_saved(self) -> RepairsFlowResult:
        return self.async_create_entry(data={})

    # Save it

    async def async_step_result(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show the decoded uplinks, and save the formatter for all end devices."""
        return await self._async_confirmed("result", user_input)

    async def async_step_result_of_model(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show the decoded uplinks, and save model and formatter for all end devices."""
        return await self._async_confirmed("result_of_model", user_input)

    async def _async_confirmed(
        self, step_id: str, user_input: dict[str, str] | None
    ) -> RepairsFlowResult:
        errors: dict[str, str] = {}
        names = self._choice.placeholders()
        if self._model is not None:
            names["model"] = escape_markdown(f"{self._brand} {self._model.name}")
        if user_input is not None:
            if user_input.get(CONF_ANOTHER):
                return await self._async_again()
            try:
                await self._choice.async_save(self._formatter)
            except StackError as err:
                errors["base"] = "not_saved"
                names["reason"] = error_text(err)
            else:
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id=step_id,
            data_schema=vol.Schema({**ANOTHER_FIELD}),
            errors=errors,
            description_placeholders=names,
        )
