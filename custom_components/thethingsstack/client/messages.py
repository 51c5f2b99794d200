"""The messages of the stream: uplinks, joins, locations and service data, and reading any message.

Reports on downlinks are in `downlink_reports`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, override

import orjson

from . import json_values
from .downlink_reports import (
    DownlinkAck,
    DownlinkFailed,
    DownlinkInvalidated,
    DownlinkNack,
    DownlinkQueued,
    DownlinkReport,
    DownlinkSent,
    DownlinkState,
)
from .envelope import Envelope, Identity, Message
from .errors import BadMessage
from .models import BatteryStatus, DataRate, GatewaySignal, Location, Reception, signal

__all__ = [
    "DownlinkAck",
    "DownlinkFailed",
    "DownlinkInvalidated",
    "DownlinkNack",
    "DownlinkQueued",
    "DownlinkReport",
    "DownlinkSent",
    "DownlinkState",
    "Envelope",
    "Identity",
    "JoinAccept",
    "LocationSolved",
    "Message",
    "NormalizedUplink",
    "ServiceData",
    "Uplink",
    "UplinkMessage",
    "parse_message",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplink(Message):
    """Base of uplink messages and of normalized uplinks: radio, counters, payload bytes."""

    @property
    def session_key_id(self) -> str | None:
        """The session's key ID in base64; None for a simulated uplink."""
        return json_values.text(self.body.get("session_key_id"))

    @property
    def f_port(self) -> int:
        """The LoRaWAN port; 0 for a frame with MAC commands only."""
        return json_values.integer(self.body.get("f_port")) or 0

    @property
    def f_cnt(self) -> int | None:
        """The frame counter; None for a simulated uplink without one."""
        counter = json_values.integer(self.body.get("f_cnt"))
        return 0 if counter is None and not self.simulated else counter

    @property
    def frm_payload(self) -> bytes | None:
        """The payload's bytes; None without payload."""
        return json_values.octets(self.body.get("frm_payload"))

    @property
    def normalized_payload_warnings(self) -> tuple[str, ...]:
        """Warnings of the normalizer: what it omitted, and why."""
        return json_values.texts(self.body.get("normalized_payload_warnings"))

    @property
    def receptions(self) -> tuple[Reception, ...]:
        """The receptions, one for each gateway antenna."""
        items = json_values.objects(self.body.get("rx_metadata"))
        return tuple(Reception.from_json(item) for item in items)

    @property
    def best_reception(self) -> Reception | None:
        """The reception with the highest SNR, then RSSI."""
        best = self._best_item
        return None if best is None else Reception.from_json(best)

    @property
    def _best_item(self) -> Mapping[str, Any] | None:
        items = json_values.objects(self.body.get("rx_metadata"))
        return max(items, key=_quality) if len(items) > 1 else items[0] if items else None

    @property
    def receptions_by_gateway(self) -> tuple[Reception, ...]:
        """The best reception of each gateway, the highest SNR first, then RSSI."""
        return tuple(signal.reception for signal in self.signals_by_gateway)

    @property
    def signals_by_gateway(self) -> Sequence[GatewaySignal]:
        """The best signal at each gateway, the highest SNR first, then RSSI."""
        items = json_values.objects(self.body.get("rx_metadata"))
        signals = [GatewaySignal.from_json(item) for item in items]
        if len(signals) > 1:
            signals.sort(key=_strength, reverse=True)
            if len({signal.gateway_id for signal in signals}) < len(signals):
                best: dict[str, GatewaySignal] = {}
                for signal in signals:
                    best.setdefault(signal.gateway_id, signal)
                signals = list(best.values())
        return signals

    @property
    def best_signal(self) -> GatewaySignal | None:
        """The signal with the highest SNR, then RSSI."""
        best = self._best_item
        return None if best is None else GatewaySignal.from_json(best)

    @property
    def data_rate(self) -> DataRate | None:
        """The data rate: modulation and its parameters."""
        settings = json_values.mapping(self.body.get("settings"))
        data_rate = settings.get("data_rate")
        if not isinstance(data_rate, dict):
            return None
        return DataRate.from_json(
            data_rate, coding_rate=json_values.text(settings.get("coding_rate"))
        )

    @property
    def frequency(self) -> int | None:
        """The frequency in Hz."""
        return json_values.integer(json_values.mapping(self.body.get("settings")).get("frequency"))

    @property
    def confirmed(self) -> bool:
        """Whether the device asked for an acknowledgement."""
        return self.body.get("confirmed") is True

    @property
    def consumed_airtime(self) -> float | None:
        """The time on air in seconds."""
        return json_values.seconds(self.body.get("consumed_airtime"))

    @property
    def packet_error_rate(self) -> float | None:
        """The share of the latest frames that were lost, 0 to 1; None where none is reported.

        The Things Stack leaves out a share of 0.
        """
        return json_values.number(self.body.get("packet_error_rate", 0.0))

    @property
    def last_battery(self) -> BatteryStatus | None:
        """The last battery status that the end device reported to the Network Server."""
        status = self.body.get("last_battery_percentage")
        return BatteryStatus.from_json(status) if isinstance(status, dict) and status else None


_WORST = float("-inf")


def _quality(reception: Mapping[str, Any]) -> tuple[float, float]:
    rssi, snr = signal(reception)
    return (_WORST if snr is None else snr, _WORST if rssi is None else rssi)


def _strength(signal: GatewaySignal) -> tuple[float, float]:
    _, rssi, snr, _ = signal
    return (_WORST if snr is None else snr, _WORST if rssi is None else rssi)


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkMessage(Uplink):
    """A frame that an end device sent."""

    kind: ClassVar[str] = "uplink_message"

    @property
    @override
    def identity(self) -> Identity | None:
        """End device and the network's time; not the counter, which ABP devices repeat."""
        if self.network_received_at is None:
            return None
        return (self.ids.device_id, self.kind, self.network_received_at)

    @property
    def decoded_payload(self) -> Mapping[str, Any] | None:
        """The object decoded by the payload formatter; None without one, or if it failed."""
        decoded = self.body.get("decoded_payload")
        return decoded if isinstance(decoded, dict) else None

    @property
    def decoded_payload_warnings(self) -> tuple[str, ...]:
        """Warnings of the payload formatter."""
        return json_values.texts(self.body.get("decoded_payload_warnings"))

    @property
    def normalized_payload(self) -> tuple[Mapping[str, Any], ...]:
        """The measurements in The Things Stack's normalized schema."""
        return tuple(json_values.objects(self.body.get("normalized_payload")))

    def with_decoded_payload(self, decoded: Mapping[str, Any]) -> Self:
        """Return this message with another decoded payload, and without a normalized one."""
        body = {**self.body, "decoded_payload": decoded}
        body.pop("normalized_payload", None)
        envelope = {**self.raw, self.kind: body}
        return replace(self, envelope=Envelope(envelope, orjson.dumps(envelope)))

    @property
    def has_application_data(self) -> bool:
        """Whether it has application data; frames with MAC commands only, and empty ones, don't."""
        if self.simulated and self.decoded_payload is not None:
            return True
        return self.f_port > 0 and json_values.text(self.body.get("frm_payload")) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizedUplink(Uplink):
    """One normalized measurement of an uplink; received before the uplink itself."""

    kind: ClassVar[str] = "uplink_normalized"

    @property
    @override
    def identity(self) -> Identity | None:
        """End device, the network's time and the measurement: one uplink may have several."""
        if self.network_received_at is None:
            return None
        measurement = orjson.dumps(self.normalized_payload, option=orjson.OPT_SORT_KEYS)
        return (self.ids.device_id, self.kind, self.network_received_at, measurement)

    @property
    def normalized_payload(self) -> Mapping[str, Any]:
        """The measurement."""
        return json_values.mapping(self.body.get("normalized_payload"))


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinAccept(Message):
    """An end device joined: it has a new address, a new session and new frame counters."""

    kind: ClassVar[str] = "join_accept"

    @property
    def session_key_id(self) -> str | None:
        """The new session's key ID in base64."""
        return json_values.text(self.body.get("session_key_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationSolved(Message):
    """A location service has found the end device's position."""

    kind: ClassVar[str] = "location_solved"

    @property
    def service(self) -> str:
        """The service ("frm-payload": from the decoded payload)."""
        return json_values.text(self.body.get("service")) or ""

    @property
    def location(self) -> Location | None:
        """The position; None if its coordinates are invalid."""
        return Location.read(self.body.get("location"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceData(Message):
    """A message of an application package."""

    kind: ClassVar[str] = "service_data"

    @property
    def service(self) -> str:
        """The name of the application package."""
        return json_values.text(self.body.get("service")) or ""

    @property
    def data(self) -> Mapping[str, Any]:
        """The package's data."""
        return json_values.mapping(self.body.get("data"))


_KINDS: Mapping[str, type[Message]] = {
    kind.kind: kind
    for kind in (
        UplinkMessage,
        NormalizedUplink,
        JoinAccept,
        DownlinkQueued,
        DownlinkSent,
        DownlinkAck,
        DownlinkNack,
        DownlinkFailed,
        DownlinkInvalidated,
        LocationSolved,
        ServiceData,
    )
}


def parse_message(topic: str | None, data: bytes | Mapping[str, Any]) -> Message:
    """Read a message of the stream, of a webhook or of the Storage Integration.

    The kind is known from the envelope, the topic is only for the error. Raises BadMessage.
    """
    came_as = None
    if isinstance(data, bytes | bytearray | memoryview):
        came_as = bytes(data)
        try:
            data = orjson.loads(data)
        except orjson.JSONDecodeError:
            raise BadMessage("the message is no JSON", topic=topic, name="invalid_json") from None
    if not isinstance(data, dict):
        raise BadMessage("the message is no JSON object", topic=topic, name="invalid_json")
    for key in data:
        if (kind := _KINDS.get(key)) is not None:
            break
    else:
        raise BadMessage("the message is of no known kind", topic=topic, name="no_message_kind")
    try:
        return kind.from_json(data, came_as)
    except BadMessage as error:
        raise BadMessage(str(error), topic=topic, name=error.name) from None
