"""What is being taken over, kept until it is done: it can be taken back, also after a restart."""

from dataclasses import dataclass
from typing import Any, override

from homeassistant.core import HomeAssistant

from ..application import StoredData
from ..const import DOMAIN

VERSION = 1
SAVE_DELAY = 1


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an entity was before."""

    unique_id: str
    device_id: str | None


class TakeoverStore(StoredData):
    """The other integration's entry, and the entities that were moved, by their registry ID."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare the store of one config entry."""
        super().__init__(hass, f"{DOMAIN}.{entry_id}.takeover", VERSION, delay=SAVE_DELAY)
        self.old_entry_id: str | None = None
        self.moved: dict[str, Origin] = {}

    async def async_load(self, title: str) -> None:
        """Read what is stored."""
        file = self._file
        if await file.async_load():
            self.old_entry_id = file.read("entry_id", _text, None)
            self.moved = file.read_items("moved", _origin)
        await file.async_end_reading(title)

    @override
    def _data(self) -> dict[str, Any]:
        return {
            "entry_id": self.old_entry_id,
            "moved": {key: [o.unique_id, o.device_id] for key, o in self.moved.items()},
        }


def _text(stored: Any) -> str:
    if not isinstance(stored, str):
        raise TypeError("no text")
    return stored


def _origin(_key: str, stored: Any) -> Origin:
    unique_id, device_id = stored
    return Origin(_text(unique_id), None if device_id is None else _text(device_id))
