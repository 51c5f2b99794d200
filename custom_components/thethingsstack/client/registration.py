"""The data of a new end device, and which server gets which part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from .configuration import check_phy_version, parse_lorawan_version, usual_phy_version
from .errors import InvalidRequest
from .formatters import Formatters
from .identifiers import check_id, parse_dev_addr, parse_eui, parse_key
from .keys import KEY_NAMES, SERVER_NAMES, Requirements, missing, requirements
from .models import Location, VersionIds
from .repository import DeviceTemplate
from .rules import check_texts, parse_serial_number, printed_serial_number

USER_LOCATION = "user"
SESSION_KEYS = ("app_s_key", "f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key")
"""The keys of a session by the servers' names."""
SESSION_COUNTERS = ("last_f_cnt_up", "last_n_f_cnt_down", "last_a_f_cnt_down")
"""Its frame counters, the first two of the Network Server's part."""


class Server(StrEnum):
    """The servers that each have a part of an end device, in the order of creation."""

    IDENTITY = "identity"
    JOIN = "join"
    NETWORK = "network"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The session of a device that doesn't join (ABP): its address and session keys.

    The last two keys are LoRaWAN 1.1's.
    """

    dev_addr: str
    app_s_key: str = field(repr=False)
    f_nwk_s_int_key: str = field(repr=False)
    s_nwk_s_int_key: str | None = field(default=None, repr=False)
    nwk_s_enc_key: str | None = field(default=None, repr=False)
    counters: Mapping[str, int] = field(default_factory=dict)
    """The frame counters of a session that goes on: `last_f_cnt_up`, `last_n_f_cnt_down`,
    `last_a_f_cnt_down`. Without them the network takes it for a new one."""

    def as_json(self) -> dict[str, Any]:
        """Return it as the servers' JSON object, with its keys."""
        keys = {
            name: {"key": key} for name in SESSION_KEYS if (key := getattr(self, name)) is not None
        }
        return {"dev_addr": self.dev_addr, "keys": keys, **self.counters}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An end device to register; EUIs and keys in any usual spelling.

    One that joins (OTAA) needs DevEUI, JoinEUI and `app_key`, with LoRaWAN 1.1 `nwk_key` too; one
    that was `claimed` has its root keys elsewhere. One that doesn't (ABP) needs a `session`.
    """

    device_id: str
    dev_eui: str | None = None
    join_eui: str | None = None
    name: str | None = None
    description: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    location: Location | None = None
    version_ids: VersionIds | None = None
    serial_number: str | None = None
    vendor_id: int | None = None
    vendor_profile_id: int | None = None
    lorawan_version: str | None = None
    lorawan_phy_version: str | None = None
    frequency_plan_id: str | None = None
    supports_class_b: bool = False
    supports_class_c: bool = False
    mac_settings: Mapping[str, Any] = field(default_factory=dict)
    formatters: Formatters | None = None
    app_key: str | None = field(default=None, repr=False)
    nwk_key: str | None = field(default=None, repr=False)
    session: Session | None = None
    claimed: bool = False
    warnings: tuple[str, ...] = ()
    """Texts about data in a template that can't be registered."""

    @classmethod
    def from_template(cls, template: DeviceTemplate, **known: Any) -> Self:
        """Return a registration from a template of a model or a QR code, and further fields.

        An invalid serial number is omitted, which `warnings` says. Single `mac_settings` replace
        those of the template.
        """
        described: dict[str, Any] = {
            name: value
            for name in (
                "dev_eui",
                "join_eui",
                "version_ids",
                "lorawan_version",
                "lorawan_phy_version",
                "supports_class_b",
                "supports_class_c",
                "mac_settings",
                "formatters",
                "vendor_id",
                "vendor_profile_id",
            )
            if (value := getattr(template, name)) is not None
        }
        if "serial_number" not in known:
            serial_number, warnings = printed_serial_number(template.serial_number)
            described |= {"serial_number": serial_number, "warnings": warnings}
        if settings := known.get("mac_settings"):
            known["mac_settings"] = {**template.mac_settings, **settings}
        return cls(**{**described, **known})

    @property
    def supports_join(self) -> bool:
        """Whether the end device joins (OTAA)."""
        return self.session is None

    def checked(self) -> Self:
        """Return it with IDs, EUIs, keys and versions in the server's spelling.

        Raises InvalidRequest for missing or invalid values; makes no request.
        """
        check_id(self.device_id, "device ID")
        check_texts(self.name, self.description, self.attributes)
        version = parse_lorawan_version(_needed(self.lorawan_version, "lorawan_version"))
        changes: dict[str, Any] = {
            "dev_eui": None if self.dev_eui is None else parse_eui(self.dev_eui, "DevEUI"),
            "join_eui": None if self.join_eui is None else parse_eui(self.join_eui, "JoinEUI"),
            "lorawan_version": version,
            "lorawan_phy_version": check_phy_version(
                version, self.lorawan_phy_version or usual_phy_version(version)
            ),
            "frequency_plan_id": _needed(self.frequency_plan_id, "frequency_plan_id"),
            "serial_number": parse_serial_number(self.serial_number)
            if self.serial_number
            else None,
        }
        needed = requirements(version, joins=self.supports_join)
        for eui in needed.euis:
            _needed(getattr(self, eui), eui)
        if self.session is None:
            changes |= self._joining(needed)
        else:
            changes |= self._not_joining(self.session, needed)
        return replace(self, **changes)

    def _joining(self, needed: Requirements) -> dict[str, Any]:
        if self.claimed:
            return {"app_key": None, "nwk_key": None}
        if self.nwk_key and "nwk_key" not in needed.keys:
            raise InvalidRequest(
                "only LoRaWAN 1.1 has a network key (NwkKey)", name="nwk_key_unused"
            )
        return {key: _key(getattr(self, key), key) for key in needed.keys}

    def _not_joining(self, session: Session, needed: Requirements) -> dict[str, Any]:
        if self.app_key or self.nwk_key:
            raise InvalidRequest("a device that doesn't join has no root keys", name="keys_unused")
        keys: dict[str, Any] = {
            SERVER_NAMES[key]: _key(getattr(session, SERVER_NAMES[key]), key) for key in needed.keys
        }
        return {
            # Only end devices that join have it.
            "join_eui": None,
            "session": replace(session, dev_addr=parse_dev_addr(session.dev_addr), **keys),
        }


def _key(value: str | None, key: str) -> str:
    return parse_key(_needed(value, key), KEY_NAMES[key])


def _needed(value: str | None, name: str) -> str:
    if not value:
        raise missing(name)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Host names of the servers of an end device; `join` is None if its root keys are elsewhere."""

    network: str
    application: str
    join: str | None

    def as_json(self) -> dict[str, str]:
        """Return them as members of the Identity Server's JSON object."""
        named = {
            "network_server_address": self.network,
            "application_server_address": self.application,
            "join_server_address": self.join,
        }
        return {key: value for key, value in named.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A server's part of an end device, and the mask that names it."""

    device: Mapping[str, Any] = field(repr=False)
    paths: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the JSON body of the request that writes this part."""
        return {"end_device": dict(self.device), "field_mask": {"paths": list(self.paths)}}


def parts(registration: Registration, addresses: Addresses) -> dict[Server, Part]:
    """Return each server's part, in the order of creation; `registration` must be `checked()`."""
    ids = {
        key: value
        for key, value in (
            ("device_id", registration.device_id),
            ("dev_eui", registration.dev_eui),
            ("join_eui", registration.join_eui),
        )
        if value is not None
    }
    found = {Server.IDENTITY: _identity(registration, addresses)}
    if registration.supports_join and not registration.claimed:
        found[Server.JOIN] = _join(registration, addresses)
    found[Server.NETWORK] = _network(registration)
    found[Server.APPLICATION] = _application(registration)
    ids_paths = tuple(f"ids.{key}" for key in ids)
    return {
        server: Part(
            device={"ids": ids, **part.device},
            # There the ids are no fields to be set.
            paths=part.paths if server is Server.IDENTITY else part.paths + ids_paths,
        )
        for server, part in found.items()
    }


def _part(fields: Mapping[str, Any], paths: tuple[str, ...] | None = None) -> Part:
    return Part(device=fields, paths=tuple(fields) if paths is None else paths)


def _versions(registration: Registration) -> dict[str, Any]:
    versions = registration.version_ids
    return {} if versions is None else {"version_ids": versions.as_json()}


def _identity(registration: Registration, addresses: Addresses) -> Part:
    fields: dict[str, Any] = {**addresses.as_json(), **_versions(registration)}
    for name in ("name", "description", "serial_number"):
        if value := getattr(registration, name):
            fields[name] = value
    if registration.attributes:
        fields["attributes"] = dict(registration.attributes)
    if registration.location is not None:
        fields["locations"] = {USER_LOCATION: registration.location.as_json()}
    if registration.vendor_id is not None:
        fields["lora_alliance_profile_ids"] = {
            "vendor_id": registration.vendor_id,
            "vendor_profile_id": registration.vendor_profile_id or 0,
        }
    return _part(fields)


def _join(registration: Registration, addresses: Addresses) -> Part:
    keys = {
        name: {"key": key}
        for name in ("app_key", "nwk_key")
        if (key := getattr(registration, name)) is not None
    }
    fields = {
        "network_server_address": addresses.network,
        "application_server_address": addresses.application,
        "root_keys": keys,
    }
    paths = ("network_server_address", "application_server_address")
    return _part(fields, paths + tuple(f"root_keys.{name}.key" for name in keys))


def _network(registration: Registration) -> Part:
    fields: dict[str, Any] = {
        "supports_join": registration.supports_join,
        "lorawan_version": registration.lorawan_version,
        "lorawan_phy_version": registration.lorawan_phy_version,
        "frequency_plan_id": registration.frequency_plan_id,
        "supports_class_b": registration.supports_class_b,
        "supports_class_c": registration.supports_class_c,
        **_versions(registration),
    }
    paths = tuple(fields)
    if registration.mac_settings:
        fields["mac_settings"] = dict(registration.mac_settings)
        paths += tuple(f"mac_settings.{name}" for name in registration.mac_settings)
    if (session := registration.session) is not None:
        keys = {
            name: {"key": key}
            for name in ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key")
            if (key := getattr(session, name)) is not None
        }
        counters = _counters(session, *SESSION_COUNTERS[:2])
        fields["session"] = {"dev_addr": session.dev_addr, "keys": keys, **counters}
        paths += ("session.dev_addr", *(f"session.keys.{name}.key" for name in keys))
        paths += tuple(f"session.{name}" for name in counters)
    return _part(fields, paths)


def _application(registration: Registration) -> Part:
    fields: dict[str, Any] = _versions(registration)
    if registration.formatters is not None:
        fields["formatters"] = registration.formatters.as_json()
    paths = tuple(fields)
    if (session := registration.session) is not None:
        keys = {"app_s_key": {"key": session.app_s_key}}
        counters = _counters(session, SESSION_COUNTERS[2])
        fields["session"] = {"dev_addr": session.dev_addr, "keys": keys, **counters}
        paths += ("session.dev_addr", "session.keys.app_s_key.key")
        paths += tuple(f"session.{name}" for name in counters)
    return _part(fields, paths)


def _counters(session: Session, *names: str) -> dict[str, int]:
    return {name: session.counters[name] for name in names if name in session.counters}
