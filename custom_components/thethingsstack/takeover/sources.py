"""The other integrations: which entry is of the same application, and which field an entity shows.

Facts from their public code: Home Assistant's `thethingsnetwork` 2026.10 and 2026.11 with
`ttn_client` 1.3; its predecessor and its fork of the same domain; `thethingsnetwork_alt`, which has
the same unique IDs; and `ttn_mqtt`, whose IDs begin with that of its entry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import re
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from yarl import URL

from ..payload import Meaning

CONF_HOST: Final = "host"
SENSECAP: Final = "sensecap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An integration whose entities can be taken over."""

    name: str
    application: str = "app_id"
    """The key of its entry's data with the application's ID."""
    by_entry: bool = False
    """Whether its IDs begin with that of its entry, and not with the application's."""
    own_keys: frozenset[str] = frozenset()
    """What it shows besides decoded fields."""

    def application_id(self, entry: ConfigEntry) -> str | None:
        """Return the application of an entry."""
        return entry.data.get(self.application)


SOURCES: Final[Mapping[str, Source]] = {
    "thethingsnetwork": Source(name="The Things Network (Cloud Storage)"),
    "thethingsnetwork_alt": Source(name="The Things Network HA-Alt"),
    "ttn_mqtt": Source(
        name="The Things Stack (MQTT)",
        application="application_id",
        by_entry=True,
        own_keys=frozenset(
            [
                "rssi",
                "snr",
                "f_cnt",
                "f_port",
                "spreading_factor",
                "bandwidth",
                "frequency",
                "gateway_count",
                "consumed_airtime",
            ]
        ),
    ),
}
"""By domain."""

_STEP = re.compile(r"(?<!\\)\.")
_NUMBER = re.compile(r"_\d+$")


@dataclass(frozen=True, slots=True)
class OldEntity:
    """An entity of another integration, and what it shows."""

    entry: er.RegistryEntry
    device_id: str
    """The end device's ID in The Things Stack."""
    field: str
    """The field's name there."""


def entries_of_application(
    hass: HomeAssistant, application_id: str, server: str
) -> list[ConfigEntry]:
    """Return the entries of other integrations for an application; `server` is its address.

    The predecessor of Home Assistant's integration knew one server only, and names none.
    """
    return [
        entry
        for domain, source in SOURCES.items()
        for entry in hass.config_entries.async_entries(domain, include_ignore=False)
        if source.application_id(entry) == application_id
        and _host(str(entry.data.get(CONF_HOST, ""))) in ("", URL(server).host)
    ]


def _host(given: str) -> str:
    """Return the host of what a user gave as one: with a port, or an address."""
    return given.rpartition("//")[2].partition("/")[0].partition(":")[0].casefold()


def old_entities(hass: HomeAssistant, entry: ConfigEntry) -> list[OldEntity]:
    """Return the entities that another integration's entry still has, and what they show."""
    devices, found, source = dr.async_get(hass), [], SOURCES[entry.domain]
    prefix = f"{source.application_id(entry)}_"
    if source.by_entry:
        prefix = f"{entry.entry_id}_"
    for item in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        device = devices.async_get(item.device_id) if item.device_id is not None else None
        if device is None:
            continue
        for domain, identifier in device.identifiers:
            device_id = identifier.removeprefix(prefix)
            start = f"{prefix}{device_id}_" if source.by_entry else f"{device_id}_"
            if domain == entry.domain and item.unique_id.startswith(start):
                field = item.unique_id.removeprefix(start)
                found.append(OldEntity(item, device_id, field))
    return found


def is_own(old: OldEntity) -> bool:
    """Return whether the other integration's entity shows no decoded field, but RSSI and the like."""
    return old.field in SOURCES[old.entry.platform].own_keys


def path_of(field: str, decisions: Mapping[str, Meaning], brand_id: str | None) -> str | None:
    """Return the path of a field that another integration names; None if there is none yet."""
    if brand_id == SENSECAP:
        return _sensecap_path(field, decisions)
    return next((path for path in _sorted(decisions) if "_".join(steps_of(path)) == field), None)


def is_split(field: str, decisions: Iterable[str]) -> bool:
    """Return whether a field is a list there, whose items are fields of their own here."""
    return any("_".join(steps_of(path)).startswith(f"{field}_") for path in decisions)


def steps_of(path: str) -> list[str]:
    """Return the keys that lead to a field."""
    return [re.sub(r"\\(.)", r"\1", step) for step in _STEP.split(path)]


def _sorted(decisions: Mapping[str, Any]) -> list[str]:
    """Return the paths, those with fewer steps first: a key may have an underscore itself."""
    return sorted(decisions, key=lambda path: (len(steps_of(path)), path))


def _sensecap_path(field: str, decisions: Mapping[str, Meaning]) -> str | None:
    """Return the path of a field of SenseCAP's messages, named by type and measurement number."""
    label = _NUMBER.sub("", field)
    for path in _sorted(decisions):
        *above, last = steps_of(path)
        if above[:1] != ["messages"]:
            if not above and last == field:
                return path
        elif last == "Battery(%)":
            if field == "battery":
                return path
        elif label != field and last.replace(" ", "_") == label:
            return path
    return None
