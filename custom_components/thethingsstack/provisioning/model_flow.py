"""The steps of the dialogue for new end devices that choose a model of the Device Repository."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigSubentryFlow, SubentryFlowContext, SubentryFlowResult
from homeassistant.data_entry_flow import AbortFlow
import voluptuous as vol

from ..application import Refusal, refusal
from ..client import DeviceTemplate, StackError, VersionIds
from ..dialogs import ModelSteps, form, running
from .register import usual_band

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator


class ModelFlow(
    ModelSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]], ConfigSubentryFlow
):
    """Steps: brand, model, firmware version, band; then the registration template is read."""

    def __init__(self) -> None:
        """Start without any answer."""
        super().__init__()
        self._refused: Refusal | None = None
        self._template: DeviceTemplate | None = None

    @property
    @override
    def _coordinator(self) -> ApplicationCoordinator:
        return running(self._get_entry())

    @abstractmethod
    async def _async_template_known(self, band_id: str | None) -> SubentryFlowResult:
        """Continue the dialogue after `_template` was read; `band_id` is None if it is unknown."""

    @override
    async def _async_model_chosen(self, versions: VersionIds) -> SubentryFlowResult:
        async with self._reading():
            self._template = await self._coordinator.stack.repository.template(
                versions.brand_id or "",
                versions.model_id or "",
                versions.firmware_version or "",
                versions.band_id or "",
            )
        return await self._async_template_known(versions.band_id)

    @override
    def _usual_band(self) -> str | None:
        return usual_band(self._coordinator.roster)

    def _model_name(self, versions: VersionIds | None) -> str:
        """Return the names of brand and model."""
        if versions is None or not versions.model_id:
            return "-"
        if self._model is None or self._model.model_id != versions.model_id:
            return self._coordinator.roster.names_of(versions)  # it comes from a QR code
        return f"{self._brand} {self._model.name}"

    # Refusals

    @override
    def _unreadable(self, error: StackError) -> AbortFlow:
        refused = self._refusal(error)
        return AbortFlow(refused.key, refused.placeholders)

    def _refusal(self, error: StackError) -> Refusal:
        return refusal(error, self._name_of, self._coordinator.partial_devices.known)

    def _name_of(self, device_id: str) -> str:
        roster = self._coordinator.roster
        state = roster.by_device_id(device_id)
        return f"{state.name} ({device_id})" if state is not None else device_id

    def _form(
        self, step_id: str, schema: vol.Schema, suggested: Mapping[str, Any] | None
    ) -> SubentryFlowResult:
        """Show a form with the previous answers, and the error if they were refused."""
        refused, self._refused = self._refused, None
        return form(self, step_id, schema, suggested, refused, last_step=False)
