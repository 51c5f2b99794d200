"""The last messages of each application, in memory: written by the stream, read by the panel."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
import time
from typing import Final, NamedTuple

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..client import Event, Message, NormalizedUplink, StreamItem
from ..const import DOMAIN

KEPT: Final = 200
"""Entries of each application that are kept while nobody watches."""
KEPT_WATCHED: Final = 2000
"""Entries of each application that are kept while somebody watches, who may open each of them."""
_REMEMBERED_EVENTS: Final = 256


@dataclass(frozen=True, slots=True)
class GatewayChanged:
    """A gateway was seen to have connected, or disconnected."""

    gateway_id: str
    name: str
    connected: bool


type TrafficItem = StreamItem | Event | GatewayChanged
type Watcher = Callable[[TrafficEntry], None]


class TrafficEntry(NamedTuple):
    """Something that an application's stream brought, as it came; `id` rises, also over restarts."""

    id: int
    entry_id: str
    item: TrafficItem
    at: datetime
    """When it came."""


class Traffic:
    """What came lately, by config entry; it outlives a reload of the entry."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._entries: dict[str, deque[TrafficEntry]] = {}
        self._watchers: list[Watcher] = []
        self._ids = count(int(time.time() * 1000))
        self._events: deque[str] = deque(maxlen=_REMEMBERED_EVENTS)

    @callback
    def note(self, entry_id: str, item: TrafficItem) -> None:
        """Keep what the stream has brought; costs little while nobody watches.

        Normalized measurements are left out: their uplink has them, too.
        """
        if isinstance(item, NormalizedUplink):
            return
        entries = self._entries.get(entry_id)
        if entries is None:
            entries = self._entries[entry_id] = deque()
        entry = TrafficEntry(next(self._ids), entry_id, item, dt_util.utcnow())
        entries.append(entry)
        if len(entries) > (KEPT_WATCHED if self._watchers else KEPT):
            entries.popleft()
        if isinstance(item, Message):
            item.fold()
        for watcher in self._watchers:
            watcher(entry)

    @callback
    def note_event(self, entry_id: str, event: Event) -> None:
        """Keep an event of the network once, though several streams may bring it."""
        if event.unique_id in self._events:
            return
        self._events.append(event.unique_id)
        self.note(entry_id, event)

    @callback
    def forget(self, entry_id: str) -> None:
        """Drop all of an application."""
        self._entries.pop(entry_id, None)

    def entries_of(self, entry_id: str) -> list[TrafficEntry]:
        """Return what is kept of an application, the oldest first."""
        return list(self._entries.get(entry_id, ()))

    def find(self, entry_id: str, number: int) -> TrafficEntry | None:
        """Return the entry with this ID; None if it isn't kept any more."""
        entries = self._entries.get(entry_id, ())
        return next((entry for entry in entries if entry.id == number), None)

    @callback
    def watch(self, watcher: Watcher) -> CALLBACK_TYPE:
        """Call the watcher with each new entry of any application; returns how to stop that."""
        self._watchers.append(watcher)

        @callback
        def stop() -> None:
            self._watchers.remove(watcher)
            if not self._watchers:
                for entries in self._entries.values():
                    while len(entries) > KEPT:
                        entries.popleft()

        return stop


TRAFFIC: HassKey[Traffic] = HassKey(f"{DOMAIN}_traffic")
"""Key in `hass.data`."""


@callback
def traffic_of(hass: HomeAssistant) -> Traffic:
    """Return the traffic of all applications."""
    if (traffic := hass.data.get(TRAFFIC)) is None:
        traffic = hass.data[TRAFFIC] = Traffic()
    return traffic
