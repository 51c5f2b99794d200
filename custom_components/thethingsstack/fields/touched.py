"""Whether the user has done something with an entity."""

from homeassistant.helpers import entity_registry as er

_CHOSEN = frozenset({"unit_of_measurement", "display_precision"})
"""Options of a sensor that only the user sets."""


def is_touched(entry: er.RegistryEntry) -> bool:
    """Return whether the user named, placed, disabled or otherwise changed an entity."""
    changed = (entry.name, entry.icon, entry.area_id, entry.labels, entry.categories)
    if any(changed) or entry.device_class is not None:
        return True
    if entry.disabled_by is er.RegistryEntryDisabler.USER:
        return True
    if entry.hidden_by is er.RegistryEntryHider.USER:
        return True
    return not _CHOSEN.isdisjoint(entry.options.get(entry.domain, {}))
