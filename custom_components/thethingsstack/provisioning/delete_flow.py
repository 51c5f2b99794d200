"""Delete an end device on the server, confirmed twice: its keys are lost."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import BooleanSelector, TextSelector
import voluptuous as vol

from ..client import NotFound, PartlyDeleted, StackError
from ..dialogs.base import ApplicationOptionsFlow, form
from ..dialogs.selectors import searchable, unchosen
from ..end_devices.cleanup import deleted
from .errors import REMOVE, Refusal, lacking, refusal
from .register_form import by_name_and_id, chosen

CONF_UNDERSTOOD = "understood"
CONF_ALSO_HERE = "also_here"
UNDERSTOOD_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_UNDERSTOOD, default=False): BooleanSelector(),
        vol.Required(CONF_ALSO_HERE, default=False): BooleanSelector(),
    }
)


class DeleteFlow(ApplicationOptionsFlow):
    """Which one → what is lost → its ID, typed → gone."""

    _to_remove: str = ""
    _also_here: bool = False

    @property
    def _may_remove(self) -> bool:
        return not lacking(self._coordinator.rights, REMOVE)

    async def async_step_remove(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which end device."""
        choices = self._removable()
        refused = None
        if user_input is not None:
            try:
                self._to_remove = chosen("end_device", user_input["end_device"], choices)
                return await self.async_step_remove_what()
            except Refusal as err:
                refused = err
        schema = vol.Schema({unchosen("end_device"): searchable(choices)})
        return self._removal_form("remove", schema, user_input, refused)

    def _removable(self) -> dict[str, str]:
        """Return the ids of the end devices that a server has, by name and id."""
        roster, halves = self._coordinator.roster, self._coordinator.partial_devices
        names = {key: halves.name_of(key) for key in halves.known}
        names |= {key: device.name or key for key, device in roster.registrations.items()}
        names |= {s.device_id: s.name for s in roster.states.values() if not s.vanished}
        return by_name_and_id(names.items())

    async def async_step_remove_what(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Tell what is lost, and ask whether that is understood."""
        refused = None
        if user_input is not None:
            if user_input[CONF_UNDERSTOOD]:
                self._also_here = user_input[CONF_ALSO_HERE]
                return await self.async_step_remove_sure()
            refused = Refusal(CONF_UNDERSTOOD, "not_understood")
        return self._removal_form("remove_what", UNDERSTOOD_SCHEMA, user_input, refused)

    async def async_step_remove_sure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the ID as the second confirmation, and delete."""
        refused = None
        if user_input is not None:
            if user_input["device_id"].strip() != self._to_remove:
                refused = Refusal("device_id", "id_differs")
            else:
                told = {"device": self._named(self._to_remove)}
                refused = await self._async_delete()
                if refused is None:
                    deleted(
                        self.hass, self.config_entry, self._to_remove, also_here=self._also_here
                    )
                    return self.async_abort(reason="removed", description_placeholders=told)
        schema = vol.Schema({vol.Required("device_id"): TextSelector()})
        return self._removal_form("remove_sure", schema, user_input, refused)

    async def _async_delete(self) -> Refusal | None:
        """Delete on all servers; one that is gone already is as good."""
        try:
            await self._coordinator.stack.end_devices.delete(self._to_remove)
        except NotFound:
            return None
        except PartlyDeleted as err:
            self._coordinator.partial_devices.left(self._to_remove, err.left_on)
            return refusal(err, self._named)
        except StackError as err:
            return refusal(err, self._named)
        return None

    def _named(self, device_id: str) -> str:
        return self._coordinator.partial_devices.name_of(device_id)

    def _removal_form(
        self,
        step_id: str,
        schema: vol.Schema,
        suggested: Mapping[str, Any] | None,
        refused: Refusal | None,
    ) -> ConfigFlowResult:
        """Show a form with what was typed, and why it was refused."""
        told = {"device": self._named(self._to_remove), "device_id": self._to_remove}
        last_step = step_id == "remove_sure"
        return form(self, step_id, schema, suggested, refused, told=told, last_step=last_step)
