"""What is kept of the receptions of an end device."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.thethingsstack.client.models import GatewaySignal
from custom_components.thethingsstack.end_devices.reception_history import (
    GATEWAYS,
    PERIOD,
    PERIODS,
    ReceptionHistory,
    Signal,
)
from tests.ha_fixtures import entity_id, set_up, until
from tests.simulator import Simulator

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
QUARTER = timedelta(seconds=PERIOD)
WEATHER = "garden/70B3D57ED0060001"


def heard(gateway_id: str, rssi: float | None = -100, snr: float | None = 5) -> GatewaySignal:
    data = {"gateway_ids": {"gateway_id": gateway_id}, "rssi": rssi, "snr": snr}
    return GatewaySignal(gateway_id, rssi, snr, data)


def test_one_signal_of_each_quarter_of_an_hour() -> None:
    """The last one of it, also where uplinks come late; a day of them, and no more."""
    history = ReceptionHistory()
    for minute in (0, 5, 14, 15, 40):
        history.note(NOON + timedelta(minutes=minute), [heard("attic", -minute, None)])
    history.note(NOON - QUARTER, [heard("attic", None, 7.5)])
    history.note(NOON, [])
    assert history.signals(NOON - timedelta(days=1)) == [
        Signal(NOON - QUARTER, None, 7.5),
        Signal(NOON, -14, None),
        Signal(NOON + QUARTER, -15, None),
        Signal(NOON + 2 * QUARTER, -40, None),
    ]
    assert len(history.signals(NOON + QUARTER)) == 2
    for number in range(3 * PERIODS):
        history.note(NOON + number * QUARTER, [heard("attic")])
    assert len(history.signals(NOON - timedelta(days=1))) == PERIODS


def test_how_a_gateway_receives_the_end_device() -> None:
    """Averages, the share of uplinks, and when it was last."""
    history = ReceptionHistory()
    for number in range(4):
        gateways = [heard("attic", -100 + 4 * number, 6)]
        if number == 1:
            gateways.append(heard("far", None, -12))
        history.note(NOON + number * QUARTER, gateways)
    attic, far = history.gateways(NOON).values()
    assert (attic.rssi, attic.snr, attic.share) == (-94, 6, 1)
    assert attic.reception.rssi == -88
    assert (far.rssi, far.snr, far.at) == (None, -12, NOON + QUARTER)
    assert far.share == pytest.approx(0.25)
    assert list(history.gateways(NOON + 2 * QUARTER)) == ["attic"]
    history.note(NOON, [heard("attic", -70)])
    assert attic.at == NOON + 3 * QUARTER
    assert history.latest is not None
    assert history.latest.rssi == -88


def test_gateways_are_kept_few() -> None:
    """A vehicle comes by many."""
    history = ReceptionHistory()
    for number in range(3 * GATEWAYS):
        history.note(NOON + timedelta(minutes=number), [heard(f"gateway-{number}")])
    kept = history.gateways(NOON)
    assert len(kept) == GATEWAYS
    assert f"gateway-{3 * GATEWAYS - 1}" in kept


async def test_the_last_uplink_says_how_it_was_received(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """For cards; what isn't known yet is left out.

    The time alone may be known before, from the registration.
    """
    entry = await set_up(hass, sim)
    last_uplink = entity_id(hass, "sensor", f"{WEATHER}/last_uplink")

    def attributes_now() -> Mapping[str, Any]:
        state = hass.states.get(last_uplink)
        assert state is not None
        return state.attributes

    assert "rssi" not in attributes_now()
    device = entry.runtime_data.roster.states[WEATHER]
    device.note_seen(dt_util.utcnow())
    device.refresh()
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: "rssi" in attributes_now())
    attributes = attributes_now()
    assert attributes["rssi"] < 0
    assert attributes["gateways"] >= 1
    assert attributes["data_rate"].startswith("SF")
    assert attributes["overdue_after"] == 25 * 3600
    assert "uplink_interval" not in attributes
