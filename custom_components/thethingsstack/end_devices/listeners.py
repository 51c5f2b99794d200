"""Listeners of one end device: each entity is called for the keys that concern it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
import logging

from homeassistant.core import Context as HaContext

_LOGGER = logging.getLogger(__name__)

type Listener = Callable[[HaContext | None], None]

FIELD = "field"
LAST_UPLINK = "last_uplink"
STATUS = "status"
BATTERY = "battery"
ACTIVITY = "activity"
LOCATION = r"\location"
"""Path of the position from a location service or the registration.

No payload can have this path: in paths of payloads, a backslash is always escaped.
"""
AIRTIME_24H = "airtime_24h"
UPLINK_INTERVAL = "uplink_interval"
DOWNLINK = "downlink"
DOWNLINK_STATE = "downlink_state"
DOWNLINK_QUEUE = "downlink_queue"
DOWNLINK_COUNT = "downlinks_24h"
_OF_ITS_OWN = frozenset({ACTIVITY, DOWNLINK, DOWNLINK_STATE, DOWNLINK_QUEUE, DOWNLINK_COUNT})
"""Keys of the device as a whole that an uplink doesn't change."""
CONTROL = "control"


def control_key(subentry_id: str) -> str:
    """Return the key for listeners of a control; they are called after each uplink with data."""
    return f"{CONTROL}/{subentry_id}"


def field_key(path: str) -> str:
    """Return the key for listeners of a field; also the last part of its entity's unique ID."""
    return f"{FIELD}/{path}"


class Listeners(ABC):
    """Who is to be called when something about an end device changes, by key."""

    __slots__ = ("_failed_listeners", "_listeners", "arriving", "control_keys", "radio_keys")

    def __init__(self) -> None:
        """Start without listeners."""
        self._listeners: dict[str, tuple[Listener, ...]] = {}
        self._failed_listeners: tuple[str, ...] = ()
        self.arriving: HaContext | None = None
        """The context of the uplinks that are being shown; of the entities that come with them."""
        self.radio_keys: list[str] = []
        """Keys with listeners that every uplink changes, in the order of calling."""
        self.control_keys: list[str] = []
        """Keys of controls, which every uplink with data concerns."""

    @property
    @abstractmethod
    def device_id(self) -> str:
        """Return the end device's id in The Things Stack."""

    def subscribe(self, key: str, listener: Listener) -> None:
        """Call the listener when `key` changes."""
        self._listeners[key] = (*self._listeners.get(key, ()), listener)
        self._sort_keys(key)

    def unsubscribe(self, key: str, listener: Listener) -> None:
        """Stop calling this listener; others of the same key are kept."""
        others = tuple(other for other in self._listeners.get(key, ()) if other != listener)
        if others:
            self._listeners[key] = others
        elif self._listeners.pop(key, None) is not None:
            self._sort_keys(key)

    def _sort_keys(self, changed: str) -> None:
        """Update the lists of keys that every uplink changes, the last uplink first.

        The order counts: the logbook shows the first change as the cause of the others.
        """
        kind, _, rest = changed.partition("/")
        if kind == CONTROL:
            self.control_keys = [k for k in self._listeners if k.startswith(f"{CONTROL}/")]
        if rest:
            return
        self.radio_keys = sorted(
            (k for k in self._listeners if k not in _OF_ITS_OWN and "/" not in k),
            key=lambda key: (key != LAST_UPLINK, key),
        )

    def listens(self, key: str) -> bool:
        """Return whether this key has a listener."""
        return key in self._listeners

    def refresh(self, context: HaContext | None = None) -> None:
        """Call all listeners, the last uplink's first: something other than a message changed.

        With `context`, that of past uplinks, all that is written has it.
        """
        self.arriving = context
        try:
            self.write(sorted(self._listeners, key=lambda key: key != LAST_UPLINK), None)
        finally:
            self.arriving = None

    def write(self, keys: Iterable[str], context: HaContext | None) -> None:
        """Call the listeners of these keys; an exception of one is logged, once for each key."""
        listeners = self._listeners
        for key in keys:
            for listener in listeners.get(key, ()):
                try:
                    listener(context)
                except Exception:  # a fault of one entity must not stop the others
                    if key not in self._failed_listeners:
                        self._failed_listeners += (key,)
                        _LOGGER.exception("%s: %s could not be shown", self.device_id, key)
