"""Dialogue that edits an end device in The Things Stack: name, attributes, location, model, formatter."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
import voluptuous as vol

from ..application import Refusal, refusal
from ..client import StackError
from ..const import OVERDUE_ATTRIBUTE
from ..dialogs import chosen, form, searchable, unchosen
from ..end_devices import area_from_attributes, area_of, move
from ..issues import escape_markdown
from .edit_form import CHANGE_SCHEMA, TO_HOME, InHomeAssistant, present, read_changes
from .model_change_flow import ModelChangeFlow


class EditFlow(ModelChangeFlow):
    """Steps: choose the end device, then edit its properties, its model or its formatter."""

    async def async_step_change(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the end device, and read its present registration."""
        choices = self._changeable()
        refused = None
        if user_input is not None:
            try:
                device_id = chosen("end_device", user_input["end_device"], choices)
                self._to_change = await self._coordinator.stack.device(device_id)
                return await self.async_step_change_menu()
            except Refusal as err:
                refused = err
            except StackError as err:
                refused = refusal(err)
        schema = vol.Schema({unchosen("end_device"): searchable(choices)})
        return form(self, "change", schema, user_input, refused, last_step=False)

    def _changeable(self) -> dict[str, str]:
        """Return the IDs of the registered end devices by label: both names, ID and model."""
        roster = self._coordinator.roster
        labels = {}
        for device_id, device in roster.registrations.items():
            state, versions = roster.by_device_id(device_id), device.version_ids
            name_here = self._in_home_assistant(device_id).name if state is not None else None
            parts = [name_here, device.name, device_id, versions.model_id if versions else None]
            labels[" · ".join(dict.fromkeys(filter(None, parts)))] = device_id
        return dict(sorted(labels.items(), key=lambda pair: pair[0].casefold()))

    async def async_step_change_menu(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose between the properties, the model and the payload formatter."""
        device, capabilities = self._to_change, self._coordinator.stack.capabilities
        if not capabilities.device_formatters:
            return await self.async_step_change_what()
        options = ["change_what", "formatter"]
        if capabilities.repository:
            options.insert(1, "change_model")
        return self.async_show_menu(
            step_id="change_menu",
            menu_options=options,
            description_placeholders={
                "device": escape_markdown(device.name or device.ids.device_id),
                "device_id": device.ids.device_id,
            },
        )

    async def async_step_change_what(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for new values, and save those that were changed."""
        device = self._to_change
        here = self._in_home_assistant(device.ids.device_id)
        refused = None
        if user_input is not None:
            refused = await self._async_save(user_input, here)
            if refused is None:
                changed = self._to_change
                return self.async_abort(
                    reason="changed",
                    description_placeholders={
                        "device": escape_markdown(changed.name or changed.ids.device_id)
                    },
                )
        return form(
            self,
            "change_what",
            self._change_schema,
            present(device) if user_input is None else user_input,
            refused,
            placeholders={
                "device_id": device.ids.device_id,
                "area": escape_markdown(here.area or "-"),
                "told_area": escape_markdown(area_from_attributes(device.attributes) or "-"),
                "home_name": escape_markdown(here.name or "-"),
                "overdue_attribute": OVERDUE_ATTRIBUTE,
            },
            last_step=True,
        )

    @property
    def _change_schema(self) -> vol.Schema:
        """Return the form's fields, without those that the network's end devices don't have."""
        if self._coordinator.stack.capabilities.device_names:
            return CHANGE_SCHEMA
        fields = {key: value for key, value in CHANGE_SCHEMA.schema.items() if key != "description"}
        return vol.Schema(fields)

    async def _async_save(
        self, answers: Mapping[str, Any], here: InHomeAssistant
    ) -> Refusal | None:
        coordinator, device_id = self._coordinator, self._to_change.ids.device_id
        try:
            changes = read_changes(self.hass, self._to_change, here, answers)
            self._to_change = await coordinator.stack.end_devices.update(device_id, changes)
        except Refusal as err:
            return err
        except StackError as err:
            return refusal(err)
        state = coordinator.lifecycle.on_registered(self._to_change)
        if state is None or state.registry_id is None:
            return None
        if answers["names"] == TO_HOME:
            dr.async_get(self.hass).async_update_device(state.registry_id, name_by_user=None)
        area = area_from_attributes(self._to_change.attributes)
        if answers["area"] == TO_HOME and area is not None:
            move(self.hass, state.registry_id, area)
        return None

    @callback
    def _in_home_assistant(self, device_id: str) -> InHomeAssistant:
        """Return the name and area of an end device in Home Assistant."""
        state = self._coordinator.roster.by_device_id(device_id)
        registry_id = None if state is None else state.registry_id
        entry = dr.async_get(self.hass).async_get(registry_id) if registry_id else None
        if entry is None:
            return InHomeAssistant()
        return InHomeAssistant(
            registry_id=registry_id,
            name=entry.name_by_user or entry.name,
            area=area_of(self.hass, registry_id),
        )
