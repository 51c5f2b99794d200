"""The changes to a registered end device, and which server each of them is for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from . import json_values
from .configuration import parse_lorawan_version
from .formatters import Formatters
from .models import Location, VersionIds
from .registration import USER_LOCATION, Part, Server
from .rules import check_texts


class Unchanged(Enum):
    """The type of UNCHANGED, the value of properties that aren't changed."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED

_SERVERS_OF_FIELD: Mapping[str, tuple[Server, ...]] = {
    "name": (Server.IDENTITY,),
    "description": (Server.IDENTITY,),
    "attributes": (Server.IDENTITY,),
    "locations": (Server.IDENTITY,),
    "version_ids": (Server.NETWORK, Server.APPLICATION, Server.IDENTITY),
    "formatters": (Server.APPLICATION,),
    "frequency_plan_id": (Server.NETWORK,),
    "lorawan_version": (Server.NETWORK,),
    "lorawan_phy_version": (Server.NETWORK,),
    "supports_class_b": (Server.NETWORK,),
    "supports_class_c": (Server.NETWORK,),
    "mac_settings": (Server.NETWORK,),
}
# The server that is most likely to refuse comes first.
ORDER = (Server.NETWORK, Server.APPLICATION, Server.IDENTITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChanges:
    """The changes to an end device; properties that aren't given are kept.

    "" empties a text. Of attributes and MAC settings, only those given change; None removes one.
    `location` is the user's, None removes it. With `formatters` None, the device uses the
    application's.
    """

    name: str | Unchanged = UNCHANGED
    description: str | Unchanged = UNCHANGED
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    location: Location | Unchanged | None = UNCHANGED
    version_ids: VersionIds | Unchanged = UNCHANGED
    formatters: Formatters | Unchanged | None = UNCHANGED
    frequency_plan_id: str | Unchanged = UNCHANGED
    lorawan_version: str | Unchanged = UNCHANGED
    lorawan_phy_version: str | Unchanged = UNCHANGED
    supports_class_b: bool | Unchanged = UNCHANGED
    supports_class_c: bool | Unchanged = UNCHANGED
    mac_settings: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raise InvalidRequest for texts and attributes that the servers would refuse."""
        check_texts(
            None if isinstance(self.name, Unchanged) else self.name,
            None if isinstance(self.description, Unchanged) else self.description,
            self.attributes,
        )

    def fields(self, server: Server) -> tuple[str, ...]:
        """Return the fields of this server that are changed."""
        named = {
            name
            for name in _SERVERS_OF_FIELD
            if name not in ("attributes", "locations", "mac_settings")
            and getattr(self, name) is not UNCHANGED
        }
        if self.attributes:
            named.add("attributes")
        if self.location is not UNCHANGED:
            named.add("locations")
        if self.mac_settings:
            named.add("mac_settings")
        return tuple(
            name
            for name, servers in _SERVERS_OF_FIELD.items()
            if name in named and server in servers
        )

    def wanted(self, name: str, present: Any) -> Any:
        """Return the new value of a field, given its present one; None if it is to be removed."""
        match name:
            case "attributes" | "mac_settings":
                merged = {**json_values.mapping(present), **getattr(self, name)}
                kept = {key: value for key, value in merged.items() if value is not None}
                if name == "attributes":
                    check_texts(None, attributes=kept)
                return kept or None
            case "locations":
                places = dict(json_values.mapping(present))
                places.pop(USER_LOCATION, None)
                if isinstance(self.location, Location):
                    places[USER_LOCATION] = self.location.as_json()
                return places or None
            case "lorawan_version":
                return parse_lorawan_version(getattr(self, name))
        value = getattr(self, name)
        if isinstance(value, Formatters | VersionIds):
            return value.as_json()
        return value or None


def difference(
    changes: DeviceChanges, server: Server, present: Mapping[str, Any]
) -> tuple[Part, Part] | None:
    """Return what to write to a server and what to write to undo it; None without a difference."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name in changes.fields(server):
        old = present.get(name) or None
        new = changes.wanted(name, old)
        if name == "formatters":
            # An empty object has a meaning: no formatter, not even the application's.
            old = present.get(name)
            same = old is not None and new == Formatters.from_json(old).as_json()
            if same or (old is None and new is None):
                continue
        elif old == new:
            continue
        before[name], after[name] = old, new
    if not after:
        return None
    return _part(after), _part(before)


def _part(fields: Mapping[str, Any]) -> Part:
    return Part(
        device={name: value for name, value in fields.items() if value is not None},
        paths=tuple(fields),
    )
