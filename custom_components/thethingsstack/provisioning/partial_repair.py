"""The repair of an end device that only some servers have: complete it, or remove the rest."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import callback
import voluptuous as vol

from ..client import (
    DeviceTemplate,
    FrequencyPlan,
    NotFound,
    PartlyDeleted,
    Presence,
    Server,
    StackError,
)
from ..coordinator import ApplicationCoordinator, TtsConfigEntry
from ..dialogs.background import BackgroundWork
from ..dialogs.base import form, running
from ..end_devices.cleanup import deleted
from .delete_flow import CONF_ALSO_HERE, CONF_UNDERSTOOD, UNDERSTOOD_SCHEMA
from .errors import REGISTER, REMOVE, Refusal, lacking, refusal
from .partial_completion import (
    Completion,
    Half,
    asks_address,
    async_complete,
    completion_schema,
    keys_asked,
    read_completion,
)
from .register import usual_band
from .register_form import ABP, OTAA, by_hand_schema, labels, read_by_hand, usual_plan


def named(servers: tuple[Server, ...]) -> str:
    """Return servers as their makers call them."""
    return ", ".join(f"{server.capitalize()} Server" for server in servers)


class HalfRepairFlow(RepairsFlow):
    """What is missing → what that needs → written, and looked at again; or removed."""

    def __init__(self, entry: TtsConfigEntry, device_id: str) -> None:
        """Take the end device that is to be mended."""
        self._entry = entry
        self._device_id = device_id
        self._half: Half
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
        """Look at it anew, and offer what can be done."""
        if rights := lacking(self._coordinator.rights, REMOVE):
            return self._abort("missing_rights", rights=rights)
        try:
            presence = await self._coordinator.partial_devices.async_look(self._device_id)
            if presence.complete:
                return self._abort("whole")
            if not presence.identity and not presence.stranded:
                return self._abort("gone")
            self._half = await Half.async_read(self._coordinator.stack, self._device_id, presence)
        except StackError as err:
            return self._refuse(err)
        if not self._half.completable:
            return await self.async_step_left_over()
        return await (self.async_step_half() if presence.identity else self.async_step_stranded())

    async def async_step_half(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """It is registered, but not on all servers."""
        return self._menu("half", "mend", "remove")

    async def async_step_stranded(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """It is not registered, but other servers have all that it needs."""
        return self._menu("stranded", "mend", "remove")

    async def async_step_left_over(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Too little is left of it."""
        return self._menu("left_over", "remove")

    # Complete it

    async def async_step_mend(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Find out what must be asked."""
        stack = self._coordinator.stack
        try:
            self._template = await self._half.async_template(stack)
            if Server.NETWORK in self._half.missing:
                versions = self._half.end_device.version_ids
                band = versions.band_id if versions and self._template else None
                self._plans = await stack.configuration.frequency_plans(band)
        except StackError as err:
            return self._refuse(err)
        if self._template is None:
            return await self.async_step_version()
        return await self._async_ask()

    async def async_step_version(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask how the device speaks LoRaWAN: no repository knows its model."""
        if user_input is not None:
            activation = OTAA if self._half.joins else ABP
            try:
                self._template = read_by_hand({**user_input, "activation": activation})
                return await self._async_ask()
            except Refusal as err:
                self._refused = err
        return self._form("version", by_hand_schema(activation=False), user_input)

    async def _async_ask(self) -> RepairsFlowResult:
        assert self._template is not None
        needed = REGISTER if keys_asked(self._half, self._template) else REMOVE
        if rights := lacking(self._coordinator.rights, needed):
            return self._abort("missing_rights", rights=rights)
        if not self._schema().schema:
            return await self.async_step_confirm()
        return await (self.async_step_complete() if self._half.joins else self.async_step_session())

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Nothing more has to be known."""
        return await self._async_facts("confirm", user_input)

    async def async_step_complete(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask for what the missing servers need of a device that joins."""
        return await self._async_facts("complete", user_input)

    async def async_step_session(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask for what the missing servers need of a device that doesn't join."""
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
                self._refused = refusal(err, self._coordinator.partial_devices.name_of)
        return self._form(step_id, self._schema(), self._typed)

    async def _async_read(self, answers: Mapping[str, Any]) -> Completion:
        assert self._template is not None
        half, coordinator = self._half, self._coordinator
        address = None
        if asks_address(half) and not answers.get("dev_addr", "").strip():
            address = await coordinator.stack.configuration.dev_addr()
        return read_completion(
            half,
            self._template,
            answers,
            labels((plan.id, plan.name) for plan in self._plans),
            name=coordinator.partial_devices.name_of(self._device_id),
            address=address,
        )

    def _schema(self) -> vol.Schema:
        assert self._template is not None
        plans = labels((plan.id, plan.name) for plan in self._plans)
        usual = usual_plan(self._plans, usual_band(self._coordinator.roster), plans)
        return completion_schema(self._half, self._template, plans, usual)

    async def async_step_work(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Write it in a task of its own: Home Assistant ends the one that it is given."""
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
                description_placeholders=self._told(),
            )
        work, self._work = self._work, None
        if work.interrupted:
            return self.async_show_progress_done(next_step_id="interrupted")
        try:
            complete = work.result().complete
        except StackError as err:
            self._refused = refusal(err, self._coordinator.partial_devices.name_of)
            form = "complete" if self._half.joins else "session"
            asked = bool(self._schema().schema)
            return self.async_show_progress_done(next_step_id=form if asked else "confirm")
        return self.async_show_progress_done(next_step_id="done" if complete else "still_half")

    async def async_step_interrupted(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """The application was unloaded meanwhile; what had been done is undone."""
        return self.async_abort(reason="not_loaded")

    async def async_step_still_half(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Another part got lost meanwhile."""
        return self._abort("still_half")

    async def async_step_done(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """It is complete; what was made up is shown now or never."""
        assert self._completion is not None
        if not self._completion.made or user_input is not None:
            return self.async_create_entry(data={})
        facts = "\n".join(f"- {name}: `{value}`" for name, value in self._completion.made.items())
        return self.async_show_form(
            step_id="done",
            data_schema=vol.Schema({}),
            description_placeholders=self._told() | {"facts": facts},
            last_step=True,
        )

    # Remove it

    async def async_step_remove(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Tell what is lost, and delete what is left on all servers."""
        self._refused = None
        if user_input is not None:
            if not user_input[CONF_UNDERSTOOD]:
                self._refused = Refusal(CONF_UNDERSTOOD, "not_understood")
            else:
                self._refused = await self._async_delete()
            if self._refused is None:
                also_here = user_input[CONF_ALSO_HERE]
                deleted(self.hass, self._entry, self._device_id, also_here=also_here)
                return self.async_create_entry(data={})
        return self._form("remove", UNDERSTOOD_SCHEMA, user_input)

    async def _async_delete(self) -> Refusal | None:
        coordinator = self._coordinator
        try:
            await coordinator.stack.end_devices.delete(self._device_id)
        except NotFound:
            return None  # somebody was faster
        except PartlyDeleted as err:
            coordinator.partial_devices.left(self._device_id, err.left_on)
            return Refusal(
                "base",
                "partly_deleted",
                servers=named(err.left_on),
                reason=err.attributes.get("reason"),
            )
        except StackError as err:
            return refusal(err, coordinator.partial_devices.name_of)
        return None

    # Forms

    def _told(self) -> dict[str, str]:
        missing = self._coordinator.partial_devices.known.get(self._device_id)
        return {
            "device": self._coordinator.partial_devices.name_of(self._device_id),
            "device_id": self._device_id,
            "missing": named(missing.missing if missing else ()) or "-",
        }

    def _menu(self, step_id: str, *options: str) -> RepairsFlowResult:
        return self.async_show_menu(
            step_id=step_id, menu_options=list(options), description_placeholders=self._told()
        )

    def _abort(self, key: str, /, **told: str) -> RepairsFlowResult:
        return self.async_abort(reason=key, description_placeholders={**self._told(), **told})

    def _refuse(self, error: StackError) -> RepairsFlowResult:
        told = refusal(error, self._coordinator.partial_devices.name_of)
        return self._abort(told.key, **told.placeholders)

    def _form(
        self, step_id: str, schema: vol.Schema, suggested: Mapping[str, Any] | None
    ) -> RepairsFlowResult:
        """Show a form with what was typed, and why it was refused."""
        refused, self._refused = self._refused, None
        return form(self, step_id, schema, suggested, refused, told=self._told())

    @callback
    def async_remove(self) -> None:
        """The dialogue is closed: what is under way is undone."""
        if self._work is not None:
            self._work.cancel()
