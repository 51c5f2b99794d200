"""Repair issues that suggest the controls of a known model for end devices that have none yet."""

from collections.abc import Mapping
import logging
from typing import TYPE_CHECKING

from homeassistant.const import Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..client.rights import TRAFFIC_DOWN_WRITE
from ..const import DOMAIN
from ..issues import application_name, clear_issues, raise_issue
from .preset import Preset, async_presets, presets_of

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator, TtsConfigEntry
    from ..end_devices import EndDeviceState

REPAIR = "preset"
SUGGESTED = frozenset(
    {
        Platform.CLIMATE,
        Platform.COVER,
        Platform.LIGHT,
        Platform.LOCK,
        Platform.SIREN,
        Platform.SWITCH,
        Platform.VALVE,
    }
)
"""A preset of mere settings, such as a sensor's reporting interval, is no reason to suggest it."""
ISSUES = {Platform.CLIMATE: "preset_climate", Platform.VALVE: "preset_valve"}
NAMED = 3
PAUSE = 0.5
"""Seconds in which changes are gathered."""

_LOGGER = logging.getLogger(__name__)


@callback
def async_watch_presets(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Suggest presets for as long as the entry is loaded; what the user ignores stays away."""
    coordinator = entry.runtime_data
    prefix = _issue_prefix(entry)
    presets: dict[str, Preset] = {}

    @callback
    def update() -> None:
        ignored = coordinator.store.ignored_presets
        found = without_controls(entry, presets)
        clear_issues(hass, prefix, keep=found.keys() | ignored)
        for preset_id in found.keys() - ignored:
            _raise(hass, entry, presets[preset_id], found[preset_id])

    # Many end devices may change in one moment, and all of them are looked at.
    soon = Debouncer(hass, _LOGGER, cooldown=PAUSE, immediate=False, function=update)

    @callback
    def on_device(device: EndDeviceState, *_: object) -> None:
        if presets_of(device.version_ids, presets):
            soon.async_schedule_call()

    async def async_entry_updated(_hass: HomeAssistant, _entry: TtsConfigEntry) -> None:
        update()

    async def async_start() -> None:
        presets.update(await async_presets(hass))
        update()

    @callback
    def on_ignored(event: Event[ir.EventIssueRegistryUpdatedData]) -> None:
        issue = ir.async_get(hass).async_get_issue(DOMAIN, event.data["issue_id"])
        if issue is None or not issue.active:
            return
        preset_id = event.data["issue_id"].removeprefix(prefix)
        changed = set(coordinator.store.ignored_presets)
        if issue.dismissed_version is not None:
            changed.add(preset_id)
        else:
            changed.discard(preset_id)
        if changed != coordinator.store.ignored_presets:
            coordinator.store.ignored_presets = changed
            coordinator.store.save_soon()

    @callback
    def concerns_us(data: ir.EventIssueRegistryUpdatedData) -> bool:
        return data["domain"] == DOMAIN and data["issue_id"].startswith(prefix)

    signals = coordinator.signals
    for unsubscribe in (
        async_dispatcher_connect(hass, signals.new_fields, on_device),
        async_dispatcher_connect(hass, signals.identified, on_device),
        async_dispatcher_connect(hass, signals.undecoded_changed, soon.async_schedule_call),
        soon.async_shutdown,
        entry.add_update_listener(async_entry_updated),
        hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, on_ignored, concerns_us),
    ):
        entry.async_on_unload(unsubscribe)
    entry.async_create_background_task(hass, async_start(), f"{DOMAIN} presets")


def without_controls(
    entry: TtsConfigEntry, presets: Mapping[str, Preset]
) -> dict[str, list[EndDeviceState]]:
    """Return the end devices that have fields but no controls, by the preset of their model.

    Empty where the key may not send downlinks. A model with several presets is left out.
    """
    coordinator: ApplicationCoordinator = entry.runtime_data
    if TRAFFIC_DOWN_WRITE not in coordinator.rights:
        return {}
    found: dict[str, list[EndDeviceState]] = {}
    for device in coordinator.roster.states.values():
        fitting = presets_of(device.version_ids, presets)
        if len(fitting) != 1 or not device.decisions or device.vanished or device.disabled:
            continue
        if _kinds(fitting[0]) & SUGGESTED and not coordinator.controls.of_device(device.key):
            found.setdefault(fitting[0].id, []).append(device)
    return found


def _kinds(preset: Preset) -> set[Platform]:
    return {Platform(control["platform"]) for control in preset.controls}


def _issue_prefix(entry: TtsConfigEntry) -> str:
    return f"preset_{entry.entry_id}_"


@callback
def _raise(
    hass: HomeAssistant, entry: TtsConfigEntry, preset: Preset, devices: list[EndDeviceState]
) -> None:
    names = sorted((device.name for device in devices), key=str.casefold)
    shown = ", ".join(names[:NAMED])
    if len(names) > NAMED:
        shown += f" … ({len(names)})"
    kinds = _kinds(preset)
    raise_issue(
        hass,
        _issue_prefix(entry) + preset.id,
        next((key for kind, key in ISSUES.items() if kind in kinds), "preset_other"),
        {"devices": shown, "application": application_name(entry)},
        repair={"entry_id": entry.entry_id, "repair": REPAIR, "preset": preset.id},
    )
