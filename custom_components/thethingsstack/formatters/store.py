"""What the texts of payload formatters say of fields, kept so that each is read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..application import StoredData
from ..const import DOMAIN
from ..payload import FieldHint, FormatterHints

VERSION = 1
READ_LIKE_THIS = 1
"""To be raised when texts are read in another way: then each is read once more."""
SAVE_DELAY = 30


@dataclass(frozen=True, slots=True)
class KnownText:
    """Which text applied to an end device when it was last looked at."""

    digest: str
    versions: str
    """The end device's versions in the Device Repository then."""
    read_at: datetime


class FormatterStore(StoredData):
    """The hints of each text, by its digest, and the text of each end device; not the texts."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare the store of one config entry."""
        super().__init__(hass, f"{DOMAIN}.{entry_id}.formatters", VERSION, delay=SAVE_DELAY)
        self._hints: dict[str, FormatterHints] = {}
        self._of_device: dict[str, KnownText] = {}

    async def async_load(self, title: str) -> None:
        """Read what is stored; what can't be read is set aside, and asked again."""
        file = self._file
        if await file.async_load() and file.part("read_like") == READ_LIKE_THIS:
            self._hints = file.read_items("hints", lambda _, stored: _hints(stored))
            self._of_device = {
                device_id: known
                for device_id, known in file.read_items(
                    "devices", lambda _, stored: _known(stored)
                ).items()
                if known.digest in self._hints
            }
        await file.async_end_reading(title)

    def known(self, device_id: str) -> KnownText | None:
        """Return which text applied to an end device; None if it was never looked at."""
        return self._of_device.get(device_id)

    def hints_of(self, device_id: str) -> FormatterHints | None:
        """Return what an end device's formatter says; None if it says nothing, or is unknown."""
        known = self._of_device.get(device_id)
        return self._hints.get(known.digest) or None if known is not None else None

    def has(self, digest: str) -> bool:
        """Return whether a text was read before."""
        return digest in self._hints

    @callback
    def put(self, device_id: str, known: KnownText, hints: FormatterHints | None) -> None:
        """Remember which text applies to an end device; `hints` are those of a new text."""
        if hints is not None:
            self._hints[known.digest] = hints
        self._of_device[device_id] = known
        self.save_soon()

    @callback
    def forget(self, device_id: str) -> None:
        """Drop what is known of an end device."""
        if self._of_device.pop(device_id, None) is not None:
            self.save_soon()

    @override
    def _data(self) -> dict[str, Any]:
        used = {known.digest for known in self._of_device.values()}
        return {
            "read_like": READ_LIKE_THIS,
            "hints": {
                digest: {name: hint.as_dict() for name, hint in hints.items()}
                for digest, hints in self._hints.items()
                if digest in used
            },
            "devices": {
                device_id: [known.digest, known.versions, known.read_at.isoformat()]
                for device_id, known in self._of_device.items()
            },
        }


def digest_of(script: str) -> str:
    """Return by what a text is recognised."""
    return sha256(script.encode(errors="replace")).hexdigest()


def _hints(stored: Mapping[str, Any]) -> FormatterHints:
    return {str(name): FieldHint.from_dict(hint) for name, hint in stored.items()}


def _known(stored: Any) -> KnownText:
    digest, versions, read_at = stored
    moment = dt_util.parse_datetime(read_at)
    if moment is None or moment.tzinfo is None:
        raise ValueError("no time")
    return KnownText(str(digest), str(versions), moment)
