"""What the integration keeps does not grow with the number of messages."""

from collections import deque
from collections.abc import Iterator
import gc
from types import FunctionType, ModuleType
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.ha_fixtures import set_up, until
from tests.simulator import Simulator

_ROUND = 250
_OTHERS = (HomeAssistant, ConfigEntry, ModuleType, type, FunctionType)
_COLLECTIONS = (list, dict, set, deque)


def _collections(root: object) -> Iterator[Any]:
    """Yield all collections that an object reaches, without Home Assistant's own."""
    seen: set[int] = set()
    left = [root]
    while left:
        thing = left.pop()
        if id(thing) in seen or isinstance(thing, _OTHERS):
            continue
        seen.add(id(thing))
        if isinstance(thing, _COLLECTIONS):
            yield thing
        if type(thing).__module__.startswith(("custom_components", "builtins", "collections")):
            left += gc.get_referents(thing)


def _kept(entry: MockConfigEntry) -> tuple[int, int]:
    """Return how many items all collections have, and the longest one."""
    sizes = [len(collection) for collection in _collections(entry.runtime_data)]
    return sum(sizes), max(sizes)


async def _everything(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, at: int) -> None:
    """Send many messages of all kinds: fine, late, twice, odd, of strangers, no messages at all."""
    station = entry.runtime_data.roster.by_device_id("weather-station")
    for number in range(at, at + _ROUND):
        envelope = await sim.uplink("weather-station", decoded={"number": number, "temperature": 5})
        await sim.repeat(envelope)
        await sim.uplink(
            "pump-socket", decoded={"voltage": 229 + number % 3}, f_port=number % 200 + 1
        )
        await sim.publish("v3/garden/devices/weather-station/up", b'{"odd": %d}' % number)
        # Of up to 1,000 topics the first problem is logged, and so remembered.
        await sim.publish(f"v3/garden/devices/x{number % 20}/up", b"no message")
        if number % 10 == 0:
            await sim.join("weather-station")
            await sim.location_solved(
                "weather-station", {"latitude": 52.0, "longitude": number % 90}
            )
            await sim.service_data("weather-station", "package", {"number": number})
            await sim.uplink("old-abp-node", decoded=None, payload=b"\x01")
        # No faster than it is taken: what is dropped would not be kept either.
        await until(hass, lambda: station.values.get("number") == number)  # noqa: B023
    counters = entry.runtime_data.counters
    assert counters.errors
    assert not counters.dropped
    await hass.async_block_till_done()


async def test_nothing_grows_with_the_number_of_messages(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """After many messages as much is kept as after a few; scripts/fuzz --memory sends a million."""
    entry = await set_up(hass, sim)
    await _everything(hass, sim, entry, 0)
    before, longest = _kept(entry)
    assert before > 100
    # What is read in the background at the start (batteries, formatters) is there after a few
    # rounds; what is kept of each message would be more in every round.
    for number in range(1, 5):
        await _everything(hass, sim, entry, number * _ROUND)
        after, longest_after = _kept(entry)
        # Reports and texts vary in length; one item for each message would be hundreds.
        if after < before + _ROUND / 5 and longest_after < longest + _ROUND / 5:
            return
        before, longest = after, longest_after
    pytest.fail(f"{after} items are kept, and more with every round")
