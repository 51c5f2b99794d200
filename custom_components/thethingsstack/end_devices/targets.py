"""The devices that the target of a trigger or a condition includes."""

from collections.abc import Iterator

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids


@callback
def targeted_devices(hass: HomeAssistant, target: TargetSelection) -> Iterator[str]:
    """Yield the device registry IDs of a target now; areas and labels can change.

    First those that it names or that are in its areas, then those of its entities; some twice.
    """
    selected = async_extract_referenced_entity_ids(hass, target)
    yield from selected.referenced_devices
    entities = er.async_get(hass)
    for entity_id in selected.referenced | selected.indirectly_referenced:
        entry = entities.async_get(entity_id)
        if entry is not None and entry.device_id is not None:
            yield entry.device_id
