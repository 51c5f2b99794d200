"""Dialogue that says which model a registered end device is, and takes over what is known of it."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, override

from homeassistant.config_entries import ConfigFlowContext, ConfigFlowResult
from homeassistant.helpers.selector import BooleanSelector
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from ..application import Refusal, error_text, refusal
from ..client import DeviceModel, Formatter, NotFound, StackError, VersionIds
from ..client.formatters import REPOSITORY
from ..client.rights import TRAFFIC_READ
from ..const import DOMAIN
from ..dialogs import ModelSteps, form
from ..end_devices import EndDeviceState
from ..formatters import FormatterChoice, FormatterFlow
from ..issues import escape_markdown
from .register import usual_band

CONF_FORMATTER = "use_formatter"
CONF_FIELDS = "use_fields"
_NOTE = f"component.{DOMAIN}.selector.model_note.options."


class ModelChangeFlow(FormatterFlow, ModelSteps[ConfigFlowContext, ConfigFlowResult, str]):
    """Brand → model → version → band → what comes with it → saved.

    Beside the models of the Device Repository, those of the model library can be chosen; they have
    no version, and no payload formatter of the repository.
    """

    _versions: VersionIds
    _of_model: FormatterChoice
    _band: str | None = None
    """The band of the end device's frequency plan."""
    _offers_formatter = _formatter_fits = False
    _note = ""
    _model_texts: Mapping[str, str] = {}

    async def async_step_change_model(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Begin with the brand; the band is that of the end device's frequency plan."""
        stack, device_id = self._coordinator.stack, self._to_change.ids.device_id
        self._band = None
        with suppress(StackError):  # then the band is asked for
            plan_id = (await stack.end_devices.details(device_id)).get("frequency_plan_id")
            plans = await stack.configuration.frequency_plans()
            self._band = next((plan.band_id for plan in plans if plan.id == plan_id), None)
        return await self.async_step_brand()

    @property
    @override
    def _only_band(self) -> str | None:
        return self._band

    @override
    def _usual_band(self) -> str | None:
        return usual_band(self._coordinator.roster)

    @override
    async def _async_more_brands(self) -> Mapping[str, str]:
        return await self._coordinator.fields.library.async_names(self.hass)

    @override
    async def _async_more_models(self) -> list[DeviceModel]:
        library = self._coordinator.fields.library
        await library.async_load(self.hass, [self._brand_id])
        return [
            DeviceModel(brand_id=self._brand_id, model_id=model_id, name=model_id.upper())
            for model_id in library.models_of(self._brand_id)
        ]

    @override
    async def _async_no_band(self) -> ConfigFlowResult:
        assert self._model is not None
        return await self._async_model_chosen(
            VersionIds(brand_id=self._brand_id, model_id=self._model.model_id)
        )

    @override
    async def _async_model_chosen(self, versions: VersionIds) -> ConfigFlowResult:
        self._versions = versions
        self._of_model = FormatterChoice(self.config_entry, [self._state()])
        self._of_model.take_for(versions)
        async with self._reading():
            self._note = "\n".join([await self._async_formatter_note(), self._fields_note()])
        return await self.async_step_model_sure()

    async def _async_formatter_note(self) -> str:
        """Find out what the model's payload formatter is good for, and return it in words."""
        stack, device_id = self._coordinator.stack, self._to_change.ids.device_id
        self._model_texts = await self._async_notes()
        self._offers_formatter = self._formatter_fits = False
        if not await self._of_model.async_in_repository():
            return self._model_texts["no_formatter"]
        with suppress(NotFound):
            present = await stack.formatters.of_device(device_id)
            if present is not None and present.up == Formatter(kind=REPOSITORY):
                return self._model_texts["formatter_used"]
        self._offers_formatter = True
        if TRAFFIC_READ not in self._coordinator.rights:
            self._formatter_fits = True
            return self._model_texts["formatter_untried"]
        self._formatter_fits = await self._of_model.async_try(Formatter(kind=REPOSITORY))
        if not self._formatter_fits:
            return self._model_texts["formatter_unfit"].format(reason=self._of_model.reason)
        if not self._of_model.results:
            return self._model_texts["formatter_untried"]
        return self._model_texts["formatter_fits"].format(results=self._of_model.results)

    def _fields_note(self) -> str:
        if (count := self._known_fields) == 0:
            return self._model_texts["no_fields"]
        return self._model_texts["fields"].format(count=count)

    @property
    def _known_fields(self) -> int:
        """Return how many fields of the model the library knows."""
        library = self._coordinator.fields.library
        known = library.fields_of(self._versions.brand_id, self._versions.model_id)
        return len(known.exact) + len(known.patterns) if known is not None else 0

    async def _async_notes(self) -> dict[str, str]:
        language = self.hass.config.language
        texts = await async_get_translations(self.hass, language, "selector", [DOMAIN])
        return {k.removeprefix(_NOTE): text for k, text in texts.items() if k.startswith(_NOTE)}

    async def async_step_model_sure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what comes with the model, and save what the user wants of it."""
        refused = None
        if user_input is not None:
            refused = await self._async_save_model(user_input)
            if refused is None:
                return self.async_abort(
                    reason="model_saved", description_placeholders=self._model_placeholders()
                )
        schema: dict[Any, Any] = {}
        if self._offers_formatter:
            schema[vol.Required(CONF_FORMATTER, default=self._formatter_fits)] = BooleanSelector()
        if self._known_fields:
            schema[vol.Required(CONF_FIELDS, default=True)] = BooleanSelector()
        return form(
            self,
            "model_sure",
            vol.Schema(schema),
            user_input,
            refused,
            placeholders=self._model_placeholders(),
            last_step=True,
        )

    async def _async_save_model(self, answers: Mapping[str, Any]) -> Refusal | None:
        try:
            if answers.get(CONF_FORMATTER):
                await self._of_model.async_save(Formatter(kind=REPOSITORY))
            else:
                await self._of_model.async_save_model()
        except StackError as err:
            refused = refusal(err)
            if refused.key == "not_found":
                refused = Refusal("base", "formatter_not_saved", reason=error_text(err))
            return refused
        device: EndDeviceState | None = self._coordinator.roster.by_device_id(
            self._to_change.ids.device_id
        )
        if device is not None and answers.get(CONF_FIELDS):
            await self._coordinator.lifecycle.async_decide_by_model(device)
        return None

    def _model_placeholders(self) -> dict[str, str]:
        assert self._model is not None
        parts = (self._versions.firmware_version, self._versions.band_id)
        return {
            "device": escape_markdown(self._to_change.name or self._to_change.ids.device_id),
            "model": escape_markdown(f"{self._brand} {self._model.name}"),
            "version": ", ".join(filter(None, parts)) or "-",
            "notes": self._note,
        }
