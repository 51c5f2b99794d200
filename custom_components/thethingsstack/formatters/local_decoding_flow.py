"""Options: decode the uplinks of an end device in Home Assistant. Needs no right of the key."""

from typing import Any, override

from homeassistant.config_entries import ConfigFlowContext, ConfigFlowResult
import voluptuous as vol

from ..application import Refusal
from ..dialogs import ApplicationOptionsFlow, form, searchable, unchosen
from ..end_devices import EndDeviceState
from .local_decoding import LocalDecoding
from .local_decoding_steps import LocalDecodingSteps

CONF_DEVICE = "device"


class LocalDecodingFlow(
    LocalDecodingSteps[ConfigFlowContext, ConfigFlowResult], ApplicationOptionsFlow
):
    """Which end device, or all of its model → how."""

    async def async_step_local_decoding(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the end device."""
        states = self._coordinator.roster.states.values()
        devices = {_label(device): device for device in states if not device.vanished}
        refused = None
        if user_input is not None:
            chosen = devices.get(user_input[CONF_DEVICE])
            if chosen is not None:
                return await self._async_decode_locally([chosen])
            refused = Refusal(CONF_DEVICE, "choose_from_list")
        labels = sorted(devices, key=str.casefold)
        schema = vol.Schema({unchosen(CONF_DEVICE): searchable(labels)})
        return form(self, "local_decoding", schema, user_input, refused, last_step=False)

    async def _async_decode_locally(self, devices: list[EndDeviceState]) -> ConfigFlowResult:
        self._decoding = LocalDecoding(self.config_entry, devices)
        return await self.async_step_local_decoder()

    @override
    async def _async_decoding_saved(self) -> ConfigFlowResult:
        here = self._decoding.decoder is not None
        return self.async_abort(
            reason="local_decoder_saved" if here else "local_decoder_removed",
            description_placeholders=self._decoding.placeholders(),
        )


def _label(device: EndDeviceState) -> str:
    model = device.version_ids.model_id if device.version_ids else None
    return " · ".join(dict.fromkeys(filter(None, (device.name, model, device.device_id))))
