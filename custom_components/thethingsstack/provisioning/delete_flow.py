"""Dialogue that deletes an end device on the servers, after two confirmations."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import BooleanSelector, TextSelector
import voluptuous as vol

from ..application import Refusal, lacking, refusal
from ..client import StackError
from ..dialogs import ApplicationOptionsFlow, chosen, form, searchable, unchosen
from ..issues import escape_markdown
from .delete import AfterDeletion, async_delete
from .register_form import by_name_and_id
from .rights import CHANGE

CONF_UNDERSTOOD = "understood"
CONF_ALSO_HERE = "also_here"
UNDERSTOOD_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_UNDERSTOOD, default=False): BooleanSelector(),
        vol.Required(CONF_ALSO_HERE, default=False): BooleanSelector(),
    }
)


class DeleteFlow(ApplicationOptionsFlow):
    """Steps: choose the end device, confirm what is lost, confirm with its ID, delete."""

    _to_remove: str = ""
    _after_deletion = AfterDeletion.MARKED

    @property
    def _may_remove(self) -> bool:
        return not lacking(self._coordinator.rights, CHANGE)

    async def async_step_remove(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the end device."""
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
        """Return the IDs of the end devices that a server has, by label (name and ID)."""
        roster, partial_devices = self._coordinator.roster, self._coordinator.partial_devices
        names = {key: partial_devices.name_of(key) for key in partial_devices.known}
        names |= {key: device.name or key for key, device in roster.registrations.items()}
        names |= {s.device_id: s.name for s in roster.states.values() if not s.vanished}
        return by_name_and_id(names.items())

    async def async_step_remove_what(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what is lost; the user has to confirm that it is understood."""
        refused = None
        if user_input is not None:
            if user_input[CONF_UNDERSTOOD]:
                self._after_deletion = after_deletion(user_input)
                return await self.async_step_remove_sure()
            refused = Refusal(CONF_UNDERSTOOD, "not_understood")
        return self._removal_form("remove_what", UNDERSTOOD_SCHEMA, user_input, refused)

    async def async_step_remove_sure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the end device's ID as the second confirmation, then delete it."""
        refused = None
        if user_input is not None:
            if user_input["device_id"].strip() != self._to_remove:
                refused = Refusal("device_id", "id_differs")
            else:
                name = self._name_of(self._to_remove)
                try:
                    await async_delete(
                        self._coordinator, self._to_remove, afterwards=self._after_deletion
                    )
                except StackError as err:
                    refused = refusal(err, self._name_of)
                else:
                    return self.async_abort(
                        reason="removed", description_placeholders={"device": escape_markdown(name)}
                    )
        schema = vol.Schema({vol.Required("device_id"): TextSelector()})
        return self._removal_form("remove_sure", schema, user_input, refused)

    def _name_of(self, device_id: str) -> str:
        return self._coordinator.partial_devices.name_of(device_id)

    def _removal_form(
        self,
        step_id: str,
        schema: vol.Schema,
        suggested: Mapping[str, Any] | None,
        refused: Refusal | None,
    ) -> ConfigFlowResult:
        """Show a form with the previous answers, and the error if they were refused."""
        return form(
            self,
            step_id,
            schema,
            suggested,
            refused,
            placeholders={
                "device": escape_markdown(self._name_of(self._to_remove)),
                "device_id": self._to_remove,
            },
            last_step=step_id == "remove_sure",
        )


def after_deletion(answers: Mapping[str, Any]) -> AfterDeletion:
    """Return what shall happen to the end device in Home Assistant, from the form's answers."""
    return AfterDeletion.REMOVED if answers[CONF_ALSO_HERE] else AfterDeletion.MARKED
