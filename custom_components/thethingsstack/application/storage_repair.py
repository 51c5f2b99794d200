"""The repair that switches the Storage Integration on."""

from typing import TYPE_CHECKING

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
import voluptuous as vol

from ..client import StackError
from ..dialogs import form, running
from ..issues import application_name, escape_markdown
from .refusals import BASE, Refusal, error_text

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry


class StorageRepairFlow(RepairsFlow):
    """What it does → done."""

    def __init__(self, entry: TtsConfigEntry, missed: str) -> None:
        """Keep the application; `missed` is what the issue lists."""
        self._entry = entry
        self._missed = missed

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say what is going to happen."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Switch it on; a refusal is shown, and can be tried again."""
        coordinator, refused = running(self._entry), None
        if user_input is not None:
            try:
                await coordinator.stack.storage_integration.enable()
            except StackError as err:
                refused = Refusal(BASE, "refused", reason=error_text(err))
            else:
                coordinator.catch_up.look_again()
                return self.async_create_entry(data={})
        return form(
            self,
            "confirm",
            vol.Schema({}),
            None,
            refused,
            placeholders={
                "application": escape_markdown(application_name(self._entry)),
                "missed": escape_markdown(self._missed),
            },
        )
