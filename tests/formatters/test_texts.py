"""What the text of a payload formatter says decides on fields, from server to entity."""

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.thethingsstack.formatters.texts import (
    FRESH,
    READING_PAUSES,
    STALE,
    ReadingPauses,
)
from custom_components.thethingsstack.payload import Kind, Source
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

SCRIPT = """
function decodeUplink(input) {
  var bytes = input.bytes, data = {};
  data.head = (bytes[0] << 8 | bytes[1]) / 10; // head, units:kPa
  data.zone3 = bytes[2] & 0x01;
  data.phase = ["filling", "full", "draining"][bytes[2] >> 4];
  return { data: data };
}
"""
GREENHOUSE = "dragino/models/lht65n"
FRAME = bytes.fromhex("00FA11")


@pytest.fixture(autouse=True)
def _read_at_once(hass: HomeAssistant) -> None:
    hass.data[READING_PAUSES] = ReadingPauses(start=0.0, between=0.0)


def _add(sim: Simulator, device_id: str = "tank", script: str | None = SCRIPT) -> None:
    kind = "FORMATTER_JAVASCRIPT" if script else None
    sim.add_device(device_id, name="Tank", up_formatter=kind, script=script)


def _asked(sim: Simulator, device_id: str = "tank") -> int:
    """Return how often the formatter of an end device was asked for."""
    path = f"/as/applications/{sim.application_id}/devices/{device_id}"
    return sum(method == "GET" and path in asked for method, asked in sim.requests)


async def test_a_formatter_gives_an_entity_its_unit(hass: HomeAssistant, sim: Simulator) -> None:
    """From the first uplink: a unit, decimals, a binary sensor, all states of an enumeration."""
    _add(sim)
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    device = entry.runtime_data.roster.by_device_id("tank")
    await until(hass, lambda: device.formatter_hints)
    await sim.uplink("tank", payload=FRAME, f_port=2)
    await until(hass, lambda: "phase" in device.decisions)
    await hass.async_block_till_done()
    head = hass.states.get(entity_id(hass, "sensor", f"{device.key}/field/head"))
    assert head is not None
    assert (head.state, head.attributes["unit_of_measurement"]) == ("25", "kPa")
    registered = er.async_get(hass).async_get(head.entity_id)
    assert registered is not None
    assert registered.options["sensor"]["suggested_display_precision"] == 1
    zone = hass.states.get(entity_id(hass, "binary_sensor", f"{device.key}/field/zone3"))
    assert zone is not None
    assert zone.state == "on"
    phase = hass.states.get(entity_id(hass, "sensor", f"{device.key}/field/phase"))
    assert phase is not None
    assert phase.attributes["options"] == ["filling", "full", "draining"]
    assert {m.source for m in device.decisions.values()} == {Source.FORMATTER}


async def test_a_text_is_read_once_and_kept_over_restarts(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Another end device with the same text shares what it says; a start asks nothing again."""
    _add(sim)
    _add(sim, "other")
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    roster = entry.runtime_data.roster
    await until(
        hass, lambda: all(roster.by_device_id(d).formatter_hints for d in ("tank", "other"))
    )
    hints = roster.by_device_id("tank").formatter_hints
    assert roster.by_device_id("other").formatter_hints is hints
    assert _asked(sim) == 1
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    assert entry.runtime_data.roster.by_device_id("tank").formatter_hints == hints
    _add(sim, "third")
    await until(
        hass,
        lambda: (
            (third := entry.runtime_data.roster.by_device_id("third")) and third.formatter_hints
        ),
    )
    assert _asked(sim) == 1


async def test_young_decisions_follow_a_change_of_the_formatter(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Without a second uplink: the entity gets the unit of the formatter that is set now."""
    _add(sim, script=SCRIPT.replace("// head, units:kPa", ""))
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    device = entry.runtime_data.roster.by_device_id("tank")
    await until(hass, lambda: device.formatter_hints)
    await sim.uplink("tank", payload=FRAME, f_port=2)
    await until(hass, lambda: "head" in device.decisions)
    assert device.decisions["head"].unit is None
    await hass.services.async_call(
        "thethingsstack",
        "set_payload_formatter",
        {"device_id": device.registry_id, "uplink": "javascript", "uplink_script": SCRIPT},
        blocking=True,
        return_response=True,
    )
    await until(hass, lambda: device.decisions["head"].unit == "kPa")
    head = entity_id(hass, "sensor", f"{device.key}/field/head")
    await until(
        hass,
        lambda: (
            (state := hass.states.get(head))
            and state.attributes.get("unit_of_measurement") == "kPa"
        ),
    )
    assert device.decisions["head"].source is Source.FORMATTER


async def test_a_change_in_the_console_is_seen(
    hass: HomeAssistant, sim: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """When an uplink has a field that is new, and else after a week."""
    _add(sim, script=SCRIPT.replace("kPa", "mbar"))
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    texts = entry.runtime_data.formatter_texts
    device = entry.runtime_data.roster.by_device_id("tank")
    await until(hass, lambda: device.formatter_hints)
    formatters = sim.devices["tank"].documents["as"]["formatters"]
    formatters["up_formatter_parameter"] = SCRIPT
    texts.on_new_day()
    freezer.tick(FRESH * 2)
    await sim.uplink("tank", payload=FRAME, f_port=2)
    await until(hass, lambda: "head" in device.decisions and device.decisions["head"].unit == "kPa")
    formatters["up_formatter_parameter"] = SCRIPT.replace("kPa", "psi")
    freezer.tick(STALE * 2)
    texts.on_new_day()
    await until(hass, lambda: device.decisions["head"].unit == "psi")
    assert _asked(sim) == 3


async def test_the_formatter_of_the_application_and_of_the_repository(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """What applies is read: without a formatter of its own the application's, or the model's."""
    _add(sim, script=None)
    application = sim.stack.applications[sim.application_id]
    application.link = {
        "default_formatters": {
            "up_formatter": "FORMATTER_JAVASCRIPT",
            "up_formatter_parameter": SCRIPT,
        }
    }
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    roster = entry.runtime_data.roster
    await until(hass, lambda: roster.by_device_id("tank").formatter_hints)
    asked = f"/dr/brands/{GREENHOUSE}"
    await until(hass, lambda: any(asked in path and "decoder" in path for _, path in sim.requests))


async def test_a_key_that_may_not_read_it_changes_nothing(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Fields are decided on by name and values, and nothing is asked for."""
    _add(sim)
    entry = await set_up(hass, sim, make_entry(sim, "traffic"))
    await sim.uplink("tank", payload=FRAME, f_port=2)
    await until(hass, lambda: entry.runtime_data.roster.by_device_id("tank"))
    device = entry.runtime_data.roster.by_device_id("tank")
    await until(hass, lambda: "zone3" in device.decisions)
    assert device.decisions["zone3"].kind is Kind.SENSOR
    assert device.formatter_hints is None
    assert _asked(sim) == 0
