"""Walking through the dialogues that connect an application, as a user does."""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.coordinator import TtsConfigEntry
from tests.dialogs import Result, go
from tests.simulator import Simulator

DEAD = "127.0.0.1:9"
FIXTURES = Path(__file__).parent.parent / "fixtures"


def recorded(path: str) -> Any:
    """Return a recording of a real server."""
    return json.loads((FIXTURES / path).read_text("utf-8"))


async def start(hass: HomeAssistant, network: str = "own_server") -> Result:
    """Begin as a user does, and pick the network."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "user"
    return await go(hass, result, network=network)


def own_server(sim: Simulator, **advanced: Any) -> dict[str, Any]:
    """Return what a user types for the simulator without TLS."""
    return {
        "server": sim.server_url,
        "advanced": {
            "identity_server": sim.identity_server_url,
            "plaintext": True,
            **advanced,
        },
    }


def encrypted_server(sim: Simulator, **advanced: Any) -> dict[str, Any]:
    """Return what a user types for the simulator with TLS and its private CA."""
    return {
        "server": sim.https_server_url,
        "advanced": {
            "identity_server": sim.https_identity_server_url,
            "ca_certificate": sim.ca_pem,
            **advanced,
        },
    }


async def to_key(hass: HomeAssistant, sim: Simulator, **advanced: Any) -> Result:
    """Go as far as the key."""
    result = await go(hass, await start(hass), **own_server(sim, **advanced))
    assert result["step_id"] == "key"
    return result


async def to_rights(hass: HomeAssistant, sim: Simulator, key: str) -> Mapping[str, str]:
    """Go as far as the summary; returns what it says."""
    result = await go(hass, await to_key(hass, sim), api_key=sim.key(key))
    assert result["step_id"] == "rights"
    return placeholders(result)


def offered(result: Result) -> list[str]:
    """Return what a user's key can grant."""
    schema = result["data_schema"]
    assert schema is not None
    (selector,) = schema.schema.values()
    return list(selector.config["options"])


async def finish(hass: HomeAssistant, result: Result) -> TtsConfigEntry:
    """Grant what can be granted, and accept the summary; returns the entry, running."""
    if result["step_id"] == "grant":
        result = await go(hass, result, features=offered(result))
    assert result["step_id"] == "rights"
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    entry: TtsConfigEntry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    return entry


async def reconfigure(hass: HomeAssistant, entry: ConfigEntry) -> Result:
    """Choose "Reconfigure" in the entry's menu."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    assert result["step_id"] == "reconfigure"
    return result


def placeholders(result: Result) -> Mapping[str, str]:
    """Return what the texts of a form name."""
    named: Mapping[str, str] | None = result["description_placeholders"]
    assert named is not None
    return named


def choices(result: Result) -> dict[str, str]:
    """Return what a form of one choice offers, by value."""
    schema = result["data_schema"]
    assert schema is not None
    (selector,) = schema.schema.values()
    return {option["value"]: option["label"] for option in selector.config["options"]}


def suggested(result: Result, field: str, section: str | None = None) -> Any:
    """Return what a form's field is filled in with."""
    schema = result["data_schema"]
    assert schema is not None
    if section is not None:
        schema = next(value.schema for key, value in schema.schema.items() if key == section)
    marker = next((marker for marker in schema.schema if marker == field), None)
    return (getattr(marker, "description", None) or {}).get("suggested_value")
