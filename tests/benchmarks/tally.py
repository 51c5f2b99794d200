"""Counts states, and knows which uplink is through."""

import asyncio
import time

from homeassistant.const import ATTR_RESTORED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .workload import Shape, bare_entity_id, place_of

_NOT_SHOWN = (STATE_UNKNOWN, STATE_UNAVAILABLE)


class Tally:
    """Listens to all states, as recorder and dashboards do, and knows which uplink is through."""

    def __init__(self, hass: HomeAssistant, devices: int, shape: Shape) -> None:
        """Count nothing yet."""
        self._registry = er.async_get(hass)
        self._shape = shape
        self._bare = {
            bare_entity_id(device, path): (device, path)
            for device in range(devices)
            for path in shape.fields
        }
        self._places: dict[str, tuple[int, bool] | None] = {}
        self._written = [0] * devices
        self._expected = len(shape.fields)
        self._sequence = [-1] * devices
        self.shown: set[str] = set()
        self.through: dict[int, int] = {}
        self.states = 0
        self.goal = 0
        self.reached = asyncio.Event()

    def restart(self, written: int | None = None) -> None:
        """Forget what was counted, not who is where; an uplink brings so many new values."""
        self._expected = written or len(self._shape.fields)
        self._written = [0] * len(self._written)
        self.shown = set()
        self.through = {}
        self.states = 0

    @callback
    def changed(self, event: Event[EventStateChangedData]) -> None:
        """Take a state; an uplink is through when all new values of its end device are."""
        self.states += 1
        new = event.data["new_state"]
        if new is None or ATTR_RESTORED in new.attributes:
            return
        entity_id = new.entity_id
        try:
            place = self._places[entity_id]
        except KeyError:
            place = self._find(entity_id)
        if place is None:
            return
        if event.data["old_state"] is None or ATTR_RESTORED in event.data["old_state"].attributes:
            self.shown.add(entity_id)
        if (state := new.state) in _NOT_SHOWN:
            return
        device, counts = place
        if counts:
            self._sequence[device] = int(float(state))
        self._written[device] += 1
        if self._written[device] == self._expected:
            self._written[device] = 0
            self.through[self._sequence[device]] = time.monotonic_ns()
            if len(self.through) == self.goal:
                self.reached.set()

    def _find(self, entity_id: str) -> tuple[int, bool] | None:
        entry = self._registry.async_get(entity_id)
        found = self._bare.get(entity_id)
        if entry is not None:
            found = place_of(entry.unique_id, self._shape)
        place = None if found is None else (found[0], found[1] == self._shape.counter)
        self._places[entity_id] = place
        return place
