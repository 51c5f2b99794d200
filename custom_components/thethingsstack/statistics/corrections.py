"""Corrections of what a field is: unless the user chose them, none of an entity in use."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN
from ..end_devices import field_entry
from ..fields import is_touched
from ..payload import NUMERIC_ROLES, Kind, Meaning, in_words

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator
    from ..end_devices import EndDeviceState

TOUCHED = "kept, as you changed the entity"
RECORDED = "kept for its statistics"


class Corrections:
    """Holds corrections back: for good if the user changed the entity or it has statistics.

    Whether it has long-term statistics is asked from the recorder, so the correction of an
    entity that may have some is made later. A correction that the user chose is always made;
    long-term statistics are left then, and Home Assistant itself asks what becomes of them.
    """

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Start with none that waits."""
        self._coordinator = coordinator
        self._hass: HomeAssistant = coordinator.hass
        self._waiting: dict[EndDeviceState, dict[str, Meaning]] = {}
        """The newest correction of each field that waits for the recorder."""
        self._chosen: set[tuple[EndDeviceState, str]] = set()
        """Fields whose waiting correction the user chose: no value replaces it."""

    @callback
    def hold(
        self, device: EndDeviceState, corrected: Mapping[str, Meaning], *, chosen: bool = False
    ) -> Collection[str]:
        """Return the paths of those corrections that must not be made now.

        They are made later if the recorder has no long-term statistics of the entity; else the
        decision stays, and *Fields* says what its values look like. Those that the user has
        `chosen` are made later in any case.
        """
        held, asks = set(), False
        for path, meaning in corrected.items():
            if (device, path) in self._chosen and not chosen:
                held.add(path)
                continue
            if (entry := field_entry(self._hass, device, path)) is None:
                continue
            if not self._changes(device, path, meaning):
                self._waiting.get(device, {}).pop(path, None)  # this one is newer
                self._chosen.discard((device, path))
                continue
            if is_touched(entry) and not chosen:
                self._keep(device, path, meaning, TOUCHED)
            elif self._may_be_recorded(device, path):
                asks = asks or device not in self._waiting
                self._waiting.setdefault(device, {})[path] = meaning
                if chosen:
                    self._chosen.add((device, path))
            else:
                continue
            held.add(path)
        if asks:
            self._coordinator.entry.async_create_background_task(
                self._hass, self._async_ask(device), f"{DOMAIN} corrections"
            )
        return held

    def _changes(self, device: EndDeviceState, path: str, meaning: Meaning) -> bool:
        """Return whether a correction makes something else of an entity than a better name."""
        before = device.decisions[path]
        now = self._coordinator.fields.corrected(device.key, path, meaning)
        return _essence(before) != _essence(now)

    def _may_be_recorded(self, device: EndDeviceState, path: str) -> bool:
        decided = device.decisions[path]
        return (
            "recorder" in self._hass.config.components
            and decided.kind is Kind.SENSOR
            and decided.role in NUMERIC_ROLES
            and device.counts_in_statistics(path)
        )

    async def _async_ask(self, device: EndDeviceState) -> None:
        """Make the corrections that wait: chosen ones, and those of entities without statistics."""
        try:
            while waiting := self._waiting[device]:
                entries = {path: field_entry(self._hass, device, path) for path in waiting}
                entity_ids = {entry.entity_id for entry in entries.values() if entry is not None}
                recorded = await async_with_statistics(self._hass, entity_ids)
                # Others may have come meanwhile, and newer ones of the same fields.
                decided = {path: waiting.pop(path) for path in entries if path in waiting}
                chosen = {path for path in decided if (device, path) in self._chosen}
                self._chosen -= {(device, path) for path in chosen}
                if self._coordinator.roster.states.get(device.key) is not device:
                    return
                used = {
                    path
                    for path in decided
                    if (entry := entries[path]) is not None and entry.entity_id in recorded
                }
                for path in used - chosen:
                    self._keep(device, path, decided[path], RECORDED)
                unused = decided.keys() - used
                device.note_corrected(unused)
                _clear(self._hass, [e.entity_id for p in unused if (e := entries[p]) is not None])
                made = unused | chosen
                self._coordinator.async_correct_now(
                    device, {path: meaning for path, meaning in decided.items() if path in made}
                )
        finally:
            for path in self._waiting.pop(device):  # if the recorder has failed
                self._chosen.discard((device, path))

    def _keep(self, device: EndDeviceState, path: str, meaning: Meaning, why: str) -> None:
        doubt = f"{why}: looks like {in_words(meaning)}"
        self._coordinator.fields.keep(device.key, path, doubt)


def _essence(meaning: Meaning) -> tuple[object, ...]:
    """Return what the values recorded so far depend on."""
    what = (meaning.kind, meaning.quantity, meaning.unit, meaning.device_class, meaning.role)
    return (*what, meaning.scale, meaning.offset, meaning.invert)


def _clear(hass: HomeAssistant, entity_ids: list[str]) -> None:
    """Drop what the recorder has of less than an hour: it would refuse values in another unit."""
    from homeassistant.components.recorder import get_instance  # an optional integration

    if entity_ids:
        get_instance(hass).async_clear_statistics(entity_ids)


async def async_with_statistics(hass: HomeAssistant, entity_ids: Iterable[str]) -> set[str]:
    """Return those of these entities that have long-term statistics: at least of one hour."""
    from homeassistant.components.recorder import get_instance

    return await get_instance(hass).async_add_executor_job(_with_statistics, hass, entity_ids)


def _with_statistics(hass: HomeAssistant, entity_ids: Iterable[str]) -> set[str]:
    from homeassistant.components.recorder.statistics import get_last_statistics

    return {
        entity_id
        for entity_id in entity_ids
        if get_last_statistics(hass, 1, entity_id, False, {"mean", "sum"})
    }
