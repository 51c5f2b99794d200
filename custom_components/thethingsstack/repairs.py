"""The dialogues that fix repair issues."""

from homeassistant.components.repairs import RepairsFlow
from homeassistant.core import HomeAssistant

from .application.storage_repair import StorageRepairFlow
from .controls import suggestions
from .controls.suggestion_repair import PresetRepairFlow
from .coordinator import TtsConfigEntry
from .formatters.repair import FormatterRepairFlow
from .issues import storage
from .issues.watch import undecoded_devices
from .provisioning.partial_repair import PartialRepairFlow
from .takeover import REPAIR as TAKEOVER, TakeoverRepairFlow


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the dialogue that fixes an issue, by the data that it was raised with."""
    assert data is not None
    entry: TtsConfigEntry = hass.config_entries.async_get_known_entry(str(data["entry_id"]))
    if data.get("repair") == storage.REPAIR:
        return StorageRepairFlow(entry, str(data["missed"]))
    if data.get("repair") == suggestions.REPAIR:
        return PresetRepairFlow(entry, str(data["preset"]))
    if data.get("repair") == TAKEOVER:
        return TakeoverRepairFlow(entry, str(data["other_entry_id"]))
    if "device_id" in data:
        return PartialRepairFlow(entry, str(data["device_id"]))
    return FormatterRepairFlow(entry, undecoded_devices(entry, str(data["model"])))
