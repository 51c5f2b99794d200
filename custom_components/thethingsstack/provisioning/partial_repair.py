"""Dialogue that repairs a half created end device: complete it, or delete what is left of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import callback
import voluptuous as vol

from ..application import Refusal, lacking, refusal, server_names
from ..client import DeviceTemplate, FrequencyPlan, Presence, Server, StackError
from ..dialogs import BackgroundWork, form, labels, running
from ..issues import escape_markdown
from .delete import async_delete
from .delete_flow import CONF_UNDERSTOOD, UNDERSTOOD_SCHEMA, after_deletion
from .partial_completion import (
    Completion,
    PartialDevice,
    asks_address,
    async_complete,
    completion_schema,
    keys_asked,
    read_completion,
)
from .register import usual_band
from .register_form import ABP, OTAA, by_hand_schema, listed, read_by_hand, usual_plan
from .rights import CHANGE, REGISTER

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator, TtsConfigEntry


class PartialRepairFlow(RepairsFlow):
    """Steps: show which servers lack it, ask for what they need, write it; or delete it."""

    def __init__(self, entry: TtsConfigEntry, device_id: str) -> None:
        """Keep the end device's ID; makes no request yet."""
        self._entry = entry
        self._device_id = device_id
        self._partial: PartialDevice
        self._template: DeviceTemplate | None = None
        self._plans: list[FrequencyPlan] = []
        self._typed: Mapping[str, Any] | None = None
        self._refused: Refusal | None = None
        self._completion: Completion | None = None
        self._work: BackgroundWork[Presence] | None = None

    @property
    def _coordinator(self) -> ApplicationCoordinator:
        return running(self._entry)

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Read which servers have it, and show a menu of what can be done."""
        if rights := lacking(self._coordinator.rights, CHANGE):
            return self._abort("missing_rights", rights=rights)
        try:
            presence = await self._coordinator.partial_devices.async_look(self._device_id)
            if presence.complete:
                return self._abort("already_complete")
            if not presence.identity and not presence.stranded:
                return self._abort("already_deleted")
            self._partial = await PartialDevice.async_read(
                self._coordinator.stack, self._device_id, presence
            )
        except StackError as err:
            return self._abort_refused(err)
        if not self._partial.completable:
            return await self.async_step_left_over()
        return await (
            self.async_step_partial() if presence.identity else self.async_step_stranded()
        )

    async def async_step_partial(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Menu for one that is registered, but not on all servers: complete or delete it."""
        return self._menu("partial", "complete_it", "remove")

    async def async_step_stranded(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Menu for one that isn't registered, but is on enough other servers to complete it."""
        return self._menu("stranded", "complete_it", "remove")

    async def async_step_left_over(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Menu for one of which too little is left to complete it: delete it."""
        return self._menu("left_over", "remove")

    # Complete it

    async def async_step_complete_it(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Find out what must be asked to complete it, and show that step."""
        stack = self._coordinator.stack
        try:
            self._template = await self._partial.async_template(stack)
            if Server.NETWORK in self._partial.missing:
                versions = self._partial.end_device.version_ids
                band = versions.band_id if versions and self._template else None
                self._plans = await stack.configuration.frequency_plans(band)
        except StackError as err:
            return self._abort_refused(err)
        if self._template is None:
            return await self.async_step_version()
        return await self._async_ask()

    async def async_step_version(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask for its LoRaWAN version: its model isn't in the Device Repository."""
        if user_input is not None:
            activation = OTAA if self._partial.joins else ABP
            try:
                self._template = read_by_hand({**user_input, "activation": activation})
                return await self._async_ask()
            except Refusal as err:
                self._refused = err
        return self._form("version", by_hand_schema(activation=False), user_input)

    async def _async_ask(self) -> RepairsFlowResult:
        assert self._template is not None
        needed = REGISTER if keys_asked(self._partial, self._template) else CHANGE
        if rights := lacking(self._coordinator.rights, needed):
            return self._abort("missing_rights", rights=rights)
        if not self._schema().schema:
            return await self.async_step_confirm()
        return await (
            self.async_step_complete() if self._partial.joins else self.async_step_session()
        )

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask for a confirmation only, because nothing else is missing."""
        return await self._async_facts("confirm", user_input)

    async def async_step_complete(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Form for an end device that joins: ask for the data that the missing servers need."""
        return await self._async_facts("complete", user_input)

    async def async_step_session(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """The same form for an end device that doesn't join."""
        return await self._async_facts("session", user_input)

    async def _async_facts(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> RepairsFlowResult:
        if user_input is not None:
            self._typed = user_input
            self._refused = None
            try:
                self._completion = await self._async_read(user_input)
                return await self.async_step_work()
            except Refusal as err:
                self._refused = err
            except StackError as err:
                self._refused = self._refusal(err)
        return self._form(step_id, self._schema(), self._typed)

    async def _async_read(self, answers: Mapping[str, Any]) -> Completion:
        assert self._template is not None
        partial, coordinator = self._partial, self._coordinator
        address = None
        if asks_address(partial) and not answers.get("dev_addr", "").strip():
            address = await coordinator.stack.configuration.dev_addr()
        return read_completion(
            partial,
            self._template,
            answers,
            labels((plan.id, plan.name) for plan in self._plans),
            name=self._name_of(self._device_id),
            address=address,
        )

    def _schema(self) -> vol.Schema:
        assert self._template is not None
        plans = labels((plan.id, plan.name) for plan in self._plans)
        usual = usual_plan(self._plans, usual_band(self._coordinator.roster), plans)
        return completion_schema(self._partial, self._template, plans, usual)

    async def async_step_work(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Complete it in the background, and show the progress."""
        assert self._completion is not None
        if self._work is None:
            self._work = BackgroundWork(
                self.hass,
                self._entry,
                "complete",
                async_complete(self._coordinator, self._completion),
            )
        if not self._work.waiting.done():
            return self.async_show_progress(
                step_id="work",
                progress_action="complete",
                progress_task=self._work.waiting,
                description_placeholders=self._placeholders(),
            )
        work, self._work = self._work, None
        if work.interrupted:
            return self.async_show_progress_done(next_step_id="interrupted")
        try:
            complete = work.result().complete
        except StackError as err:
            self._refused = self._refusal(err)
            form = "complete" if self._partial.joins else "session"
            asked = bool(self._schema().schema)
            return self.async_show_progress_done(next_step_id=form if asked else "confirm")
        return self.async_show_progress_done(next_step_id="done" if complete else "still_partial")

    async def async_step_interrupted(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Abort: the application was unloaded meanwhile, and the changes were rolled back."""
        return self.async_abort(reason="not_loaded")

    async def async_step_still_partial(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Abort: a server still doesn't have it after completing."""
        return self._abort("still_partial")

    async def async_step_done(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Show the generated keys, which are stored nowhere in Home Assistant."""
        assert self._completion is not None
        if not self._completion.generated or user_input is not None:
            return self.async_create_entry(data={})
        facts = listed(self._completion.generated)
        return self.async_show_form(
            step_id="done",
            data_schema=vol.Schema({}),
            description_placeholders=self._placeholders() | {"facts": facts},
            last_step=True,
        )

    # Remove it

    async def async_step_remove(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Show what is lost; after a confirmation, delete it on all servers."""
        self._refused = None
        if user_input is not None:
            if not user_input[CONF_UNDERSTOOD]:
                self._refused = Refusal(CONF_UNDERSTOOD, "not_understood")
            else:
                try:
                    await async_delete(
                        self._coordinator, self._device_id, afterwards=after_deletion(user_input)
                    )
                except StackError as err:
                    self._refused = self._refusal(err)
                else:
                    return self.async_create_entry(data={})
        return self._form("remove", UNDERSTOOD_SCHEMA, user_input)

    # Forms

    def _placeholders(self) -> dict[str, str]:
        presence = self._coordinator.partial_devices.known.get(self._device_id)
        return {
            "device": escape_markdown(self._name_of(self._device_id)),
            "device_id": self._device_id,
            "missing": server_names(presence.missing if presence else ()) or "-",
        }

    def _menu(self, step_id: str, *options: str) -> RepairsFlowResult:
        return self.async_show_menu(
            step_id=step_id,
            menu_options=list(options),
            description_placeholders=self._placeholders(),
        )

    def _abort(self, key: str, /, **names: str) -> RepairsFlowResult:
        return self.async_abort(
            reason=key, description_placeholders={**self._placeholders(), **names}
        )

    def _abort_refused(self, error: StackError) -> RepairsFlowResult:
        refused = self._refusal(error)
        return self._abort(refused.key, **refused.placeholders)

    def _refusal(self, error: StackError) -> Refusal:
        return refusal(error, self._name_of)

    def _name_of(self, device_id: str) -> str:
        return self._coordinator.partial_devices.name_of(device_id)

    def _form(
        self, step_id: str, schema: vol.Schema, suggested: Mapping[str, Any] | None
    ) -> RepairsFlowResult:
        """Show a form with the previous answers, and the error if they were refused."""
        refused, self._refused = self._refused, None
        return form(self, step_id, schema, suggested, refused, placeholders=self._placeholders())

    @callback
    def async_remove(self) -> None:
        """Cancel the work when the dialogue is closed, which rolls it back."""
        if self._work is not None:
            self._work.cancel()
