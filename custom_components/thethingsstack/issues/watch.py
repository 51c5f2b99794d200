"""Issues that depend on a running application's state."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..application import server_names
from ..client import FEATURES
from ..client.rights import TRAFFIC_READ, console_names
from ..const import OVERDUE_ATTRIBUTE
from .entity_limit import async_watch_entity_limit
from .fair_use import async_watch_fair_use
from .key import async_watch_key
from .report import (
    application_name,
    clear_issues,
    clear_issues_of_entry,
    listed,
    raise_issue,
    update_issue,
)
from .storage import async_watch_storage

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry
    from ..end_devices import EndDeviceState


@callback
def async_watch_issues(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Raise and clear the issues of an application, for as long as its entry is loaded."""
    entry.async_on_unload(lambda: clear_issues_of_entry(hass, entry.entry_id))
    _watch_undecoded(hass, entry)
    _watch_connection(hass, entry)
    _watch_partial_devices(hass, entry)
    _watch_overdue_numbers(hass, entry)
    async_watch_fair_use(hass, entry)
    async_watch_entity_limit(hass, entry)
    async_watch_storage(hass, entry)
    async_watch_key(hass, entry)


# Uplinks that no formatter decodes


@callback
def _watch_undecoded(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Keep the issues about uplinks that no payload formatter decodes up to date."""

    @callback
    def update() -> None:
        by_model = _undecoded_by_model(entry)
        prefix = f"undecoded_{entry.entry_id}_"
        clear_issues(hass, prefix, keep=by_model)
        for model, devices in by_model.items():
            _raise_undecoded(hass, entry, prefix + model, model, devices)

    entry.async_on_unload(
        async_dispatcher_connect(hass, entry.runtime_data.signals.undecoded_changed, update)
    )


def undecoded_devices(entry: TtsConfigEntry, model: str) -> list[EndDeviceState]:
    """Return the end devices of a model whose uplinks aren't decoded; [] while not connected."""
    if entry.state is not ConfigEntryState.LOADED:
        return []
    return _undecoded_by_model(entry).get(model, [])


def _undecoded_by_model(entry: TtsConfigEntry) -> dict[str, list[EndDeviceState]]:
    by_model: dict[str, list[EndDeviceState]] = {}
    for device in entry.runtime_data.roster.states.values():
        if device.needs_formatter:
            by_model.setdefault(_model(device), []).append(device)
    return by_model


def _model(device: EndDeviceState) -> str:
    versions = device.version_ids
    return f"{versions.brand_id} {versions.model_id}" if versions and versions.model_id else ""


@callback
def _raise_undecoded(
    hass: HomeAssistant,
    entry: TtsConfigEntry,
    issue_id: str,
    model: str,
    devices: Sequence[EndDeviceState],
) -> None:
    names = sorted(device.name for device in devices)
    own = entry.runtime_data.stack.capabilities.device_formatters
    raise_issue(
        hass,
        issue_id,
        "undecoded" if own else "undecoded_in_application",
        {
            "application": application_name(entry),
            "devices": listed(names),
            "subject": model or ", ".join(names[:2]) + (" …" if len(names) > 2 else ""),
        },
        repair={"entry_id": entry.entry_id, "model": model} if own else None,
    )


# The connection and the rights


@callback
def _watch_connection(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Keep the issues about the connection and the key's rights up to date."""

    @callback
    def update() -> None:
        _update_stream_lost(hass, entry)
        _update_missing_right(hass, entry)
        _update_lost_rights(hass, entry)

    entry.async_on_unload(entry.runtime_data.application_status.async_listen(update))


@callback
def _update_stream_lost(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    state = entry.runtime_data.connection_state
    update_issue(
        hass,
        f"stream_lost_{entry.entry_id}",
        "stream_lost",
        {"application": application_name(entry), "error": str(state.lost_because)}
        if not state.available
        else None,
        severity=ir.IssueSeverity.ERROR,
    )


@callback
def _update_missing_right(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Update the issue that the key may no longer read uplinks."""
    update_issue(
        hass,
        f"missing_right_{entry.entry_id}",
        "missing_right",
        {"application": application_name(entry), "right": console_names([TRAFFIC_READ])}
        if not entry.runtime_data.connection_state.readable
        else None,
        severity=ir.IssueSeverity.ERROR,
    )


@callback
def _update_lost_rights(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Update the issue about lost rights; the right to read uplinks has its own issue."""
    lost_rights = entry.runtime_data.connection_state.lost_rights
    lost = [
        right
        for rights in FEATURES.values()
        for right in rights
        if right in lost_rights and right != TRAFFIC_READ
    ]
    update_issue(
        hass,
        f"rights_lost_{entry.entry_id}",
        "rights_lost",
        {"application": application_name(entry), "rights": console_names(lost)} if lost else None,
    )


# End devices


@callback
def _watch_partial_devices(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Raise an issue for each end device that is registered only on some of the servers."""
    coordinator = entry.runtime_data
    partial_devices, prefix = coordinator.partial_devices, f"half_created_{entry.entry_id}_"

    @callback
    def update() -> None:
        clear_issues(hass, prefix, keep=partial_devices.known)
        for device_id, presence in partial_devices.known.items():
            raise_issue(
                hass,
                prefix + device_id,
                "half_created",
                {
                    "application": application_name(entry),
                    "device": partial_devices.name_of(device_id),
                    "missing": server_names(presence.missing),
                },
                repair={"entry_id": entry.entry_id, "device_id": device_id},
            )

    for signal in (coordinator.signals.half_created, coordinator.signals.undecoded_changed):
        entry.async_on_unload(async_dispatcher_connect(hass, signal, update))


@callback
def _watch_overdue_numbers(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Name the end devices whose attribute for overdue is no text that counts."""
    coordinator = entry.runtime_data

    @callback
    def update() -> None:
        wrong = [
            f"{device.name}: {device.overdue_number.text}"
            for device in coordinator.roster.states.values()
            if device.overdue_number is not None and device.overdue_number.after is None
        ]
        update_issue(
            hass,
            f"overdue_number_{entry.entry_id}",
            "overdue_number",
            {
                "application": application_name(entry),
                "attribute": OVERDUE_ATTRIBUTE,
                "devices": listed(sorted(wrong)),
            }
            if wrong
            else None,
        )

    # Sent after each change of a registration, too.
    changed = coordinator.signals.undecoded_changed
    entry.async_on_unload(async_dispatcher_connect(hass, changed, update))
    update()
