"""What the Device Repository says of models is asked once and kept."""

import asyncio

from homeassistant.core import HomeAssistant
import pytest

from custom_components.thethingsstack.client.repository import Repository
from custom_components.thethingsstack.end_devices import model_sensors as repository
from tests.ha_fixtures import set_up, until
from tests.simulator import Simulator
from tests.test_entities import GREENHOUSE, WEATHER

CONTEXT = "_context"


async def test_models_are_asked_at_setup_and_kept(
    hass: HomeAssistant, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first uplink; not again after a restart."""
    asked = []
    ask = Repository.model

    async def counted(self: Repository, brand_id: str, model_id: str) -> object:
        asked.append(f"{brand_id}/{model_id}")
        return await ask(self, brand_id, model_id)

    monkeypatch.setattr(Repository, "model", counted)
    entry = await set_up(hass, sim)
    store = entry.runtime_data.store
    assert store.model_sensors["dragino/lht65n"] == ("temperature", "humidity", "battery")
    device = entry.runtime_data.roster.states[GREENHOUSE]
    assert getattr(device, CONTEXT).sensors == ("temperature", "humidity", "battery")
    assert len(asked) == len(set(asked)) == len(store.model_sensors)
    asked.clear()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert asked == []
    device = entry.runtime_data.roster.states[GREENHOUSE]
    assert getattr(device, CONTEXT).sensors == ("temperature", "humidity", "battery")


async def test_a_model_that_becomes_known_later(hass: HomeAssistant, sim: Simulator) -> None:
    """With an uplink; a model that the repository doesn't have measures nothing known."""
    entry = await set_up(hass, sim)
    document = sim.devices["weather-station"].documents["as"]
    document["version_ids"] = {"brand_id": "nobody", "model_id": "nothing"}
    await sim.uplink("weather-station", decoded={"x": 1})
    sensors = entry.runtime_data.store.model_sensors
    await until(hass, lambda: "nobody/nothing" in sensors)
    assert sensors["nobody/nothing"] == ()
    document["version_ids"] = {"brand_id": "dragino", "model_id": "lht65n"}
    await sim.uplink("weather-station", decoded={"x": 1})
    device = entry.runtime_data.roster.states[WEATHER]
    await until(hass, lambda: getattr(device, CONTEXT).sensors)


async def test_without_an_answer(hass: HomeAssistant, sim: Simulator) -> None:
    """A server without repository costs nothing but the knowledge."""
    sim.faults.http_status["/dr/"] = 503
    entry = await set_up(hass, sim)
    assert entry.runtime_data.store.model_sensors == {}
    assert entry.runtime_data.counters.errors == 0


async def test_setup_does_not_wait_for_long(
    hass: HomeAssistant, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow answer leaves the first decisions without it."""

    async def slow(self: Repository, brand_id: str, model_id: str) -> object:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(Repository, "model", slow)
    monkeypatch.setattr(repository, "PATIENCE", 0.05)
    entry = await set_up(hass, sim)
    assert entry.runtime_data.store.model_sensors == {}
