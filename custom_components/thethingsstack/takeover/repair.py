"""The dialogue that takes entities over: what will move, and what becomes of the rest."""

import logging
from typing import TYPE_CHECKING

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntry
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.exceptions import HomeAssistantError
import voluptuous as vol

from ..dialogs import form, running
from ..issues import escape_markdown
from .plan import described, plan_of
from .sources import SOURCES, OldEntity

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry

_LOGGER = logging.getLogger(__name__)

NOTHING = "–"  # noqa: RUF001


class TakeoverRepairFlow(RepairsFlow):
    """What will move → done; or, while it waits for fields: end it, or take all back."""

    def __init__(self, entry: TtsConfigEntry, other_entry_id: str) -> None:
        """Keep the application, and the entry of the other integration."""
        self._entry = entry
        self._other_entry_id = other_entry_id

    @property
    def _other(self) -> ConfigEntry:
        other = self.hass.config_entries.async_get_entry(self._other_entry_id)
        if other is None:
            raise AbortFlow("already_removed")
        return other

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Show what will move, or, if that was done, what is waited for."""
        if running(self._entry).takeover.under_way is not None:
            return await self.async_step_waiting()
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show what becomes of each entity; then move them."""
        coordinator = running(self._entry)
        if user_input is not None:
            try:
                await coordinator.takeover.async_take_over(self._other)
            except (HomeAssistantError, RuntimeError, ValueError) as err:
                _LOGGER.warning("%s: nothing was taken over: %s", self._entry.title, err)
                return self.async_abort(reason="failed")
            return self.async_create_entry(data={})
        return form(self, "confirm", vol.Schema({}), None, None, placeholders=self._placeholders())

    async def async_step_waiting(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show what is waited for, and let the user end that."""
        return self.async_show_menu(
            step_id="waiting",
            menu_options=["finish", "take_back"],
            description_placeholders=self._placeholders(),
        )

    async def async_step_finish(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Remove the other entry with what is left of it."""
        await running(self._entry).takeover.async_finish()
        return self.async_create_entry(data={})

    async def async_step_take_back(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Give all back to the other integration."""
        await running(self._entry).takeover.async_take_back()
        return self.async_create_entry(data={})

    def _placeholders(self) -> dict[str, str]:
        coordinator, other = running(self._entry), self._other
        plan = plan_of(coordinator, other)
        kinds = {id(move): str(move.device.decisions[move.path].kind) for move in plan.other_kind}
        return {
            "integration": SOURCES[other.domain].name,
            "application": escape_markdown(self._entry.title),
            "moves": _lines(
                [f"`{old}` → {escape_markdown(new)}" for old, new in described(plan.moves)]
            ),
            "other_kind": _lines(
                [
                    f"`{old}` → {escape_markdown(new)} (`{kinds[id(move)]}`)"
                    for move, (old, new) in zip(
                        plan.other_kind, described(plan.other_kind), strict=True
                    )
                ]
            ),
            "waiting": _lines(_entity_ids(plan.waiting)),
            "unknown": _lines(_entity_ids(plan.unknown)),
        }


def _entity_ids(entities: list[OldEntity]) -> list[str]:
    return [f"`{old.entry.entity_id}`" for old in entities]


def _lines(texts: list[str]) -> str:
    return "\n".join(f"- {text}" for text in sorted(texts)) or NOTHING
