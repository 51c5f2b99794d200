"""Dialogue that edits an end device in The Things Stack: name, attributes, location, model, formatter."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.selector import LocationSelector
import voluptuous as vol

from ..application import Refusal, refusal
from ..client import StackError
from ..const import OVERDUE_ATTRIBUTE
from ..dialogs import chosen, form, searchable, unchosen
from ..end_devices import area_from_attributes, area_of, move
from ..issues import escape_markdown
from .edit_form import TO_HOME, InHomeAssistant, change_schema, present, read_changes
from .model_change_flow import ModelChangeFlow


class EditFlow(ModelChangeFlow):
    """Steps: choose the end device, then edit its properties, its model or its formatter."""

    _answers: Mapping[str, Any]
    """What was typed before the step that asks for a place."""
    _place: Mapping[str, float] | None = None
    """The place that was chosen there, in case that saving it fails."""

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
        here = self._in_home_assistant(self._to_change.ids.device_id)
        refused = None
        if user_input is not None:
            if user_input.get("on_map"):
                refused = self._check(user_input, here)
                self._answers = user_input
                if refused is None:
                    return await self.async_step_change_place()
            else:
                refused = await self._async_save(user_input, here)
                if refused is None:
                    return self._changed()
        return self._change_form(user_input, refused, here)

    async def async_step_change_place(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the place of an end device that has none yet; the map begins at home."""
        if user_input is not None:
            self._place = user_input["location"]
            answers, here = self._answers, self._in_home_assistant(self._to_change.ids.device_id)
            refused = await self._async_save({**answers, **user_input, "on_map": False}, here)
            return self._changed() if refused is None else self._change_form(answers, refused, here)
        home = {"latitude": self.hass.config.latitude, "longitude": self.hass.config.longitude}
        place = self._place or home
        schema = vol.Schema({vol.Required("location", default=place): LocationSelector()})
        return form(self, "change_place", schema, None, None, last_step=True)

    def _changed(self) -> ConfigFlowResult:
        device = self._to_change
        return self.async_abort(
            reason="changed",
            description_placeholders={
                "device": escape_markdown(device.name or device.ids.device_id)
            },
        )

    def _change_form(
        self, answers: Mapping[str, Any] | None, refused: Refusal | None, here: InHomeAssistant
    ) -> ConfigFlowResult:
        device = self._to_change
        return form(
            self,
            "change_what",
            change_schema(
                device,
                here,
                with_description=self._coordinator.stack.capabilities.device_names,
            ),
            present(device) if answers is None else answers,
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

    def _check(self, answers: Mapping[str, Any], here: InHomeAssistant) -> Refusal | None:
        """Return what is wrong with the answers, before anything is saved."""
        try:
            read_changes(self.hass, self._to_change, here, answers)
        except Refusal as err:
            return err
        return None

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
        if answers.get("names") == TO_HOME:
            dr.async_get(self.hass).async_update_device(state.registry_id, name_by_user=None)
        area = area_from_attributes(self._to_change.attributes)
        if answers.get("area") == TO_HOME and area is not None:
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
            renamed=entry.name_by_user is not None,
            area=area_of(self.hass, registry_id),
        )
