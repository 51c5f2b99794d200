"""The issue that uplinks were missed which The Things Stack could have kept."""

from typing import TYPE_CHECKING

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from ..client.rights import SETTINGS_PACKAGES, console_names
from ..const import DOMAIN
from .report import application_name, clear_issue, listed, raise_issue

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry

REPAIR = "storage"
TIME = "%Y-%m-%d %H:%M"


@callback
def async_watch_storage(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Offer to switch the Storage Integration on when uplinks were missed without it.

    The issue is raised once; where the user ignores it, it doesn't come back, also after a reload.
    """
    coordinator = entry.runtime_data
    issue_id = f"storage_off_{entry.entry_id}"

    @callback
    def update() -> None:
        catch_up = coordinator.catch_up
        if catch_up.kept or catch_up.storage is False:
            clear_issue(hass, issue_id)
            coordinator.store.storage_offer_ignored = False
        elif (
            catch_up.storage
            and catch_up.kept is False
            and not coordinator.store.storage_offer_ignored
            and any(item.uplinks for item in coordinator.store.interruptions)
        ):
            _raise(hass, entry, issue_id)

    @callback
    def concerns_us(data: ir.EventIssueRegistryUpdatedData) -> bool:
        return data["domain"] == DOMAIN and data["issue_id"] == issue_id

    @callback
    def ignored(_event: Event[ir.EventIssueRegistryUpdatedData]) -> None:
        issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
        if issue is None or not issue.active:
            return
        ignores = issue.dismissed_version is not None
        if ignores is not coordinator.store.storage_offer_ignored:
            coordinator.store.storage_offer_ignored = ignores
            coordinator.store.save_soon()

    entry.async_on_unload(coordinator.application_status.async_listen(update))
    entry.async_on_unload(
        hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, ignored, concerns_us)
    )


def _raise(hass: HomeAssistant, entry: TtsConfigEntry, issue_id: str) -> None:
    coordinator = entry.runtime_data
    newest = next(item for item in coordinator.store.interruptions if item.uplinks)
    states = coordinator.roster.states
    counts = newest.end_devices
    missed = sorted(f"{states[key].name}: {counts[key]}" for key in counts if key in states)
    shown = listed(missed)
    may = SETTINGS_PACKAGES in coordinator.rights
    raise_issue(
        hass,
        issue_id,
        "storage_off" if may else "storage_off_no_right",
        {
            "application": application_name(entry),
            "since": dt_util.as_local(newest.since).strftime(TIME),
            "until": dt_util.as_local(newest.until).strftime(TIME),
            "missed": shown,
            "right": console_names([SETTINGS_PACKAGES]),
        },
        repair={"entry_id": entry.entry_id, "repair": REPAIR, "missed": shown} if may else None,
    )
