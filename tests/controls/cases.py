"""Controls for tests: of the recorded application's socket and radiator."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.controls.model import SUBENTRY_CONTROL
from custom_components.thethingsstack.controls.preset import built_in

SOCKET_KEY = "garden/24E124148B000001"
RADIATOR_KEY = "garden/70B3D52DD3000001"

SOCKET: dict[str, Any] = {
    "device": SOCKET_KEY,
    "platform": "switch",
    "name": "Socket",
    "commands": {
        "on": {"payload": "08 01 FF", "f_port": 85, "confirmed": True},
        "off": {"payload": "08 00 FF", "f_port": 85, "confirmed": True},
    },
    "reports": {"state": {"path": "socket_status"}},
}
VALVE: dict[str, Any] = {
    "device": RADIATOR_KEY,
    "platform": "valve",
    "name": "Valve",
    "commands": {
        "open": {"payload": "2D 01", "f_port": 2},
        "close": {"payload": "2D 00", "f_port": 2},
    },
}


def thermostat() -> dict[str, Any]:
    """Return the radiator's thermostat, as its preset makes it."""
    return built_in()["mclimate_vicki"].controls_of(RADIATOR_KEY)[0].as_dict()


def subentry(data: dict[str, Any]) -> ConfigSubentry:
    """Return a control's subentry."""
    return ConfigSubentry(
        data=MappingProxyType(data),
        subentry_type=SUBENTRY_CONTROL,
        title=f"{data['name']} of a device",
        unique_id=None,
    )


async def add_control(hass: HomeAssistant, entry: MockConfigEntry, data: dict[str, Any]) -> str:
    """Add a control as its dialogue does; returns the subentry's id."""
    added = subentry(data)
    hass.config_entries.async_add_subentry(entry, added)
    await hass.async_block_till_done()
    return added.subentry_id


def entity_of(hass: HomeAssistant, subentry_id: str) -> er.RegistryEntry:
    """Return the registry entry of a control's entity."""
    found = [e for e in er.async_get(hass).entities.values() if e.unique_id == subentry_id]
    assert len(found) == 1, subentry_id
    return found[0]


def state_of(hass: HomeAssistant, subentry_id: str) -> State:
    """Return the state of a control's entity."""
    state = hass.states.get(entity_of(hass, subentry_id).entity_id)
    assert state is not None
    return state


def registry(hass: HomeAssistant, but: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what the registries have, without the entities of some controls."""
    entities = {
        e.unique_id: (e.entity_id, e.device_id, e.config_subentry_id, e.disabled_by)
        for e in er.async_get(hass).entities.values()
        if e.unique_id not in but
    }
    devices = {
        d.id: (d.identifiers, d.name, d.config_subentry_id) for d in dr.async_get(hass).devices
    }
    return {"entities": entities, "devices": devices}


def icon_key(hass: HomeAssistant, subentry_id: str) -> str | None:
    """Return the translation key by which the frontend finds a control's icon."""
    return entity_of(hass, subentry_id).translation_key


def attribute(hass: HomeAssistant, subentry_id: str, name: str) -> Callable[[], Any]:
    """Return what reads an attribute of a control's entity."""
    return lambda: state_of(hass, subentry_id).attributes.get(name)
