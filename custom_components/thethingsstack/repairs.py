"""Repair issues: what the user can mend, one issue per cause, gone when it is mended."""

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .application.refusals import server_names
from .client import FEATURES, NETWORKS
from .client.rights import TRAFFIC_READ, console_names
from .const import CONF_NETWORK, DOMAIN, DOWNLINK_LIMIT, ENTITY_LIMIT, ENTITY_LIMIT_WARNING
from .coordinator import TtsConfigEntry
from .end_devices.state import EndDeviceState
from .formatters.repair import FormatterRepairFlow
from .issues.key import listed
from .issues.report import application_name, raise_issue, take_back
from .provisioning.partial_repair import PartialRepairFlow


@callback
def async_watch(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Follow which end devices send what no formatter decodes, for as long as the entry runs."""
    coordinator = entry.runtime_data

    @callback
    def update() -> None:
        by_model = _undecodable(entry)
        prefix = f"undecoded_{entry.entry_id}_"
        take_back(hass, prefix, by_model)
        for model, devices in by_model.items():
            _tell_undecoded(hass, entry, prefix + model, model, devices)

    @callback
    def forget() -> None:
        for domain, issue_id in list(ir.async_get(hass).issues):
            if domain == DOMAIN and entry.entry_id in issue_id:
                ir.async_delete_issue(hass, DOMAIN, issue_id)

    @callback
    def stream_changed() -> None:
        _tell_of_stream(hass, entry)
        _tell_lost_rights(hass, entry)

    entry.async_on_unload(
        async_dispatcher_connect(hass, coordinator.signals.undecoded_changed, update)
    )
    entry.async_on_unload(coordinator.application_status.async_listen(stream_changed))
    entry.async_on_unload(forget)
    _watch_half_created(hass, entry)
    _watch_downlinks(hass, entry)
    _warn_of_limit(hass, entry)


@callback
def _tell_of_stream(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Tell where no messages come: the connection is lost, or the key may not read them."""
    link = entry.runtime_data.connection_state
    raise_issue(
        hass,
        f"stream_lost_{entry.entry_id}",
        "stream_lost",
        {"application": application_name(entry), "error": str(link.lost_because)}
        if not link.available
        else None,
        severity=ir.IssueSeverity.ERROR,
    )
    raise_issue(
        hass,
        f"missing_right_{entry.entry_id}",
        "missing_right",
        {"application": application_name(entry), "right": console_names([TRAFFIC_READ])}
        if not link.readable
        else None,
        severity=ir.IssueSeverity.ERROR,
    )


@callback
def _watch_half_created(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Tell of each end device that only some servers have."""
    coordinator = entry.runtime_data
    halves, prefix = coordinator.partial_devices, f"half_created_{entry.entry_id}_"

    @callback
    def update() -> None:
        take_back(hass, prefix, halves.known)
        for device_id, presence in halves.known.items():
            raise_issue(
                hass,
                prefix + device_id,
                "half_created",
                {
                    "application": application_name(entry),
                    "device": halves.name_of(device_id),
                    "missing": server_names(presence.missing),
                },
                mend={"entry_id": entry.entry_id, "device_id": device_id},
            )

    for signal in (coordinator.signals.half_created, coordinator.signals.undecoded_changed):
        entry.async_on_unload(async_dispatcher_connect(hass, signal, update))


@callback
def _tell_lost_rights(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Name the rights that were taken away, but that to read, which has an issue of its own."""
    lost = [
        right
        for rights in FEATURES.values()
        for right in rights
        if right in entry.runtime_data.connection_state.lost_rights and right != TRAFFIC_READ
    ]
    raise_issue(
        hass,
        f"rights_lost_{entry.entry_id}",
        "rights_lost",
        {"application": application_name(entry), "rights": console_names(lost)} if lost else None,
    )


@callback
def _watch_downlinks(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Tell on the public network of devices that are sent more than it allows."""
    if entry.data[CONF_NETWORK] not in NETWORKS:
        return
    coordinator = entry.runtime_data
    issue_id = f"downlink_limit_{entry.entry_id}"

    @callback
    def update() -> None:
        counts = {
            device.name: device.downlink.in_24_hours
            for device in coordinator.roster.states.values()
            if device.downlink.in_24_hours > DOWNLINK_LIMIT
        }
        raise_issue(
            hass,
            issue_id,
            "downlink_limit",
            {
                "application": application_name(entry),
                "devices": listed([f"{name}: {counts[name]}" for name in sorted(counts)]),
                "limit": str(DOWNLINK_LIMIT),
            }
            if counts
            else None,
        )

    changed = coordinator.downlinks.news.count_changed
    entry.async_on_unload(async_dispatcher_connect(hass, changed, update))
    update()


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the dialogue that mends an issue."""
    assert data is not None
    entry: TtsConfigEntry = hass.config_entries.async_get_known_entry(str(data["entry_id"]))
    if "device_id" in data:
        return PartialRepairFlow(entry, str(data["device_id"]))
    devices = []
    if entry.state is ConfigEntryState.LOADED:
        devices = _undecodable(entry).get(str(data["model"]), [])
    return FormatterRepairFlow(entry, devices)


def _undecodable(entry: TtsConfigEntry) -> dict[str, list[EndDeviceState]]:
    """Return by model the end devices whose uplinks aren't decoded."""
    by_model: dict[str, list[EndDeviceState]] = {}
    for device in entry.runtime_data.roster.states.values():
        if device.undecodable:
            by_model.setdefault(_model(device), []).append(device)
    return by_model


@callback
def _tell_undecoded(
    hass: HomeAssistant,
    entry: TtsConfigEntry,
    issue_id: str,
    model: str,
    devices: list[EndDeviceState],
) -> None:
    names = sorted(device.name for device in devices)
    raise_issue(
        hass,
        issue_id,
        "undecoded",
        {
            "application": application_name(entry),
            "devices": listed(names),
            "subject": model or ", ".join(names[:2]) + (" …" if len(names) > 2 else ""),
        },
        mend={"entry_id": entry.entry_id, "model": model},
    )


@callback
def _warn_of_limit(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Tell in time that Home Assistant will silently leave out further entities."""
    enabled = sum(
        entity.disabled_by is None
        for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    )
    if enabled > ENTITY_LIMIT_WARNING:
        raise_issue(
            hass,
            f"too_many_entities_{entry.entry_id}",
            "too_many_entities",
            {
                "application": application_name(entry),
                "count": str(enabled),
                "limit": str(ENTITY_LIMIT),
            },
        )


def _model(device: EndDeviceState) -> str:
    versions = device.version_ids
    return f"{versions.brand_id} {versions.model_id}" if versions and versions.model_id else ""
