"""The fields of an end device in the Console's files: CSV column, place in JSON, and check.

https://www.thethingsindustries.com/docs/hardware/devices/adding-devices/adding-devices-in-bulk/
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..configuration import parse_lorawan_version
from ..errors import InvalidRequest
from ..formatters import KINDS, Formatters
from ..identifiers import check_id, parse_dev_addr, parse_eui, parse_key
from ..keys import KEY_NAMES, SERVER_NAMES
from ..models import Location
from ..rules import check_texts, parse_serial_number

_TRUE = ("true", "t", "1", "yes")
_FALSE = ("false", "f", "0", "no")
_MAX_COUNT = 2**32 - 1
_MAX_DELAY = 15
"""Seconds between an uplink and its first receive window, at most (LoRaWAN)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of an end device; `read` checks a value and returns it in our spelling.

    `path` is its place in the JSON object. CSV has no column for some fields, and two members of
    `mac_settings` have a column of their own.
    """

    name: str
    path: tuple[str, ...]
    read: Callable[[Any], Any]
    csv: bool = True
    json: bool = True
    secret: bool = False

    def value_in(self, device: Mapping[str, Any]) -> Any:
        """Return its value in an end device's JSON object; None if it is missing."""
        value: Any = device
        for member in self.path:
            value = value.get(member) if isinstance(value, dict) else None
        return value


def _invalid(kind: str, text: str, value: object) -> InvalidRequest:
    return InvalidRequest(text, name=f"invalid_{kind}", attributes={"value": str(value)})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _invalid("text", f"`{value}` is no text", value)
    return value.strip()


def _name(value: Any) -> str:
    check_texts(text := _text(value))
    return text


def _description(value: Any) -> str:
    check_texts(None, text := _text(value))
    return text


def _truth(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE + _FALSE:
        raise _invalid("truth", f"`{value}` is neither true nor false", value)
    return text in _TRUE


def _whole(value: Any) -> int:
    text = str(value).strip()
    # A number beyond this is refused as text: Python takes long to read thousands of digits.
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else -1
    if isinstance(value, bool) or not 0 <= number <= _MAX_COUNT:
        raise _invalid("number", f"`{value}` is no whole number from 0 to {_MAX_COUNT}", value)
    return number


def _delay(value: Any) -> str:
    text = str(value).strip().upper().removeprefix("RX_DELAY_")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else -1
    if isinstance(value, bool) or not 0 <= number <= _MAX_DELAY:
        raise _invalid("rx_delay", f"`{value}` is no delay such as RX_DELAY_1 or 1", value)
    return f"RX_DELAY_{number}"


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _invalid("object", f"`{value}` is no JSON object", value)
    return value


def _attributes(value: Any) -> Mapping[str, str]:
    attributes = {key: _text(text) for key, text in _object(value).items()}
    check_texts(None, None, attributes)
    return attributes


def _location(value: Any) -> Location:
    if (place := Location.read(value)) is None:
        raise _invalid("location", "the location has no valid latitude and longitude", "")
    return place


def _formatters(value: Any) -> Formatters:
    found = Formatters.from_json(_object(value))
    for formatter in (found.up, found.down):
        if formatter is not None and formatter.kind not in KINDS:
            raise _invalid(
                "formatter", f"`{formatter.kind}` is none of {', '.join(KINDS)}", formatter.kind
            )
    return found


def _eui(kind: str) -> Callable[[Any], str]:
    return lambda value: parse_eui(_text(value), kind)


def _key(name: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        # Not `_text`, whose error would show it.
        return parse_key(value if isinstance(value, str) else "", KEY_NAMES[name])

    return read


def _field(
    name: str,
    path: str,
    read: Callable[[Any], Any] = _text,
    *,
    csv: bool = True,
    json: bool = True,
    secret: bool = False,
) -> Field:
    return Field(
        name=name, path=tuple(path.split(".")), read=read, csv=csv, json=json, secret=secret
    )


def _session_key(name: str, *, csv: bool) -> Field:
    server_name = SERVER_NAMES[name]
    path = f"session.keys.{server_name}.key"
    return _field(server_name, path, _key(name), csv=csv, secret=True)


FIELDS = (
    _field("id", "ids.device_id", lambda value: check_id(_text(value), "device ID")),
    _field("dev_eui", "ids.dev_eui", _eui("DevEUI")),
    _field("join_eui", "ids.join_eui", _eui("JoinEUI")),
    _field("name", "name", _name),
    _field("description", "description", _description),
    _field("frequency_plan_id", "frequency_plan_id"),
    _field("lorawan_version", "lorawan_version", lambda v: parse_lorawan_version(_text(v))),
    _field("lorawan_phy_version", "lorawan_phy_version"),
    _field("brand_id", "version_ids.brand_id"),
    _field("model_id", "version_ids.model_id"),
    _field("hardware_version", "version_ids.hardware_version"),
    _field("firmware_version", "version_ids.firmware_version"),
    _field("band_id", "version_ids.band_id"),
    _field("app_key", "root_keys.app_key.key", _key("app_key"), secret=True),
    _field("nwk_key", "root_keys.nwk_key.key", _key("nwk_key"), secret=True),
    _field("rx1_delay", "mac_settings.rx1_delay", _delay, json=False),
    _field("supports_32_bit_f_cnt", "mac_settings.supports_32_bit_f_cnt", _truth, json=False),
    _field("dev_addr", "session.dev_addr", lambda value: parse_dev_addr(_text(value))),
    _session_key("app_s_key", csv=True),
    _session_key("nwk_s_key", csv=True),
    _session_key("s_nwk_s_int_key", csv=False),
    _session_key("nwk_s_enc_key", csv=False),
    _field("last_f_cnt_up", "session.last_f_cnt_up", _whole),
    _field("last_n_f_cnt_down", "session.last_n_f_cnt_down", _whole),
    _field("last_a_f_cnt_down", "session.last_a_f_cnt_down", _whole),
    _field("supports_class_b", "supports_class_b", _truth, csv=False),
    _field("supports_class_c", "supports_class_c", _truth),
    _field("vendor_id", "lora_alliance_profile_ids.vendor_id", _whole),
    _field("vendor_profile_id", "lora_alliance_profile_ids.vendor_profile_id", _whole),
    _field("serial_number", "serial_number", lambda v: parse_serial_number(_text(v)), csv=False),
    _field("supports_join", "supports_join", _truth, csv=False),
    _field("attributes", "attributes", _attributes, csv=False),
    _field("location", "locations.user", _location, csv=False),
    _field("mac_settings", "mac_settings", _object, csv=False),
    _field("formatters", "formatters", _formatters, csv=False),
)
"""All fields that are read and written; those of CSV in the order of the Console's columns."""

COLUMNS: Mapping[str, Field] = {field.name: field for field in FIELDS if field.csv}
ALIASES = {"app_eui": "join_eui"}
"""Other names of columns."""
MEMBERS: Mapping[str, Field] = {field.name: field for field in FIELDS if field.json}

COUNTERS = ("last_f_cnt_up", "last_n_f_cnt_down", "last_a_f_cnt_down")
VERSION_IDS = ("brand_id", "model_id", "hardware_version", "firmware_version", "band_id")
MAC_SETTINGS = ("rx1_delay", "supports_32_bit_f_cnt")

OF_SERVERS = frozenset(
    [
        "created_at",
        "updated_at",
        "activated_at",
        "last_seen_at",
        "application_server_address",
        "network_server_address",
        "join_server_address",
        "application_server_id",
        "application_server_kek_label",
        "network_server_kek_label",
        "net_id",
        "mac_state",
        "pending_mac_state",
        "pending_session",
        "battery_percentage",
        "downlink_margin",
        "power_state",
        "used_dev_nonces",
        "last_dev_nonce",
        "last_join_nonce",
        "last_rj_count_0",
        "last_rj_count_1",
        "last_dev_status_received_at",
        "min_frequency",
        "max_frequency",
    ]
)
"""Members of the JSON object that the servers set by themselves, and that no import needs."""
