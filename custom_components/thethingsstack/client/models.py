"""Dataclasses for the parts of messages and HTTP answers.

Every `from_json` takes a parsed object as the server sends it. Fields that are missing are zero
(the server omits zero values), unknown ones are ignored, and ones of an unexpected type count as
missing: a newer or odd server must not stop an application.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Self

from . import json_values
from .error_details import ErrorDetails

__all__ = [
    "Application",
    "BatteryStatus",
    "DataRate",
    "EndDevice",
    "EndDeviceIds",
    "ErrorDetails",
    "Formatter",
    "GatewaySignal",
    "KeyInfo",
    "Location",
    "MqttAddress",
    "Reception",
    "VersionIds",
    "signal",
]

_UNKNOWN_HARDWARE = "_unknown_hw_version_"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeviceIds:
    """The identifiers of an end device; EUIs and address in upper-case hexadecimal digits."""

    device_id: str
    application_id: str
    dev_eui: str | None = None
    join_eui: str | None = None
    dev_addr: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read `end_device_ids` or a device's `ids`; ids that are missing are empty."""
        return cls(
            device_id=json_values.text(data.get("device_id")) or "",
            application_id=json_values.text(
                json_values.mapping(data.get("application_ids")).get("application_id")
            )
            or "",
            dev_eui=json_values.hexadecimal(data.get("dev_eui")),
            join_eui=json_values.hexadecimal(data.get("join_eui")),
            dev_addr=json_values.hexadecimal(data.get("dev_addr")),
        )

    @staticmethod
    def of_message(data: Mapping[str, Any]) -> "EndDeviceIds":
        """Read `end_device_ids` of a message; those of one end device are mostly one object."""
        application = json_values.mapping(data.get("application_ids")).get("application_id")
        try:
            return _end_device_ids(application, *map(data.get, _DEVICE_IDS))
        except TypeError:  # an id is neither a string nor a number
            return EndDeviceIds.from_json(data)


_DEVICE_IDS = ("device_id", "dev_eui", "join_eui", "dev_addr")


@lru_cache(maxsize=4096)
def _end_device_ids(application_id: object, *ids: object) -> EndDeviceIds:
    application = {"application_ids": {"application_id": application_id}}
    return EndDeviceIds.from_json(application | dict(zip(_DEVICE_IDS, ids, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A location in degrees and metres; `source` is without its prefix ("GPS", "REGISTRY")."""

    latitude: float
    longitude: float
    altitude: int | None = None
    accuracy: int | None = None
    source: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a location; latitude and longitude 0 are omitted by the server."""
        source = json_values.text(data.get("source"))
        return cls(
            latitude=json_values.number(data.get("latitude")) or 0.0,
            longitude=json_values.number(data.get("longitude")) or 0.0,
            altitude=json_values.integer(data.get("altitude")),
            accuracy=json_values.integer(data.get("accuracy")),
            source=source.removeprefix("SOURCE_") if source else None,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the location as JSON for a request; without a source, as set by a user."""
        data: dict[str, Any] = {
            "latitude": self.latitude,
            "longitude": self.longitude,
            "altitude": self.altitude,
            "accuracy": self.accuracy,
            "source": f"SOURCE_{self.source or 'REGISTRY'}",
        }
        return {key: value for key, value in data.items() if value}

    @classmethod
    def read(cls, data: object) -> Self | None:
        """Read a location; None if it is missing, empty, or its coordinates are invalid."""
        if not isinstance(data, dict) or not ("latitude" in data or "longitude" in data):
            return None
        place = cls.from_json(data)
        on_map = -90 <= place.latitude <= 90 and -180 <= place.longitude <= 180
        return place if on_map else None

    @classmethod
    def read_all(cls, data: object) -> Mapping[str, Self]:
        """Read the locations of an end device, by their source ("user", "frm-payload")."""
        found = {service: cls.read(place) for service, place in json_values.mapping(data).items()}
        return {service: place for service, place in found.items() if place is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionIds:
    """Brand, model and versions as the Device Repository names them."""

    brand_id: str | None = None
    model_id: str | None = None
    hardware_version: str | None = None
    firmware_version: str | None = None
    band_id: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read `version_ids`; the repository's "_unknown_hw_version_" counts as none."""
        hardware = json_values.text(data.get("hardware_version"))
        return cls(
            brand_id=json_values.text(data.get("brand_id")),
            model_id=json_values.text(data.get("model_id")),
            hardware_version=None if hardware == _UNKNOWN_HARDWARE else hardware,
            firmware_version=json_values.text(data.get("firmware_version")),
            band_id=json_values.text(data.get("band_id")),
        )

    @staticmethod
    def read(data: object) -> "VersionIds | None":
        """Read `version_ids`; None if they are missing or empty.

        Each uplink has them, and mostly the same: equal ones are one object.
        """
        if not isinstance(data, dict) or not data:
            return None
        try:
            return _version_ids(*map(data.get, _VERSION_PARTS))
        except TypeError:  # a part is neither a string nor a number
            return VersionIds.from_json(data)

    def is_read_from(self, data: object) -> bool:
        """Return whether `read` would return the same for `data`; False may be wrong, True never is.

        Costs less than reading, and that of most messages is known already.
        """
        if type(data) is not dict or not data:
            return False
        hardware = data.get("hardware_version")
        return (
            data.get("model_id") == self.model_id
            and data.get("brand_id") == self.brand_id
            and data.get("firmware_version") == self.firmware_version
            and data.get("band_id") == self.band_id
            and (None if hardware == _UNKNOWN_HARDWARE else hardware) == self.hardware_version
        )

    def as_json(self) -> dict[str, str]:
        """Return `version_ids` as JSON for a request."""
        named = {
            "brand_id": self.brand_id,
            "model_id": self.model_id,
            "hardware_version": self.hardware_version or _UNKNOWN_HARDWARE,
            "firmware_version": self.firmware_version,
            "band_id": self.band_id,
        }
        return {key: value for key, value in named.items() if value}


_VERSION_PARTS = ("brand_id", "model_id", "hardware_version", "firmware_version", "band_id")


@lru_cache(maxsize=1024)
def _version_ids(*parts: object) -> VersionIds:
    return VersionIds.from_json(dict(zip(_VERSION_PARTS, parts, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatter:
    """A payload formatter of one direction; `parameter` is the script, if it has one.

    The kinds are FORMATTER_REPOSITORY, _JAVASCRIPT, _CAYENNELPP and _GRPC_SERVICE.
    """

    kind: str
    parameter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """The reception of an uplink by one antenna: RSSI in dBm, SNR in dB.

    A gateway of another network (Packet Broker) has its own ID, not that of the broker.
    """

    gateway_id: str
    gateway_eui: str | None = None
    rssi: float | None = None
    snr: float | None = None
    location: Location | None = None
    received_at: datetime | None = None
    via_packet_broker: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an item of `rx_metadata`."""
        gateway_id, gateway_eui = _gateway_of(data)
        rssi, snr = signal(data)
        return cls(
            gateway_id=gateway_id,
            gateway_eui=gateway_eui,
            rssi=rssi,
            snr=snr,
            location=Location.read(data.get("location")),
            received_at=json_values.time(data.get("received_at")),
            via_packet_broker=(
                isinstance(data.get("packet_broker"), dict) or gateway_id == "packetbroker"
            ),
        )


class GatewaySignal(NamedTuple):
    """How a gateway received an uplink: RSSI in dBm, SNR in dB; cheaper than a Reception."""

    gateway_id: str
    rssi: float | None
    snr: float | None
    data: Mapping[str, Any]
    """The item of `rx_metadata`."""

    @property
    def reception(self) -> Reception:
        """All that is known of it."""
        return Reception.from_json(self.data)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an item of `rx_metadata`."""
        ids, rssi, snr = data.get("gateway_ids"), data.get("rssi"), data.get("snr")
        if "packet_broker" not in data and type(ids) is dict:
            gateway_id = json_values.text(ids.get("gateway_id")) or ""
        else:
            gateway_id = _gateway_of(data)[0]
        if type(rssi) is int and type(snr) is float:
            rssi = float(rssi)  # as the server sends them
        elif not (type(rssi) is float and type(snr) is float):
            rssi, snr = signal(data)
        return cls(gateway_id, rssi, snr, data)


def _gateway_of(data: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return ID and EUI of the gateway in an item of `rx_metadata`."""
    ids = json_values.mapping(data.get("gateway_ids"))
    gateway_id = json_values.text(ids.get("gateway_id"))
    gateway_eui = json_values.hexadecimal(ids.get("eui"))
    broker = data.get("packet_broker")
    if isinstance(broker, dict):
        gateway_eui = json_values.hexadecimal(broker.get("forwarder_gateway_eui"))
        gateway_id = (
            json_values.text(broker.get("forwarder_gateway_id"))
            or (gateway_eui and f"eui-{gateway_eui.lower()}")
            or gateway_id
        )
    return gateway_id or "", gateway_eui


def signal(data: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return RSSI and SNR of an item of `rx_metadata`."""
    rssi = json_values.number(data.get("rssi"))
    if rssi is None:
        rssi = json_values.number(data.get("channel_rssi"))
    snr = json_values.number(data.get("snr"))
    # 0 dB is omitted; 0 dBm never happens.
    return rssi, 0.0 if snr is None and rssi is not None else snr


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRate:
    """A data rate: LoRa (spreading factor), FSK (bit rate) or LR-FHSS; in Hz and bit/s."""

    spreading_factor: int | None = None
    bandwidth: int | None = None
    coding_rate: str | None = None
    bit_rate: int | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, coding_rate: str | None = None) -> Self:
        """Read `settings.data_rate`; old servers put the coding rate beside it."""
        if isinstance(lora := data.get("lora"), dict):
            return cls(
                spreading_factor=json_values.integer(lora.get("spreading_factor")),
                bandwidth=json_values.integer(lora.get("bandwidth")),
                coding_rate=json_values.text(lora.get("coding_rate")) or coding_rate,
            )
        if isinstance(fsk := data.get("fsk"), dict):
            return cls(bit_rate=json_values.integer(fsk.get("bit_rate")))
        hopping = json_values.mapping(data.get("lrfhss"))
        return cls(
            bandwidth=json_values.integer(hopping.get("operating_channel_width")),
            coding_rate=json_values.text(hopping.get("coding_rate")),
        )

    @property
    def name(self) -> str | None:
        """The usual short name: "SF7BW125", "FSK50", "LR-FHSS BW137"."""
        if self.spreading_factor is not None:
            return f"SF{self.spreading_factor}BW{(self.bandwidth or 0) / 1000:g}"
        if self.bit_rate is not None:
            return f"FSK{self.bit_rate / 1000:g}"
        return None if self.bandwidth is None else f"LR-FHSS BW{self.bandwidth / 1000:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryStatus:
    """The battery level that an end device reported to the network; `value` in per cent (0-100)."""

    value: float
    f_cnt: int = 0
    received_at: datetime | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read `last_battery_percentage`."""
        return cls(
            value=json_values.number(data.get("value")) or 0.0,
            f_cnt=json_values.integer(data.get("f_cnt")) or 0,
            received_at=json_values.time(data.get("received_at")),
        )

    @classmethod
    def from_registry(cls, data: Mapping[str, Any]) -> Self | None:
        """Read the Network Server's part of an end device; None without a level.

        There it is a fraction, 0 to 1.
        """
        share = json_values.number(data.get("battery_percentage"))
        if share is None or data.get("power_state") == "POWER_EXTERNAL":
            return None
        received_at = json_values.time(data.get("last_dev_status_received_at"))
        return cls(value=round(share * 100, 6), received_at=received_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDevice:
    """A registered end device; `raw` is the server's object."""

    ids: EndDeviceIds
    name: str | None = None
    description: str | None = None
    attributes: Mapping[str, str]
    version_ids: VersionIds | None = None
    locations: Mapping[str, Location]
    serial_number: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    activated_at: datetime | None = None
    last_seen_at: datetime | None = None
    application_server_address: str | None = None
    raw: Mapping[str, Any]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an end device of any of the servers."""
        return cls(
            ids=EndDeviceIds.from_json(json_values.mapping(data.get("ids"))),
            name=json_values.text(data.get("name")),
            description=json_values.text(data.get("description")),
            attributes=json_values.text_map(data.get("attributes")),
            version_ids=VersionIds.read(data.get("version_ids")),
            locations=Location.read_all(data.get("locations")),
            serial_number=json_values.text(data.get("serial_number")),
            created_at=json_values.time(data.get("created_at")),
            updated_at=json_values.time(data.get("updated_at")),
            activated_at=json_values.time(data.get("activated_at")),
            last_seen_at=json_values.time(data.get("last_seen_at")),
            application_server_address=json_values.text(data.get("application_server_address")),
            raw=data,
        )

    @property
    def has_joined(self) -> bool:
        """Whether it has joined; not every server says when."""
        return self.activated_at is not None or self.ids.dev_addr is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application; the server addresses are host names, empty for old applications."""

    application_id: str
    name: str | None = None
    description: str | None = None
    attributes: Mapping[str, str]
    application_server_address: str | None = None
    network_server_address: str | None = None
    join_server_address: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an application."""
        return cls(
            application_id=json_values.text(
                json_values.mapping(data.get("ids")).get("application_id")
            )
            or "",
            name=json_values.text(data.get("name")),
            description=json_values.text(data.get("description")),
            attributes=json_values.text_map(data.get("attributes")),
            application_server_address=json_values.text(data.get("application_server_address")),
            network_server_address=json_values.text(data.get("network_server_address")),
            join_server_address=json_values.text(data.get("join_server_address")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """An API key's owner, rights and expiry; exactly one of the owners is set."""

    key_id: str | None = None
    key_name: str | None = None
    rights: frozenset[str]
    expires_at: datetime | None = None
    application_id: str | None = None
    user_id: str | None = None
    organization_id: str | None = None
    gateway_id: str | None = None
    is_admin: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read the answer of `auth_info` (API key, OAuth access token or user session)."""
        outer = json_values.mapping(data.get("api_key"))
        token = json_values.mapping(data.get("oauth_access_token") or data.get("user_session"))
        key = json_values.mapping(outer.get("api_key")) or token
        owner = json_values.mapping(outer.get("entity_ids")) or token
        universal = json_values.mapping(data.get("universal_rights"))

        def owner_id(kind: str) -> str | None:
            return json_values.text(json_values.mapping(owner.get(f"{kind}_ids")).get(f"{kind}_id"))

        return cls(
            key_id=json_values.text(key.get("id")),
            key_name=json_values.text(key.get("name")),
            rights=frozenset(
                json_values.texts(key.get("rights")) + json_values.texts(universal.get("rights"))
            ),
            expires_at=json_values.time(key.get("expires_at")),
            application_id=owner_id("application"),
            user_id=owner_id("user"),
            organization_id=owner_id("organization"),
            gateway_id=owner_id("gateway"),
            is_admin=data.get("is_admin") is True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttAddress:
    """Address of an application's MQTT server."""

    host: str
    port: int
    tls: bool
    username: str
