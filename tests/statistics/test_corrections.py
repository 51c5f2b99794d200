"""What a field is stays what it is when somebody has built on its entity: statistics, a name."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
import threading
from typing import Any

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import get_metadata
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from custom_components.thethingsstack.payload import Meaning
from custom_components.thethingsstack.statistics.recorded import FIVE_MINUTES, five_minutes_of
from tests.dialogs import go, start_options, submit
from tests.ha_fixtures import entity_id, set_up, until
from tests.simulator import Simulator

STATION, KEY = "weather-station", "garden/70B3D57ED0060001"
PATH = "humidity"
WRONG, RIGHT = 350, 45
"""No relative humidity, so it is a plain number at first; the next values say what it is."""
THREADS = 32
"""More than the recorder's executor has."""


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(
    recorder_mock: Recorder, enable_custom_integrations: None
) -> None:
    """Let Home Assistant load the integration; the recorder must start before it."""


class Field:
    """A field of an end device, and its entity."""

    def __init__(self, hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
        self._hass, self._sim, self.entry = hass, sim, entry
        self._number = 0

    @property
    def _decision(self) -> Meaning:
        device = self.entry.runtime_data.roster.by_device_id(STATION)
        decision: Meaning = device.decisions[PATH]
        return decision

    @property
    def unit(self) -> str | None:
        """The unit that it is decided to have."""
        return self._decision.unit

    @property
    def doubt(self) -> str:
        """What its values say against that."""
        return self._decision.doubt

    @property
    def entity(self) -> str:
        """Its entity's ID."""
        return entity_id(self._hass, "sensor", f"{KEY}/field/{PATH}")

    async def reports(self, value: int) -> None:
        """Send a value, and wait until it is received."""
        self._number += 1
        device = self.entry.runtime_data.roster.by_device_id(STATION)
        await self._sim.uplink(STATION, decoded={PATH: value, "number": self._number})
        await until(self._hass, lambda: device.values.get("number") == self._number)
        await self._hass.async_block_till_done()

    def shows(self, value: int, unit: str | None) -> bool:
        """Whether its entity has this state."""
        state = self._hass.states.get(self.entity)
        if state is None or state.state != str(value):
            return False
        return state.attributes.get("unit_of_measurement") == unit

    async def row(self) -> str:
        """Return its row in *Fields*."""
        flow = await self._hass.config_entries.options.async_init(self.entry.entry_id)
        flow = await submit(self._hass, flow, next_step_id="fields")
        flow = await submit(self._hass, flow, device=KEY)
        rows: str = flow["description_placeholders"]["table"]
        return next(row for row in rows.splitlines() if row.startswith(f"- **{PATH}**"))


@pytest.fixture
async def field(hass: HomeAssistant, sim: Simulator) -> Field:
    """Return a field whose first value was misleading."""
    field = Field(hass, sim, await set_up(hass, sim))
    await field.reports(WRONG)
    await until(hass, lambda: field.shows(WRONG, None))
    return field


async def compile_statistics(
    hass: HomeAssistant, *, hour: bool, path: str = PATH, unit: str | None = None
) -> None:
    """Let the recorder compile the present five minutes, or the last ones of the hour."""
    await async_wait_recording_done(hass)
    start = five_minutes_of(dt_util.utcnow())
    if hour:
        start = start.replace(minute=55)
    elif start.minute == 55:
        start += FIVE_MINUTES
    do_adhoc_statistics(hass, start=start)
    await async_wait_recording_done(hass)
    assert await recorded_unit(hass, path) == [unit]


async def recorded_unit(hass: HomeAssistant, path: str = PATH) -> list[str | None]:
    """Return in which unit the recorder has statistics of the field; nothing without any."""
    found = await get_instance(hass).async_add_executor_job(partial(get_metadata, hass))
    return [data["unit_of_measurement"] for key, (_, data) in found.items() if key.endswith(path)]


@contextmanager
def busy_recorder(hass: HomeAssistant) -> Iterator[None]:
    """Let the recorder answer nothing until the end."""
    end = threading.Event()
    for _ in range(THREADS):
        get_instance(hass).async_add_executor_job(end.wait)
    try:
        yield
    finally:
        end.set()


async def test_an_entity_with_statistics_stays_what_it_is(
    hass: HomeAssistant, field: Field
) -> None:
    """Its hours would mean something else than its states; *Fields* says so."""
    await compile_statistics(hass, hour=True)
    await field.reports(RIGHT)
    await until(hass, lambda: field.shows(RIGHT, None))
    await until(hass, lambda: field.doubt)
    assert "kept for its statistics: looks like humidity in %" in await field.row()
    # It isn't asked again, and the note stays over a restart.
    await field.reports(RIGHT + 1)
    assert await hass.config_entries.async_reload(field.entry.entry_id)
    await until(hass, lambda: field.entry.runtime_data.connected)
    await field.reports(RIGHT + 2)
    assert field.unit is None
    assert "kept for its statistics" in await field.row()


async def test_without_a_full_hour_it_is_corrected(hass: HomeAssistant, field: Field) -> None:
    """Nothing is built on five minutes."""
    await compile_statistics(hass, hour=False)
    await field.reports(RIGHT)
    await until(hass, lambda: field.shows(RIGHT, "%"))
    state = hass.states.get(field.entity)
    assert state is not None
    assert "state_class" not in state.attributes  # until those five minutes are long over
    assert "kept" not in await field.row()
    await async_wait_recording_done(hass)
    assert await recorded_unit(hass) == []


async def test_an_entity_that_the_user_changed_stays_what_it_is(
    hass: HomeAssistant, field: Field
) -> None:
    """Whoever names an entity has seen what it shows."""
    er.async_get(hass).async_update_entity(field.entity, name="Crates")
    await hass.async_block_till_done()
    await field.reports(RIGHT)
    assert field.shows(RIGHT, None)
    assert "kept, as you changed the entity: looks like humidity in %" in await field.row()


async def test_uplinks_never_wait_for_the_recorder(hass: HomeAssistant, field: Field) -> None:
    """The newest value is shown at once, and later as what it is; its entity stays the same."""
    entity = field.entity
    with busy_recorder(hass):
        for value in (RIGHT, RIGHT + 1):
            await field.reports(value)
            await until(hass, partial(field.shows, value, None))
    await until(hass, lambda: field.shows(RIGHT + 1, "%"))
    assert field.entity == entity


async def test_an_entity_that_goes_meanwhile_breaks_nothing(
    hass: HomeAssistant, field: Field
) -> None:
    """Its field is corrected all the same."""
    with busy_recorder(hass):
        await field.reports(RIGHT)
        er.async_get(hass).async_remove(field.entity)
        await hass.async_block_till_done()
    await until(hass, lambda: field.unit == "%")
    await field.reports(RIGHT + 1)
    await until(hass, lambda: field.shows(RIGHT + 1, "%"))


async def test_a_correction_that_a_restart_interrupts_is_made_later(
    hass: HomeAssistant, field: Field
) -> None:
    """The next value leads to it again."""
    with busy_recorder(hass):
        await field.reports(RIGHT)
        assert await hass.config_entries.async_reload(field.entry.entry_id)
        await until(hass, lambda: field.entry.runtime_data.connected)
        assert field.unit is None
    await field.reports(RIGHT)
    await until(hass, lambda: field.shows(RIGHT, "%"))


@pytest.mark.parametrize("hour", [True, False])
async def test_a_table_that_the_user_edits_counts_all_the_same(
    hass: HomeAssistant, sim: Simulator, hour: bool
) -> None:
    """Also of an entity with a name of the user's; what the recorder has of a full hour stays."""
    sim.add_device("home-made", name="Home made")
    sim.devices["home-made"].documents["as"]["formatters"] = {}
    entry = await set_up(hass, sim)
    device = entry.runtime_data.roster.by_device_id("home-made")
    await sim.uplink("home-made", decoded=None, payload=bytes.fromhex("02C6"))
    await until(hass, lambda: device.last_data_uplink is not None)
    row = {"name": "probe", "byte": 0, "bytes": 2, "unit": "°C"}

    async def save(row: dict[str, Any]) -> None:
        flow = await start_options(hass, entry, "local_decoding")
        flow = await go(hass, flow, device="Home made · home-made")
        flow = await go(hass, flow, decoder="table", always=False)
        flow = await submit(hass, await go(hass, flow, rows=[row]))
        assert flow["reason"] == "local_decoder_saved"

    def unit() -> Any:
        state = hass.states.get(entity_id(hass, "sensor", f"{device.key}/field/probe"))
        return None if state is None else state.attributes.get("unit_of_measurement")

    await save(row)
    await until(hass, lambda: "probe" in device.decisions and unit() == "°C")
    entity = entity_id(hass, "sensor", f"{device.key}/field/probe")
    await compile_statistics(hass, hour=hour, path="_probe", unit="°C")
    er.async_get(hass).async_update_entity(entity, name="Barrel")
    await save({**row, "unit": "%"})
    await until(hass, lambda: unit() == "%")
    assert not device.decisions["probe"].doubt
    await async_wait_recording_done(hass)
    assert await recorded_unit(hass, "_probe") == (["°C"] if hour else [])
