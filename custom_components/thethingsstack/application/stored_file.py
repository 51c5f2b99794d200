"""A file in Home Assistant's storage whose readable parts are used when others are damaged."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
import logging
from pathlib import Path
import shutil
from typing import Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from ..issues import raise_issue

_LOGGER = logging.getLogger(__name__)

UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""The exceptions that a reader of damaged content may raise."""


class _AnyVersionStore(Store[Any]):
    """A store that returns files of earlier versions unchanged; their readers migrate them."""

    @override
    async def _async_migrate_func(
        self, old_major_version: int, old_minor_version: int, old_data: Any
    ) -> Any:
        return old_data


class StoredFile:
    """One file of an application: read part by part, once, and saved after a delay.

    If a part can't be read, a copy of the file is kept beside it as `….corrupt-<time>`, and a
    repair issue names it. The same happens with a file of a later version.
    """

    def __init__(
        self, hass: HomeAssistant, key: str, version: int, *, delay: float, private: bool = False
    ) -> None:
        """Prepare the file without reading it; `delay` is how many seconds saving may wait.

        A `private` file can be read by its owner alone.
        """
        self._hass = hass
        self._key = key
        self._delay = delay
        self._store = _AnyVersionStore(hass, version, key, private=private)
        self._content: Any = None
        self._unreadable: list[str] = []
        self._kept_as = f"{self._store.path}.corrupt-{_timestamp()}"
        self._closed = False

    async def async_load(self) -> bool:
        """Load the file; return whether it exists and is readable JSON of a known version."""
        try:
            self._content = await self._store.async_load()
        except (HomeAssistantError, *UNREADABLE) as err:
            self.note_unreadable("file", err)
            await self._async_set_aside_file()
            return False
        if self._content is not None and not isinstance(self._content, dict):
            self.note_unreadable("file", TypeError(type(self._content).__name__))
        return isinstance(self._content, dict)

    def part(self, name: str) -> Any:
        """Return a part as it is stored; None if the file has no such part."""
        return self._content.get(name) if isinstance(self._content, dict) else None

    def read[T](self, name: str, reader: Callable[[Any], T], default: T) -> T:
        """Return what `reader` returns for a part; the default if it is missing or unreadable."""
        stored = self.part(name)
        if stored is None:
            return default
        try:
            return reader(stored)
        except UNREADABLE as err:
            self.note_unreadable(name, err)
            return default

    def read_items[T](self, name: str, reader: Callable[[str, Any], T]) -> dict[str, T]:
        """Return the items of a part without the unreadable ones; `reader` gets key and value."""
        found: dict[str, T] = {}
        items: dict[str, Any] = self.read(name, _items, {})
        for key, stored in items.items():
            try:
                found[key] = reader(key, stored)
            except UNREADABLE as err:
                self.note_unreadable(f"{name} {key}", err)
        return found

    def note_unreadable(self, what: str, error: Exception) -> None:
        """Log that a part or an item is unreadable, and name it in the repair issue later."""
        self._unreadable.append(what)
        _LOGGER.warning("%s: %s is unreadable: %r", self._key, what, error)

    async def async_end_reading(self, title: str) -> None:
        """End reading: if anything was unreadable, keep a copy and raise a repair issue.

        `title` is the application's name in the issue. No part can be read any more.
        """
        content, self._content = self._content, None
        if not self._unreadable:
            return
        kept = self._kept_as
        if content is not None:
            await self._hass.async_add_executor_job(_write, kept, content)
        raise_issue(
            self._hass,
            f"stored_file_{self._key}",
            "stored_file_unreadable",
            {
                "application": title,
                "file": Path(kept).name,
                "parts": ", ".join(self._unreadable[:10]),
            },
        )

    async def _async_set_aside_file(self) -> None:
        await self._hass.async_add_executor_job(_copy, self._store.path, self._kept_as)

    @callback
    def save_soon(self, data: Callable[[], Mapping[str, Any]]) -> None:
        """Write what `data` returns after the delay, at the latest when Home Assistant stops."""
        if not self._closed:
            self._store.async_delay_save(lambda: dict(data()), self._delay)

    async def async_save(self, data: Mapping[str, Any]) -> None:
        """Write to disk now."""
        await self._store.async_save(dict(data))

    async def async_close(self, data: Mapping[str, Any]) -> None:
        """Write to disk now, and ignore later saves, so that a reload can use the file."""
        self._closed = True
        await self.async_save(data)

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()


class StoredData(ABC):
    """Base of data that is stored in a file of its own; `_data` returns what is written."""

    def __init__(
        self, hass: HomeAssistant, key: str, version: int, *, delay: float, private: bool = False
    ) -> None:
        """Prepare the file without reading it; `delay` is how many seconds saving may wait.

        A `private` file can be read by its owner alone.
        """
        self._file = StoredFile(hass, key, version, delay=delay, private=private)

    @callback
    def save_soon(self) -> None:
        """Write to disk after a delay, at the latest when Home Assistant stops."""
        self._file.save_soon(self._data)

    async def async_save(self) -> None:
        """Write to disk now."""
        await self._file.async_save(self._data())

    async def async_close(self) -> None:
        """Write to disk now, and cancel delayed writes."""
        await self._file.async_close(self._data())

    async def async_remove(self) -> None:
        """Delete the stored data."""
        await self._file.async_remove()

    @abstractmethod
    def _data(self) -> dict[str, Any]:
        """Return what is to be stored."""


def _items(stored: Any) -> dict[str, Any]:
    return {str(key): value for key, value in stored.items()}


def _timestamp() -> str:
    return dt_util.utcnow().strftime("%Y%m%dT%H%M%S%f")


def _write(path: str, content: Any) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        text = json_bytes(content)
    except TypeError, ValueError:  # such as NaN, which JSON can't express
        text = repr(content).encode()
    Path(path).write_bytes(text)


def _copy(path: str, kept: str) -> None:
    if Path(path).exists():
        shutil.copy2(path, kept)
