"""The template for the Console: the catalogue takes it, and what it makes delivers."""

from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.thethingsstack.client.webhooks import MESSAGE_TYPES, Webhook
from custom_components.thethingsstack.webhook import SECRET_HEADER
from tests.ha_fixtures import set_up, until
from tests.simulator import Simulator
from tests.simulator.webhook_templates import problems, webhook_of

from .conftest import SECRET, WEBHOOK_ID, Listening, webhook_entry

FOLDER = Path(__file__).parents[2] / "webhook-template"
TEMPLATE = load_yaml_dict(FOLDER / "home-assistant.yml")


def test_the_catalogue_takes_it() -> None:
    assert problems(TEMPLATE) == []
    assert (FOLDER / f"{TEMPLATE['template-id']}.yml").exists()
    assert [field["id"] for field in TEMPLATE["fields"]] == ["address", "secret"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "A name of more than 20"},
        {"template-id": "No"},
        {"base-url": "{+nowhere}"},
        {"headers": {"X": "{nothing}"}},
        {"paths": {"uplink": ""}},
        {"create-downlink-api-key": "yes"},
        {"logo": "x"},
        {"fields": [{"id": "a b", "name": "x", "description": "x"}]},
    ],
)
def test_the_check_finds_what_is_wrong(change: dict[str, Any]) -> None:
    assert problems(TEMPLATE | change)


async def test_what_it_makes_delivers_and_takes_downlinks(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """Made as the Console does, with what Home Assistant shows."""
    address = f"{listening.url}/api/webhook/{WEBHOOK_ID}"
    made = webhook_of(
        TEMPLATE, "home-assistant", {"address": address, "secret": SECRET}, sim.key("control")
    )
    webhook = Webhook.from_json(made)
    assert (webhook.base_url, webhook.format) == (address, "json")
    assert webhook.headers == {SECRET_HEADER: SECRET}
    assert set(webhook.message_types) == set(MESSAGE_TYPES)
    assert not webhook.paths

    made["created_at"] = "2026-01-01T00:00:00Z"
    sim.application.webhooks["home-assistant"] = made
    entry = await set_up(hass, sim, webhook_entry(sim, None))
    await sim.uplink("pump-socket", decoded={"voltage": 231.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    device = entry.runtime_data.roster.by_device_id("pump-socket")
    assert device is not None
    call = {"device_id": device.registry_id, "f_port": 1, "hex": "01"}
    await hass.services.async_call("thethingsstack", "send_downlink", call, blocking=True)
