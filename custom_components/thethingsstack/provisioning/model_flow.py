"""The steps of the dialogue for new end devices that choose a model of the Device Repository."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigSubentryFlow, SubentryFlowResult
from homeassistant.data_entry_flow import AbortFlow
import voluptuous as vol

from ..application import Refusal, refusal
from ..client import DeviceModel, DeviceTemplate, FirmwareVersion, StackError, VersionIds
from ..dialogs import form, running, searchable, unchosen
from .register import usual_band
from .register_form import chosen, labels

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator


class ModelFlow(ConfigSubentryFlow):
    """Steps: brand, model, firmware version, band; a step with only one choice is skipped."""

    def __init__(self) -> None:
        """Start without any answer."""
        self._choices: dict[str, str] = {}
        self._refused: Refusal | None = None
        self._brand_id = self._brand = ""
        self._models: dict[str, DeviceModel] = {}
        self._model: DeviceModel | None = None
        self._version: FirmwareVersion | None = None
        self._template: DeviceTemplate | None = None

    @property
    def _coordinator(self) -> ApplicationCoordinator:
        return running(self._get_entry())

    @abstractmethod
    async def _async_template_known(self, band_id: str | None) -> SubentryFlowResult:
        """Continue the dialogue after `_template` was read; `band_id` is None if it is unknown."""

    async def async_step_brand(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the brand."""
        if user_input is None:
            async with self._reading():
                brands = [brand async for brand in self._coordinator.stack.repository.brands()]
            self._choices = labels((brand.brand_id, brand.name) for brand in brands)
        elif (brand_id := self._chosen("brand", user_input)) is not None:
            self._brand_id = brand_id
            self._brand = next(label for label, key in self._choices.items() if key == brand_id)
            return await self.async_step_model()
        return self._choice("brand", user_input)

    async def async_step_model(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the model."""
        if user_input is None:
            repository = self._coordinator.stack.repository
            async with self._reading():
                self._models = {
                    model.model_id: model async for model in repository.models(self._brand_id)
                }
            self._choices = labels((key, model.name) for key, model in self._models.items())
        elif (model_id := self._chosen("model", user_input)) is not None:
            self._model = self._models[model_id]
            return await self.async_step_version()
        return self._choice("model", user_input)

    async def async_step_version(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the firmware version, unless there is only one."""
        assert self._model is not None
        versions = {version.version: version for version in self._model.firmware_versions}
        if len(versions) < 2:
            self._version = next(iter(versions.values()), None)
            return await self.async_step_band()
        if user_input is None:
            self._choices = {
                " · ".join((version.version, *version.hardware_versions)): key
                for key, version in versions.items()
            }
        elif (wanted := self._chosen("version", user_input)) is not None:
            self._version = versions[wanted]
            return await self.async_step_band()
        return self._choice("version", user_input)

    async def async_step_band(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the frequency band, unless there is only one."""
        assert self._model is not None
        if self._version is None or not self._version.bands:
            return self.async_abort(
                reason="no_versions", description_placeholders={"model": self._model.name}
            )
        bands = self._version.bands
        if len(bands) == 1:
            return await self._async_of_model(bands[0])
        if user_input is None:
            self._choices = {band: band for band in bands}
        elif (band := self._chosen("band", user_input)) is not None:
            return await self._async_of_model(band)
        band = usual_band(self._coordinator.roster)
        usual = {"band": band} if band in bands else None
        return self._choice("band", user_input or usual)

    async def _async_of_model(self, band_id: str) -> SubentryFlowResult:
        assert self._model is not None
        assert self._version is not None
        async with self._reading():
            self._template = await self._coordinator.stack.repository.template(
                self._brand_id, self._model.model_id, self._version.version, band_id
            )
        return await self._async_template_known(band_id)

    def _model_name(self, versions: VersionIds | None) -> str:
        """Return the names of brand and model; their IDs if they come from a QR code."""
        if versions is None or not versions.model_id:
            return "-"
        if self._model is None or self._model.model_id != versions.model_id:
            return f"{versions.brand_id} {versions.model_id}"
        return f"{self._brand} {self._model.name}"

    # Forms

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[None]:
        """Abort the dialogue with a translated reason if the client raises an error."""
        try:
            yield
        except StackError as err:
            refused = self._refusal(err)
            raise AbortFlow(refused.key, refused.placeholders) from err

    def _refusal(self, error: StackError) -> Refusal:
        return refusal(error, self._name_of, self._coordinator.partial_devices.known)

    def _name_of(self, device_id: str) -> str:
        roster = self._coordinator.roster
        state = roster.by_device_id(device_id)
        return f"{state.name} ({device_id})" if state is not None else device_id

    def _chosen(self, field: str, user_input: Mapping[str, Any]) -> str | None:
        self._refused = None
        try:
            return chosen(field, user_input[field], self._choices)
        except Refusal as err:
            self._refused = err
            return None

    def _choice(self, field: str, suggested: Mapping[str, Any] | None) -> SubentryFlowResult:
        """Show a form with one field, a list of choices."""
        schema = vol.Schema({unchosen(field): searchable(self._choices)})
        return self._form(field, schema, suggested)

    def _form(
        self, step_id: str, schema: vol.Schema, suggested: Mapping[str, Any] | None
    ) -> SubentryFlowResult:
        """Show a form with the previous answers, and the error if they were refused."""
        refused, self._refused = self._refused, None
        return form(self, step_id, schema, suggested, refused, last_step=False)
