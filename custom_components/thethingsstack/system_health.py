"""The integration's part of System information (Settings, System, Repairs)."""

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from homeassistant.components.system_health import (
    SystemHealthRegistration,
    async_check_can_reach_url,
)
from homeassistant.core import HomeAssistant, callback

from .client import NETWORKS
from .const import CONF_CA_CERTIFICATE, CONF_NETWORK, CONF_SERVER, DOMAIN, NETWORK_CLOUD
from .coordinator import TtsConfigEntry


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register the function that returns the integration's system information."""
    register.async_register_info(async_system_health_info)


async def async_system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return counts over all applications, and whether their servers can be reached.

    Self-hosted servers are not named, since users paste this into bug reports.
    """
    entries: list[TtsConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    coordinators = [
        entry.runtime_data for entry in hass.config_entries.async_loaded_entries(DOMAIN)
    ]
    doors = Counter(coordinator.door.current for coordinator in coordinators)
    info: dict[str, Any] = {
        "applications": len(entries),
        "connected": sum(coordinator.connected for coordinator in coordinators),
        "doors": ", ".join(f"{door}: {count}" for door, count in sorted(doors.items())),
        "end_devices": sum(len(coordinator.roster.states) for coordinator in coordinators),
        "uplinks_today": sum(coordinator.counters.uplinks_today for coordinator in coordinators),
    }
    for entry in entries:
        if entry.data.get(CONF_CA_CERTIFICATE):
            continue  # the check would fail with a private certificate authority
        server = entry.data[CONF_SERVER]
        own = entry.data[CONF_NETWORK] not in (*NETWORKS, NETWORK_CLOUD)
        name = "can_reach_own_server" if own else urlsplit(server).hostname
        if name not in info:
            info[name] = async_check_can_reach_url(hass, f"{server}/api/v3/auth_info")
    return info
