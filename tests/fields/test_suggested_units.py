"""New sensors are shown in a unit that people read; those that exist keep theirs."""

from typing import Any

from homeassistant.components.sensor import DEVICE_CLASS_UNITS, SensorDeviceClass
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util.unit_system import METRIC_SYSTEM, US_CUSTOMARY_SYSTEM
import pytest

from custom_components.thethingsstack.fields.suggested_units import (
    OF_CLASSES,
    OF_TOTALS,
    unit_and_precision,
)
from custom_components.thethingsstack.payload import Role
from tests.fields.test_descriptions import meaning
from tests.ha_fixtures import entity_id, set_up, until
from tests.simulator import Simulator

STATION = "weather-station"
TOTAL = {"role": Role.TOTAL}


@pytest.mark.parametrize(
    ("changes", "value", "suggested"),
    [
        ({"quantity": "energy", "unit": "Wh", **TOTAL}, 12, ("kWh", 3)),
        ({"quantity": "energy", "unit": "kWh", **TOTAL}, 12, None),
        ({"quantity": "water", "unit": "L", **TOTAL}, None, ("m³", 3)),
        ({"quantity": "gas", "unit": "L", **TOTAL}, 3, ("m³", 3)),
        ({"quantity": "duration", "unit": "s", **TOTAL}, 3, ("h", 1)),
        (
            {"quantity": "atmospheric_pressure", "unit": "Pa"},
            101300,
            None,
        ),  # in hPa by Home Assistant
        ({"quantity": "differential_pressure", "unit": "Pa"}, 250, None),
        ({"quantity": "pressure", "unit": "Pa"}, 250000, ("kPa", 3)),
        ({"quantity": "battery_voltage", "unit": "mV"}, 900, ("V", 3)),
        ({"quantity": "battery_voltage", "unit": "mV", "precision": 2}, 900, ("V", 3)),
        ({"quantity": "voltage", "unit": "mV"}, 3312, ("V", 3)),
        ({"quantity": "voltage", "unit": "mV"}, 12, None),
        ({"quantity": "voltage", "unit": "mV"}, None, None),
        ({"quantity": "duration", "unit": "s"}, 86400, ("min", 1)),
        ({"quantity": "duration", "unit": "s"}, 30, None),
        ({"quantity": "duration", "unit": "ms"}, 1500, ("s", 3)),
        ({"quantity": "temperature", "unit": "°C"}, 3000, None),
        ({"quantity": None, "unit": "mV"}, 3000, None),
    ],
)
def test_unwieldy_units(
    changes: dict[str, Any], value: float | None, suggested: tuple[str, int] | None
) -> None:
    """Counters always, since they grow; what is measured by the size of the first value."""
    assert unit_and_precision(meaning(**changes), value, None, METRIC_SYSTEM) == suggested


def test_a_registered_sensor_keeps_its_unit() -> None:
    """It gets the decimals for it if it has the better one, whatever its value is now."""
    volts = meaning(quantity="voltage", unit="mV")
    assert unit_and_precision(volts, 3312, "mV", METRIC_SYSTEM) is None
    assert unit_and_precision(volts, 3312, "", METRIC_SYSTEM) is None
    assert unit_and_precision(volts, None, "V", METRIC_SYSTEM) == ("V", 3)


def test_the_unit_system_comes_first() -> None:
    """Litres are gallons where users live with gallons."""
    water = meaning(quantity="water", unit="L", role=Role.TOTAL)
    assert unit_and_precision(water, 5, None, US_CUSTOMARY_SYSTEM) is None


def test_every_suggestion_is_legal() -> None:
    """Home Assistant would report one that it can't convert."""
    for table in (OF_TOTALS, OF_CLASSES):
        for (device_class, unit), suggestion in table.items():
            units = DEVICE_CLASS_UNITS[SensorDeviceClass(device_class)]
            assert {unit, suggestion.unit} <= units, device_class


async def test_from_the_uplink_to_the_state(hass: HomeAssistant, sim: Simulator) -> None:
    """A new counter is in kWh, also after a restart; one that is registered goes on in Wh."""
    entry = await set_up(hass, sim)
    coordinator = entry.runtime_data
    device = coordinator.roster.by_device_id(STATION)
    registry = er.async_get(hass)
    for name in ("energy", "energy_exported"):
        if name == "energy_exported":
            registry.async_get_or_create(
                "sensor",
                "thethingsstack",
                f"{device.key}/field/{name}_wh",
                config_entry=entry,
                unit_of_measurement="Wh",
            )
    reported = {"energy_wh": 123456, "energy_exported_wh": 7000, "pressure_pa": 101325}

    def state(name: str) -> State | None:
        found = registry.async_get_entity_id(
            "sensor", "thethingsstack", f"{device.key}/field/{name}"
        )
        return hass.states.get(found) if found else None

    async def check(factor: int) -> None:
        await until(hass, lambda: (s := state("energy_wh")) and s.state == str(123.456 * factor))
        for name, unit, precision in (
            ("energy_wh", "kWh", 3),
            ("energy_exported_wh", "Wh", 0),
            ("pressure_pa", "hPa", 2),
        ):
            shown = state(name)
            assert shown is not None
            assert shown.attributes["unit_of_measurement"] == unit
            entity = registry.async_get(entity_id(hass, "sensor", f"{device.key}/field/{name}"))
            assert entity is not None
            assert entity.options["sensor"]["suggested_display_precision"] == precision
        exported = state("energy_exported_wh")
        assert exported is not None
        assert float(exported.state) == 7000 * factor

    await sim.uplink(STATION, decoded=reported)
    await check(1)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    doubled = {name: value * 2 for name, value in reported.items() if "pressure" not in name}
    await sim.uplink(STATION, decoded=doubled)
    device = entry.runtime_data.roster.by_device_id(STATION)
    await check(2)
