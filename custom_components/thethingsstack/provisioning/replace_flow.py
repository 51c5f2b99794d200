"""Dialogue that replaces an end device by another one with another DevEUI."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.selector import BooleanSelector, TextSelector
import voluptuous as vol

from ..application import Refusal, lacking, refusal
from ..client import DeviceTemplate, EndDevice, EndDeviceIds, NotFound, Registration, StackError
from ..const import CONF_DEVICES, DEVICES_NOT_IGNORED, IGNORE_ATTRIBUTE, IGNORE_VALUE
from ..dialogs import ApplicationOptionsFlow, chosen, form, searchable, unchosen
from ..end_devices import EndDeviceState
from ..issues import escape_markdown
from .register_form import (
    RegistrationRequest,
    by_name_and_id,
    keys_of,
    listed,
    read_device,
    reversed_euis,
)
from .replace import USER_LOCATION, Replacement, place_of
from .rights import REGISTER

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry

CONF_END_DEVICE = "end_device"
CONF_UNDERSTOOD = "understood"
CONF_SAME_TEXTS = "same_texts"
UNDERSTOOD = {vol.Required(CONF_UNDERSTOOD, default=False): BooleanSelector()}
SAME_TEXTS = {vol.Required(CONF_SAME_TEXTS, default=True): BooleanSelector()}
_NEEDED_OF_OLD = ("lorawan_version", "frequency_plan_id")


class ReplaceFlow(ApplicationOptionsFlow):
    """Steps: choose the old end device, choose or register the new one, review, replace."""

    _old: EndDeviceState
    _template: DeviceTemplate
    """LoRaWAN version and settings of the old end device, which the new one gets, too."""
    _plan_id: str
    _accepted: frozenset[str] = frozenset()
    """EUIs that look reversed, but that the user has confirmed."""
    _generated: Mapping[str, str]
    """Generated keys and address that must be written to the new end device, by LoRaWAN names."""
    _replacement: Replacement

    # The old end device

    async def async_step_replace(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the end device to replace."""
        states = self._coordinator.roster.states.values()
        choices = by_name_and_id((state.device_id, state.name) for state in states)
        refused = None
        if user_input is not None:
            try:
                device_id = chosen(CONF_END_DEVICE, user_input[CONF_END_DEVICE], choices)
                return await self._async_which(device_id)
            except Refusal as err:
                refused = err
            except StackError as err:
                refused = refusal(err)
        schema = vol.Schema({unchosen(CONF_END_DEVICE): searchable(choices)})
        return self._replacement_form("replace", schema, user_input, refused)

    async def _async_which(self, device_id: str) -> ConfigFlowResult:
        """Read the settings of the old end device, which the new one is registered with."""
        coordinator = self._coordinator
        state = coordinator.roster.by_device_id(device_id)
        if state is None:  # removed while the form was open
            raise Refusal(CONF_END_DEVICE, "choose_from_list")
        self._old, self._generated, details = state, {}, {}
        if not state.vanished and not lacking(coordinator.rights, REGISTER):
            try:
                details = await coordinator.stack.end_devices.details(device_id)
            except NotFound:
                coordinator.lifecycle.on_deleted(state)
        if not all(details.get(name) for name in _NEEDED_OF_OLD):
            return await self.async_step_replace_registered()
        self._template = DeviceTemplate.of_device(details)
        self._plan_id = details["frequency_plan_id"]
        return await self.async_step_replace_by()

    # The new end device

    async def async_step_replace_by(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose whether the new one is to be registered now."""
        return self.async_show_menu(
            step_id="replace_by",
            menu_options=["replace_new", "replace_registered"],
            description_placeholders=self._old_placeholders(),
        )

    async def async_step_replace_registered(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the new end device among those that are registered already."""
        candidates = {
            device_id: device
            for device_id, device in self._coordinator.roster.registrations.items()
            if device_id != self._old.device_id and not self._ignored(device)
        }
        choices = by_name_and_id((key, item.name or key) for key, item in candidates.items())
        refused = None
        if user_input is not None:
            try:
                device_id = chosen(CONF_END_DEVICE, user_input[CONF_END_DEVICE], choices)
                return await self._async_sure(candidates[device_id])
            except Refusal as err:
                refused = err
        schema = vol.Schema({unchosen(CONF_END_DEVICE): searchable(choices)})
        return self._replacement_form("replace_registered", schema, user_input, refused)

    def _ignored(self, device: EndDevice) -> bool:
        """Return whether an attribute of the end device excludes it from Home Assistant."""
        options = self.config_entry.options
        ignored = device.attributes.get(IGNORE_ATTRIBUTE) == IGNORE_VALUE
        return ignored and options.get(CONF_DEVICES) == DEVICES_NOT_IGNORED

    async def async_step_replace_new(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for EUIs and keys of the new end device; everything else is copied from the old one."""
        refused = None
        suggested = user_input
        if user_input is not None:
            try:
                request = await self._async_read(user_input)
                self._generated = request.generated
                return await self._async_sure(request.registration)
            except Refusal as err:
                refused = err
            except StackError as err:
                refused = refusal(err)
        elif self._template.supports_join:
            suggested = {"join_eui": self._old.ids.join_eui}
        text, joins = TextSelector(), self._template.supports_join
        fields: dict[Any, Any] = {
            (vol.Required if joins else vol.Optional)("dev_eui"): text,
            vol.Optional("join_eui" if joins else "dev_addr"): text,
            **{vol.Optional(key): text for key in keys_of(self._template, claimed=False)},
            vol.Optional("device_id"): text,
        }
        return self._replacement_form("replace_new", vol.Schema(fields), suggested, refused)

    async def _async_read(self, answers: Mapping[str, Any]) -> RegistrationRequest:
        """Return the registration from the answers; raises Refusal for invalid ones."""
        for field, (given, usual) in reversed_euis(answers).items():
            if given not in self._accepted:
                self._accepted |= {given}
                raise Refusal(field, "eui_reversed", given=given, usual=usual)
        stack, roster = self._coordinator.stack, self._coordinator.roster
        defaults = {"join_eui": self._old.ids.join_eui or ""}
        if not self._template.supports_join and not str(answers.get("dev_addr", "")).strip():
            defaults["dev_addr"] = await stack.configuration.dev_addr()
        request = read_device(
            self._template,
            {**answers, "name": self._old.name},
            plan_id=self._plan_id,
            taken={*roster.registrations, *(s.device_id for s in roster.states.values())},
            defaults=defaults,
            claimed=False,
        )
        if request.issue_dev_eui:
            raise Refusal("dev_eui", "not_an_eui")
        registered = self._old.end_device
        if registered is not None:
            registration = replace(
                request.registration,
                name=registered.name,
                description=registered.description,
                attributes=registered.attributes,
                location=registered.locations.get(USER_LOCATION),
            )
            request = replace(request, registration=registration)
        await stack.end_devices.check(request.registration)
        return request

    # Review

    async def _async_sure(self, new: EndDevice | Registration) -> ConfigFlowResult:
        self._replacement = Replacement(self.config_entry, self._old, new)
        self._replacement.place = place_of(self._coordinator, self._replacement.new_id)
        if isinstance(new, EndDevice):
            return await self.async_step_replace_sure()
        return await self.async_step_replace_sure_new()

    async def async_step_replace_sure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what happens with one that is registered; after a confirmation, replace."""
        return await self._async_sure_step("replace_sure", SAME_TEXTS, user_input)

    async def async_step_replace_sure_new(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what happens with one that will be registered; after a confirmation, replace."""
        return await self._async_sure_step("replace_sure_new", {}, user_input)

    async def _async_sure_step(
        self, step_id: str, texts: Mapping[Any, Any], user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        refused, work = None, self._replacement
        if user_input is not None:
            if not user_input[CONF_UNDERSTOOD]:
                refused = Refusal(CONF_UNDERSTOOD, "not_understood")
            else:
                work.same_texts = user_input.get(CONF_SAME_TEXTS, False)
                try:
                    return self._replaced(await self._async_replace())
                except StackError as err:
                    refused = refusal(err)
        schema = vol.Schema({**texts, **UNDERSTOOD})
        return self._replacement_form(step_id, schema, user_input, refused)

    async def _async_replace(self) -> EndDeviceIds:
        """Replace in a task of its own, which is completed even if the dialogue is closed."""
        work = self.hass.async_create_task(self._replacement.async_replace(self.hass))
        work.add_done_callback(partial(_note, self.config_entry, self._old.device_id))
        return await asyncio.shield(work)

    def _replaced(self, new: EndDeviceIds) -> ConfigFlowResult:
        facts = {"DevEUI": new.dev_eui, "JoinEUI": new.join_eui, **self._generated}
        return self.async_abort(
            reason="replaced_with_keys" if self._generated else "replaced",
            description_placeholders={
                "device": escape_markdown(self._old.name),
                "facts": listed(facts),
                "page": f"/config/devices/device/{self._old.registry_id}",
            },
        )

    # Forms

    def _old_placeholders(self) -> dict[str, str]:
        old = self._old
        return {
            "device": escape_markdown(old.name),
            "device_id": old.device_id,
            "dev_eui": old.ids.dev_eui or "-",
            "model": self._coordinator.roster.names_of(old.version_ids),
        }

    def _new_placeholders(self) -> dict[str, str]:
        new = self._replacement.new
        ids = new.ids if isinstance(new, EndDevice) else new
        return {
            "new": escape_markdown(new.name or self._replacement.new_id),
            "new_id": self._replacement.new_id,
            "new_eui": ids.dev_eui or "-",
            "new_model": self._coordinator.roster.names_of(new.version_ids),
        }

    def _replacement_form(
        self,
        step_id: str,
        schema: vol.Schema,
        suggested: Mapping[str, Any] | None,
        refused: Refusal | None,
    ) -> ConfigFlowResult:
        """Show a form with the previous answers, and the error if they were refused."""
        names = {} if step_id == "replace" else self._old_placeholders()
        last_step = step_id in ("replace_sure", "replace_sure_new")
        if last_step:
            names |= self._new_placeholders()
        return form(
            self, step_id, schema, suggested, refused, placeholders=names, last_step=last_step
        )


@callback
def _note(entry: TtsConfigEntry, device_id: str, work: asyncio.Task[EndDeviceIds]) -> None:
    """Record a failed replacement as a problem, even if its dialogue was closed."""
    if work.cancelled() or (error := work.exception()) is None or isinstance(error, AbortFlow):
        return
    if entry.state is ConfigEntryState.LOADED:
        entry.runtime_data.application_status.record_problem("replacement", device_id, str(error))
