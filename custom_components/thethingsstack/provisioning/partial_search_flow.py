"""Look for end devices that only some servers have; what is found becomes repair issues."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import callback

from ..client import StackError
from ..dialogs.background import BackgroundWork
from ..dialogs.base import ApplicationOptionsFlow
from .partial_repair import named

REPAIRS_PAGE = "/config/repairs"


class PartialSearchFlow(ApplicationOptionsFlow):
    """Looks at all that were never heard, one a second, and tells what was found."""

    _looking: BackgroundWork[int] | None = None
    _looked_at: int = 0
    _unlooked: StackError | None = None

    async def async_step_halves(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Look, and show how far that is."""
        if self._looking is None:
            halves = self._coordinator.partial_devices
            self._looking = BackgroundWork(
                self.hass,
                self.config_entry,
                "half created",
                halves.async_look_at_all(self.async_update_progress),
            )
        if not self._looking.waiting.done():
            return self.async_show_progress(
                step_id="halves",
                progress_action="halves",
                progress_task=self._looking.waiting,
            )
        looking, self._looking = self._looking, None
        if looking.interrupted:
            return self.async_show_progress_done(next_step_id="halves_interrupted")
        try:
            self._looked_at = looking.result()
        except StackError as err:
            self._unlooked = err
        return self.async_show_progress_done(next_step_id="halves_found")

    async def async_step_halves_found(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Tell what was found."""
        if self._unlooked is not None:
            told = {"reason": str(self._unlooked)}
            return self.async_abort(reason="halves_refused", description_placeholders=told)
        halves = self._coordinator.partial_devices
        if not halves.known:
            told = {"count": str(self._looked_at)}
            return self.async_abort(reason="no_halves", description_placeholders=told)
        lines = [
            f"- **{halves.name_of(device_id)}** (`{device_id}`): {named(presence.missing)}"
            for device_id, presence in halves.known.items()
        ]
        return self.async_abort(
            reason="halves_found",
            description_placeholders={"devices": "\n".join(sorted(lines)), "page": REPAIRS_PAGE},
        )

    async def async_step_halves_interrupted(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """The application was unloaded meanwhile."""
        return self.async_abort(reason="not_loaded")

    @callback
    def async_remove(self) -> None:
        """The dialogue is closed: nobody waits for the rest."""
        super().async_remove()
        if self._looking is not None:
            self._looking.cancel()
