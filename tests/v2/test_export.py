"""Exporting end devices of version 2 in the formats that version 3 imports."""

import csv
import io
import json
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.thethingsstack.const import DOMAIN
from tests.simulator.v2 import Simulator

KEYS = {"app_key", "app_s_key", "f_nwk_s_int_key"}


async def export(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Call the action."""
    response = await hass.services.async_call(
        DOMAIN,
        "export_devices",
        {"frequency_plan": "EU_863_870_TTN", **data},
        blocking=True,
        return_response=True,
    )
    assert response is not None
    return dict(response)


def rows(files: dict[str, str]) -> list[dict[str, str]]:
    """Return the rows of all CSV files."""
    return [
        row for text in files.values() for row in csv.DictReader(io.StringIO(text), delimiter=";")
    ]


async def test_csv_has_no_empty_cell_and_keys_only_where_asked_for(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    """An end device that doesn't join goes on with its session."""
    sim2.add_device("with_underscore", dev_eui="70B3D57ED00600AC")
    abp = sim2.devices["old-abp-node"]
    answer = await export(hass)
    assert set(answer["files"]) == {"devices-1.csv", "devices-2.csv"}
    found = {row["id"]: row for row in rows(answer["files"])}
    assert answer["devices"] == len(found) == len(sim2.devices)
    assert answer["renamed"] == {"with_underscore": "with-underscore"}
    assert all(all(row.values()) for row in found.values())
    assert not any(KEYS & set(row) for row in found.values())
    assert found["old-abp-node"]["dev_addr"] == abp.dev_addr
    text = json.dumps(answer)
    assert all(device.app_key not in text for device in sim2.devices.values() if device.app_key)

    answer = await export(hass, include_keys=True)
    found = {row["id"]: row for row in rows(answer["files"])}
    assert found["old-abp-node"]["app_s_key"] == abp.app_s_key
    assert found["old-abp-node"]["f_nwk_s_int_key"] == abp.nwk_s_key
    assert "join_eui" not in found["old-abp-node"]
    socket, there = found["pump-socket"], sim2.devices["pump-socket"]
    assert socket["app_key"] == there.app_key
    assert (socket["dev_eui"], socket["join_eui"]) == (there.dev_eui, there.app_eui)
    assert socket["lorawan_version"] == "MAC_V1_0_2"
    assert "dev_addr" not in socket


async def test_json_is_one_object_after_the_other(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    answer = await export(hass, format="json", include_keys=True, lorawan_version="1.0.3")
    (text,) = answer["files"].values()
    decoder, objects, at = json.JSONDecoder(), [], 0
    while at < len(text):
        item, at = decoder.raw_decode(text, at)
        objects.append(item)
        at += 1
    found = {item["ids"]["device_id"]: item for item in objects}
    assert set(found) == set(sim2.devices)
    socket = found["pump-socket"]
    assert socket["supports_join"] is True
    assert socket["lorawan_version"] == "MAC_V1_0_3"
    assert socket["root_keys"] == {"app_key": {"key": sim2.devices["pump-socket"].app_key}}


async def test_only_administrators_export(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry, hass_read_only_user: MockUser
) -> None:
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "export_devices",
            {"frequency_plan": "EU_863_870"},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )
