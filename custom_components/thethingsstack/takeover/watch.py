"""The issue that another integration has entities of the same application."""

from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..issues import application_name, clear_issues, raise_issue
from .plan import plan_of
from .sources import SOURCES

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry

REPAIR: Final = "takeover"


@callback
def async_watch_takeover(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Offer to take entities over, for as long as the entry is loaded and there are any."""
    coordinator = entry.runtime_data
    prefix = f"takeover_{entry.entry_id}_"

    @callback
    def update() -> None:
        under_way = coordinator.takeover.under_way
        others = [under_way] if under_way is not None else coordinator.takeover.candidates
        wanted = [
            other for other in others if other is under_way or plan_of(coordinator, other).moves
        ]
        clear_issues(hass, prefix, keep=[other.entry_id for other in wanted])
        for other in wanted:
            _raise(hass, entry, prefix, other)

    entry.async_on_unload(coordinator.application_status.async_listen(update))
    update()


def _raise(hass: HomeAssistant, entry: TtsConfigEntry, prefix: str, other: ConfigEntry) -> None:
    raise_issue(
        hass,
        f"{prefix}{other.entry_id}",
        "takeover",
        {"application": application_name(entry), "integration": SOURCES[other.domain].name},
        repair={"entry_id": entry.entry_id, "repair": REPAIR, "other_entry_id": other.entry_id},
    )
