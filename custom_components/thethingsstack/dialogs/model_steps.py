"""Steps that choose a model of the Device Repository; dialogues of several kinds have them."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from homeassistant.data_entry_flow import AbortFlow, FlowContext, FlowHandler, FlowResult
import voluptuous as vol

from ..application import Refusal, error_text
from ..client import DeviceModel, FirmwareVersion, StackError, VersionIds
from .base import form
from .selectors import chosen, labels, searchable, unchosen

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator


class ModelSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    FlowHandler[ContextT, ResultT, HandlerT]
):
    """Brand → model → firmware version → band; a step with only one choice is skipped."""

    _brand_id = _brand = ""
    _model: DeviceModel | None = None
    _firmware: FirmwareVersion | None = None

    def __init__(self) -> None:
        """Start without any answer."""
        super().__init__()
        self._listed: dict[str, str] = {}
        """The IDs that can be chosen in the present step, by label."""
        self._models: dict[str, DeviceModel] = {}
        self._repository_brands: set[str] = set()
        self._not_listed: Refusal | None = None

    @property
    @abstractmethod
    def _coordinator(self) -> ApplicationCoordinator:
        """Return the application."""

    @abstractmethod
    async def _async_model_chosen(self, versions: VersionIds) -> ResultT:
        """Go on with a model, its version and band."""

    async def _async_no_band(self) -> ResultT:
        """Go on with a model that has no version with a band."""
        assert self._model is not None
        return self.async_abort(
            reason="no_versions", description_placeholders={"model": self._model.name}
        )

    async def _async_more_brands(self) -> Mapping[str, str]:
        """Return the names of further brands by ID; the repository's of the same ID are preferred."""
        return {}

    async def _async_more_models(self) -> list[DeviceModel]:
        """Return further models of the chosen brand; the repository's are preferred likewise."""
        return []

    def _usual_band(self) -> str | None:
        """Return the band to suggest."""
        return None

    @property
    def _only_band(self) -> str | None:
        """Return the band that the end device is known to use: it isn't asked for."""
        return None

    async def async_step_brand(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask for the brand."""
        if user_input is None:
            async with self._reading():
                repository = self._coordinator.stack.repository
                brands = {brand.brand_id: brand.name async for brand in repository.brands()}
            self._repository_brands = set(brands)
            more = await self._async_more_brands()
            self._listed = labels({**more, **brands}.items())
        elif (brand_id := self._from_list("brand", user_input)) is not None:
            self._brand_id = brand_id
            self._brand = next(label for label, key in self._listed.items() if key == brand_id)
            return await self.async_step_model()
        return self._show_list("brand", user_input)

    async def async_step_model(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask for the model."""
        if user_input is None:
            self._models = {model.model_id: model for model in await self._async_more_models()}
            if self._brand_id in self._repository_brands:
                async with self._reading():
                    repository = self._coordinator.stack.repository
                    async for model in repository.models(self._brand_id):
                        self._models[model.model_id] = model
            self._listed = labels((key, model.name) for key, model in self._models.items())
        elif (model_id := self._from_list("model", user_input)) is not None:
            self._model = self._models[model_id]
            return await self.async_step_version()
        return self._show_list("model", user_input)

    async def async_step_version(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask for the firmware version, unless there is only one."""
        assert self._model is not None
        versions = {version.version: version for version in self._model.firmware_versions}
        if len(versions) < 2:
            self._firmware = next(iter(versions.values()), None)
            return await self.async_step_band()
        if user_input is None:
            self._listed = {
                " · ".join((version.version, *version.hardware_versions)): key
                for key, version in versions.items()
            }
        elif (wanted := self._from_list("version", user_input)) is not None:
            self._firmware = versions[wanted]
            return await self.async_step_band()
        return self._show_list("version", user_input)

    async def async_step_band(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask for the frequency band, unless there is only one."""
        bands = self._firmware.bands if self._firmware is not None else ()
        if not bands:
            return await self._async_no_band()
        if len(bands) == 1:
            return await self._async_of_model(bands[0])
        if self._only_band in bands:
            return await self._async_of_model(str(self._only_band))
        if user_input is None:
            self._listed = {band: band for band in bands}
        elif (band := self._from_list("band", user_input)) is not None:
            return await self._async_of_model(band)
        usual = self._usual_band()
        return self._show_list("band", user_input or ({"band": usual} if usual in bands else None))

    async def _async_of_model(self, band_id: str) -> ResultT:
        assert self._model is not None
        assert self._firmware is not None
        hardware = self._firmware.hardware_versions
        return await self._async_model_chosen(
            VersionIds(
                brand_id=self._brand_id,
                model_id=self._model.model_id,
                hardware_version=hardware[0] if len(hardware) == 1 else None,
                firmware_version=self._firmware.version,
                band_id=band_id,
            )
        )

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[None]:
        """Abort the dialogue with a translated reason if the repository can't be read."""
        try:
            yield
        except StackError as err:
            raise self._unreadable(err) from err

    def _unreadable(self, error: StackError) -> AbortFlow:
        """Return how the dialogue ends where the repository can't be read."""
        return AbortFlow("repository_unreadable", {"because": error_text(error)})

    def _from_list(self, field: str, user_input: Mapping[str, Any]) -> str | None:
        self._not_listed = None
        try:
            return chosen(field, user_input[field], self._listed)
        except Refusal as err:
            self._not_listed = err
            return None

    def _show_list(self, field: str, suggested: Mapping[str, Any] | None) -> ResultT:
        """Show a form with one field, a list of choices."""
        schema = vol.Schema({unchosen(field): searchable(self._listed)})
        refused, self._not_listed = self._not_listed, None
        return form(self, field, schema, suggested, refused, last_step=False)
