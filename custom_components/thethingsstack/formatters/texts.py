"""The text of the payload formatter that applies to each end device, read for what it says.

The examples that a model's formatter has in the Device Repository decide on fields before the
first uplink: see `end_devices/expected_fields.py`.

It is read in the background: some time after a start, when an end device is new, when its
formatter was changed here, when it reports fields that it never had, and once a week.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
import logging
from typing import TYPE_CHECKING, Any

from homeassistant.core import callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..client import Formatter, Formatters, NotFound, StackError, VersionIds
from ..client.formatters import JAVASCRIPT, REPOSITORY
from ..client.repository import RepositoryFormatter
from ..client.rights import DEVICES_READ, SETTINGS_BASIC
from ..const import DOMAIN
from ..payload import read_hints
from .store import FormatterStore, KnownText, digest_of

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator
    from ..end_devices import EndDeviceState

_LOGGER = logging.getLogger(__name__)

STALE = timedelta(days=7)
"""After which a text is looked at again."""
FRESH = timedelta(minutes=10)
"""For which new fields are no reason to look again: an end device's first uplinks bring many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPauses:
    """Seconds between requests."""

    start: float = 30.0
    """Until the first, so that a start is not delayed."""
    between: float = 2.0
    """Between two end devices."""


READING_PAUSES: HassKey[ReadingPauses] = HassKey(f"{DOMAIN}_formatter_pauses")
"""Key in `hass.data` for pauses that replace the defaults; set before setup."""


class FormatterTexts:
    """Sets what its formatter says of its fields on each end device, and follows changes."""

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Keep the coordinator; makes no request yet."""
        self._coordinator = coordinator
        self._store = FormatterStore(coordinator.hass, coordinator.entry.entry_id)
        self._pauses = coordinator.hass.data.get(READING_PAUSES, ReadingPauses())
        self._waiting: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._of_application: Formatters | None = None
        self._in_repository: dict[VersionIds, RepositoryFormatter | None] = {}

    async def async_load(self, title: str) -> None:
        """Load what was read before."""
        await self._store.async_load(title)

    async def async_close(self) -> None:
        """Write to disk now."""
        await self._store.async_close()

    @callback
    def async_start(self) -> None:
        """Read texts that are needed, one after the other, until the entry is unloaded."""
        self._coordinator.entry.async_create_background_task(
            self._coordinator.hass, self._async_read_all(), f"{DOMAIN} formatters"
        )

    # When to read

    @callback
    def on_device(self, device: EndDeviceState) -> None:
        """Set what is known for an end device that was added, or whose model became known."""
        self._apply(device)
        self._look(device)

    @callback
    def on_new_day(self) -> None:
        """Look again at what was read long ago: it may have been changed in the Console."""
        for device in self._coordinator.roster.states.values():
            self._look(device)

    @callback
    def _look(self, device: EndDeviceState) -> None:
        known = self._store.known(device.device_id)
        if (
            known is None
            or known.versions != _versions_text(device.version_ids)
            or dt_util.utcnow() - known.read_at > STALE
        ):
            self._read_soon(device.device_id)

    @callback
    def on_new_fields(self, device: EndDeviceState) -> None:
        """Look again: what it reports now may come from another formatter."""
        known = self._store.known(device.device_id)
        if known is None or dt_util.utcnow() - known.read_at > FRESH:
            self._read_soon(device.device_id)

    @callback
    def on_changed(self, device_id: str | None) -> None:
        """Look again after an end device's formatter was changed here; None: the application's."""
        for device in self._coordinator.roster.states.values():
            if device_id in (None, device.device_id):
                self._read_soon(device.device_id)

    @callback
    def forget(self, device_id: str) -> None:
        """Drop what is known of an end device that is removed."""
        self._waiting.pop(device_id, None)
        self._store.forget(device_id)

    @callback
    def _read_soon(self, device_id: str) -> None:
        if DEVICES_READ in self._coordinator.rights:
            self._waiting[device_id] = None
            self._wake.set()

    # Reading

    async def _async_read_all(self) -> None:
        await asyncio.sleep(self._pauses.start)
        while True:
            await self._wake.wait()
            while self._waiting:
                device_id = next(iter(self._waiting))
                del self._waiting[device_id]
                device = self._coordinator.roster.by_device_id(device_id)
                if device is not None and not device.vanished:
                    await self._async_read(device)
                    await asyncio.sleep(self._pauses.between)
            self._wake.clear()
            self._of_application = None  # read again with the next ones
            self._in_repository.clear()

    async def _async_read(self, device: EndDeviceState) -> None:
        """Read an end device's text; after a refusal what was known before stays."""
        versions = device.version_ids
        try:
            script, examples = await self._async_script(device.device_id, versions)
        except StackError as err:
            _LOGGER.debug("The formatter of %s can't be read: %s", device.device_id, err)
            return
        digest, hints = digest_of(script), None
        if not self._store.has(digest):
            hints = await self._coordinator.hass.async_add_executor_job(read_hints, script)
        known = KnownText(digest, _versions_text(versions), dt_util.utcnow())
        self._store.put(device.device_id, known, hints)
        if self._coordinator.roster.states.get(device.key) is device:
            self._apply(device)
            await self._coordinator.expected_fields.async_add(device, examples)

    async def _async_script(
        self, device_id: str, versions: VersionIds | None
    ) -> tuple[str, Sequence[Mapping[str, Any]]]:
        """Return the text that applies, and the decoded payloads that it has as examples.

        The text is empty without one in JavaScript. Raises StackError.
        """
        formatter = await self._async_formatter(device_id)
        if formatter is None:
            return "", ()
        if formatter.kind == JAVASCRIPT:
            return formatter.parameter or "", ()
        if formatter.kind != REPOSITORY or versions is None:
            return "", ()
        if versions not in self._in_repository:
            repository = self._coordinator.stack.repository
            try:
                found = await repository.formatter(versions, "uplink_decoder")
            except NotFound:
                self._in_repository[versions] = None
            else:
                self._in_repository[versions] = found
        of_model = self._in_repository[versions]
        return (of_model.script, of_model.example_payloads) if of_model else ("", ())

    async def _async_formatter(self, device_id: str) -> Formatter | None:
        """Return the formatter that applies: the end device's own, or else the application's."""
        formatters = self._coordinator.stack.formatters
        if self._coordinator.stack.capabilities.device_formatters:
            try:
                own = await formatters.of_device(device_id)
            except NotFound:
                return None  # the Application Server has no such end device, and so no uplinks
            if own is not None:
                return own.up
        if self._of_application is None:
            if SETTINGS_BASIC not in self._coordinator.rights:
                return None
            self._of_application = await formatters.of_application() or Formatters()
        return self._of_application.up

    @callback
    def _apply(self, device: EndDeviceState) -> None:
        hints = self._store.hints_of(device.device_id)
        if hints is device.formatter_hints:
            return
        device.formatter_hints = hints
        device.update_context()
        if better := device.better_decisions():
            self._coordinator.async_correct(device, better)


def _versions_text(versions: VersionIds | None) -> str:
    if versions is None:
        return ""
    parts = (versions.brand_id, versions.model_id, versions.firmware_version, versions.band_id)
    return "/".join(part or "" for part in parts)
