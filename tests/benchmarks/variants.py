"""What is measured: our integration, two floors, and Home Assistant's MQTT with discovery."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
import json
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant

from ..ha_folder import INTEGRATION
from .workload import DISCOVERY_PREFIX, SECRET, WEBHOOK_ID, devices_of, uplink_topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the other processes are, and how many end devices there are, of which shape."""

    server: str
    mqtt_port: int
    mqtt_5: bool
    devices: int
    ca: str | None = None
    """The certificate of the broker's authority, in PEM form; None: without TLS."""
    shape: str = "usual"
    entries: int = 1
    """How many config entries the end devices are divided among."""
    recorder: bool = False
    visited: bool = False
    """Whether somebody looks at dialogues and the panel."""
    integration: str = str(INTEGRATION)
    """The folder of our integration."""

    def as_json(self) -> str:
        """Return it for the command line of another process."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way from uplinks to states; each has applications of its own."""

    key: str
    title: str
    domain: str
    entry_version: int
    entry_data: Callable[[Places, str, int], Mapping[str, Any]]
    listens: Callable[[HomeAssistant, ConfigEntry[Any]], bool]
    entities_from_uplinks: bool = False
    """Whether the entities come with the first uplinks, and not before."""
    has_entities: bool = True

    @property
    def application(self) -> str:
        """Return what the ids of its applications begin with."""
        return f"bench-{self.key}"

    def entries(self, places: Places) -> list[ConfigEntry[Any]]:
        """Return what its config flow would make, for each application."""
        return [self._entry(places, number) for number in range(places.entries)]

    def _entry(self, places: Places, number: int) -> ConfigEntry[Any]:
        application = f"{self.application}-{number}"
        return ConfigEntry(
            data=self.entry_data(places, application, number),
            discovery_keys=MappingProxyType({}),
            domain=self.domain,
            entry_id=f"{self.key}{number}".rjust(32, "0"),
            minor_version=1,
            options={},
            source=SOURCE_USER,
            subentries_data=(),
            title=f"Benchmark {number}",
            unique_id=application,
            version=self.entry_version,
        )


def _own_data(places: Places, application: str, _number: int) -> Mapping[str, Any]:
    return {
        "network": "own_server",
        "server": places.server,
        "identity_server": places.server,
        "tenant_id": None,
        "application_id": application,
        "api_key": f"NNSXS.BENCH.{application}",
        "mqtt_host": "127.0.0.1",
        "mqtt_port": places.mqtt_port,
        "mqtt_tls": places.ca is not None,
        "ca_certificate": places.ca,
    }


def _webhook_data(places: Places, application: str, number: int) -> Mapping[str, Any]:
    # Without a key nothing but deliveries is needed.
    own = _own_data(places, application, number)
    kept = {key: value for key, value in own.items() if key != "api_key"}
    return {**kept, "door": "webhook", "webhook_id": WEBHOOK_ID, "webhook_secret": SECRET}


def _own_listens(_hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    coordinator = entry.runtime_data
    return bool(coordinator.connected and coordinator.caught_up)


def _floor_data(places: Places, application: str, number: int) -> Mapping[str, Any]:
    devices = devices_of(number, places.devices, places.entries)
    return {
        "port": places.mqtt_port,
        "ca": places.ca,
        "topic": uplink_topic(application),
        "devices": [devices.start, devices.stop],
        "shape": places.shape,
    }


def _bare_data(places: Places, application: str, number: int) -> Mapping[str, Any]:
    return {**_floor_data(places, application, number), "bare": True}


def _floor_listens(_hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    return bool(entry.runtime_data.connected)


def _mqtt_data(places: Places, _application: str, _number: int) -> Mapping[str, Any]:
    # With a protocol below 5 Home Assistant tries 5 first at each start.
    return {
        "broker": "127.0.0.1",
        "port": places.mqtt_port,
        "username": "bench",
        "password": "bench",
        "protocol": "5" if places.mqtt_5 else "3.1.1",
        "discovery": True,
        "discovery_prefix": DISCOVERY_PREFIX,
    }


def _mqtt_listens(hass: HomeAssistant, _entry: ConfigEntry[Any]) -> bool:
    # Nothing public tells when all subscriptions have been sent.
    client = hass.data["mqtt"].client
    return bool(client.connected and not client._pending_subscriptions)


OURS = Variant(
    key="ours",
    title="thethingsstack",
    domain="thethingsstack",
    entry_version=1,
    entry_data=_own_data,
    listens=_own_listens,
    entities_from_uplinks=True,
)
FLOOR = Variant(
    key="floor",
    title="E floor",
    domain="uplink_floor",
    entry_version=1,
    entry_data=_floor_data,
    listens=_floor_listens,
)
BARE = Variant(
    key="bare",
    title="B bare states",
    domain="uplink_floor",
    entry_version=1,
    entry_data=_bare_data,
    listens=_floor_listens,
    has_entities=False,
)
MQTT = Variant(
    key="mqtt",
    title="A mqtt",
    domain="mqtt",
    entry_version=2,
    entry_data=_mqtt_data,
    listens=_mqtt_listens,
)
BY_WEBHOOK = Variant(
    key="webhook",
    title="thethingsstack, by webhook",
    domain="thethingsstack",
    entry_version=1,
    entry_data=_webhook_data,
    listens=_own_listens,
    entities_from_uplinks=True,
)
VARIANTS = {variant.key: variant for variant in (MQTT, FLOOR, BARE, OURS)}
"""Those that are compared."""
BEFORE = replace(OURS, key="before", title="thethingsstack before")
"""Another revision of ours."""
ALL = {variant.key: variant for variant in (*VARIANTS.values(), BY_WEBHOOK, BEFORE)}
