"""What the Device Repository says of models is asked once and kept."""

import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.end_devices.model_sensors import PATIENCE
from tests.ha_fixtures import set_up, until
from tests.simulator import Simulator
from tests.test_entities import GREENHOUSE, WEATHER, count, state_of

ROOT = "/dr/brands"


def measures_temperature_alone(sim: Simulator, brand_id: str, model_id: str) -> None:
    """Let the Device Repository say that a model is a thermometer, whose "value" is plain then."""
    model = {"brand_id": brand_id, "model_id": model_id, "sensors": ["temperature"]}
    path = f"{ROOT}/{brand_id}/models/{model_id}"
    sim.faults.http_body[path] = json.dumps(model).encode()


def asked(sim: Simulator) -> list[str]:
    """Return the paths that the Device Repository was asked for."""
    return [path for _, path in sim.requests if "/dr/" in path]


def class_of(hass: HomeAssistant, field: str) -> Any:
    """Return the device class of the sensor of a field."""
    return state_of(hass, "sensor", field).attributes.get("device_class")


async def test_models_are_asked_at_setup_and_kept(hass: HomeAssistant, sim: Simulator) -> None:
    """Before the first uplink; not again after a restart."""
    measures_temperature_alone(sim, "dragino", "lht65n")
    entry = await set_up(hass, sim)
    models = entry.runtime_data.store.model_sensors
    assert models["dragino/lht65n"] == ("temperature",)
    assert len(asked(sim)) == len(set(asked(sim))) == len(models)
    await sim.uplink("greenhouse-climate", decoded={"value": 21.5})
    await count(hass, entry, 1)
    assert class_of(hass, f"{GREENHOUSE}/field/value") == "temperature"

    sim.requests.clear()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    await sim.uplink("greenhouse-climate", decoded={"reading": 22.5})
    await count(hass, entry, 2)
    assert class_of(hass, f"{GREENHOUSE}/field/reading") == "temperature"
    assert asked(sim) == []


async def test_a_model_that_becomes_known_later(hass: HomeAssistant, sim: Simulator) -> None:
    """With an uplink; a model that the repository doesn't have measures nothing known."""
    entry = await set_up(hass, sim)
    models = entry.runtime_data.store.model_sensors
    document = sim.devices["weather-station"].documents["as"]
    document["version_ids"] = {"brand_id": "nobody", "model_id": "nothing"}
    await sim.uplink("weather-station", decoded={"value": 21.5})
    await until(hass, lambda: models.get("nobody/nothing") == ())
    await count(hass, entry, 1)
    assert class_of(hass, f"{WEATHER}/field/value") is None

    measures_temperature_alone(sim, "acme", "thermometer")
    document["version_ids"] = {"brand_id": "acme", "model_id": "thermometer"}
    await sim.uplink("weather-station", decoded={"value": 21.5})
    await until(hass, lambda: models.get("acme/thermometer") == ("temperature",))
    await sim.uplink("weather-station", decoded={"reading": 22.5})
    await count(hass, entry, 3)
    assert class_of(hass, f"{WEATHER}/field/reading") == "temperature"


async def test_setup_without_a_device_repository(hass: HomeAssistant, sim: Simulator) -> None:
    """A server without one costs nothing but the knowledge."""
    sim.faults.http_status["/dr/"] = 503
    entry = await set_up(hass, sim)
    assert entry.runtime_data.store.model_sensors == {}
    assert entry.runtime_data.counters.errors == 0


async def test_setup_does_not_wait_long_for_the_device_repository(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """A slow answer leaves the first decisions without it."""
    hass.data[PATIENCE] = 0.05
    for device in sim.devices.values():
        if model_id := device.documents["is"].get("version_ids", {}).get("model_id"):
            sim.faults.answer_delays[f"/models/{model_id}"] = 60
    entry = await set_up(hass, sim)
    assert len(asked(sim)) == 1
    assert entry.runtime_data.store.model_sensors == {}


async def test_what_the_device_repository_says_too_late_counts_as_well(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The setup doesn't wait for the names and sensors of models; they come soon after it."""
    hass.data[PATIENCE] = 0.0
    model: dict[str, Any] = {"brand_id": "dragino", "model_id": "lht65n"}
    model |= {"name": "Slow One", "sensors": ["temperature"]}
    sim.faults.http_body[f"{ROOT}/dragino/models/lht65n"] = json.dumps(model).encode()
    entry = await set_up(hass, sim)

    def is_named() -> bool:
        identifier = (DOMAIN, GREENHOUSE)
        found = dr.async_get(hass).async_get_device_by_identifier(identifier, entry.entry_id)
        return found is not None and found.model == "Slow One"

    await until(hass, is_named)
    await sim.uplink("greenhouse-climate", decoded={"value": 21.5})
    await count(hass, entry, 1)
    assert class_of(hass, f"{GREENHOUSE}/field/value") == "temperature"
