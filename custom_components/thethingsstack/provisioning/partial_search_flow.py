"""Dialogue that searches for half created end devices; each one found gets a repair issue."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import callback

from ..application import error_text, server_names
from ..client import StackError
from ..dialogs import ApplicationOptionsFlow, BackgroundWork
from ..issues import escape_markdown

REPAIRS_PAGE = "/config/repairs"


class PartialSearchFlow(ApplicationOptionsFlow):
    """Checks all end devices that never sent anything, one per second, and shows the result."""

    _search: BackgroundWork[int] | None = None
    _looked_at: int = 0
    _search_error: StackError | None = None

    async def async_step_partial_devices(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Search in the background, and show the progress."""
        if self._search is None:
            partial_devices = self._coordinator.partial_devices
            self._search = BackgroundWork(
                self.hass,
                self.config_entry,
                "partial devices",
                partial_devices.async_look_at_all(self.async_update_progress),
            )
        if not self._search.waiting.done():
            return self.async_show_progress(
                step_id="partial_devices",
                progress_action="partial_devices",
                progress_task=self._search.waiting,
            )
        search, self._search = self._search, None
        if search.interrupted:
            return self.async_show_progress_done(next_step_id="partial_interrupted")
        try:
            self._looked_at = search.result()
        except StackError as err:
            self._search_error = err
        return self.async_show_progress_done(next_step_id="partial_found")

    async def async_step_partial_found(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what was found."""
        if self._search_error is not None:
            return self.async_abort(
                reason="partial_refused",
                description_placeholders={"reason": error_text(self._search_error)},
            )
        partial_devices = self._coordinator.partial_devices
        if not partial_devices.known:
            return self.async_abort(
                reason="no_partial", description_placeholders={"count": str(self._looked_at)}
            )
        lines = [
            f"- **{escape_markdown(partial_devices.name_of(device_id))}** (`{device_id}`): "
            f"{server_names(presence.missing)}"
            for device_id, presence in partial_devices.known.items()
        ]
        return self.async_abort(
            reason="partial_found",
            description_placeholders={"devices": "\n".join(sorted(lines)), "page": REPAIRS_PAGE},
        )

    async def async_step_partial_interrupted(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Abort: the application was unloaded meanwhile."""
        return self.async_abort(reason="not_loaded")

    @callback
    def async_remove(self) -> None:
        """Stop the search when the dialogue is closed."""
        super().async_remove()
        if self._search is not None:
            self._search.cancel()
