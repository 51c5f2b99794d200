"""Whatever arrives as a message, over MQTT, in a webhook's body or from the storage, is survived."""

from collections.abc import Mapping
import json
from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest

from tests.properties import json_values, scalars, thorough
from thethingsstack import BadMessage, Message, parse_message
from thethingsstack.models import Application, EndDevice, KeyInfo, Location, VersionIds
from thethingsstack.repository import DeviceTemplate

_KINDS = (
    "uplink_message",
    "uplink_normalized",
    "join_accept",
    "downlink_queued",
    "downlink_sent",
    "downlink_ack",
    "downlink_nack",
    "downlink_failed",
    "downlink_queue_invalidated",
    "location_solved",
    "service_data",
)
_TIMES = (
    "2026-11-23T10:00:00Z",
    "2026-11-23T10:00:00.123456789Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999-23:59",
    "2026-11-23 10:00",
    "now",
    "",
)
_texts = st.one_of(
    st.sampled_from(
        (*_TIMES, "AQID", "AQ==", "A", "_-8", "0.056576s", "nans", "12", "1e5", "NaN", "9" * 5000)
    ),
    st.text(max_size=20),
)
_members = (
    "application_ids",
    "application_id",
    "device_id",
    "dev_eui",
    "received_at",
    "f_port",
    "f_cnt",
    "frm_payload",
    "decoded_payload",
    "decoded_payload_warnings",
    "normalized_payload",
    "rx_metadata",
    "gateway_ids",
    "gateway_id",
    "rssi",
    "channel_rssi",
    "snr",
    "location",
    "locations",
    "latitude",
    "longitude",
    "altitude",
    "accuracy",
    "settings",
    "data_rate",
    "lora",
    "fsk",
    "lrfhss",
    "bandwidth",
    "spreading_factor",
    "bit_rate",
    "frequency",
    "consumed_airtime",
    "packet_error_rate",
    "last_battery_percentage",
    "value",
    "version_ids",
    "brand_id",
    "attributes",
    "correlation_ids",
    "session_key_id",
    "downlinks",
    "downlink",
    "error",
    "details",
    "cause",
    "service",
    "data",
    "ids",
    "name",
    "formatters",
    "mac_settings",
    "lorawan_version",
    "end_device",
)
_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(json_values, _texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_members), inner, max_size=5)
    ),
    max_leaves=15,
)
_bodies = st.dictionaries(st.sampled_from(_members), _values, max_size=8)
_ids = st.one_of(
    st.just({"device_id": "barn", "application_ids": {"application_id": "farm"}}), _values
)


@st.composite
def _envelopes(draw: st.DrawFn) -> dict[str, Any]:
    """Return what looks like a message, with anything at all in its members."""
    envelope = draw(st.dictionaries(st.sampled_from(_members), _values, max_size=3))
    envelope["end_device_ids"] = draw(_ids)
    envelope["received_at"] = draw(st.one_of(_texts, _values))
    kind = draw(st.sampled_from(_KINDS))
    envelope[kind] = draw(st.one_of(_bodies, _values))
    return envelope


def _read_everything(thing: object) -> None:
    """Read each public attribute, and those of what they give."""
    for name in dir(type(thing)):
        if name.startswith("_") or callable(getattr(type(thing), name)):
            continue
        value = getattr(thing, name)
        for part in value if isinstance(value, tuple) else (value,):
            if type(part).__module__.startswith("thethingsstack"):
                _read_everything(part)


def _parsed(data: bytes | Mapping[str, Any]) -> Message | None:
    try:
        return parse_message("v3/farm/devices/barn/up", data)
    except BadMessage:
        return None


@thorough(150)
@given(_envelopes())
def test_any_envelope_is_read_or_refused(envelope: dict[str, Any]) -> None:
    """Each attribute can be read, however odd the JSON is; and again when it was folded."""
    if (message := _parsed(envelope)) is None:
        return
    _read_everything(message)
    hash(message.identity)
    assert message.ids.device_id


@thorough(100)
@given(_envelopes())
def test_bytes_are_read_like_what_they_stand_for(envelope: dict[str, Any]) -> None:
    """The body of a webhook, and a message of the stream; folded, it is the same."""
    data = json.dumps(envelope).encode()
    try:
        from_json = _parsed(orjson.loads(data))
    except orjson.JSONDecodeError:  # an infinite number
        from_json = None
    from_bytes = _parsed(data)
    assert (from_bytes is None) == (from_json is None)
    if from_bytes is None or from_json is None:
        return
    assert from_bytes.identity == from_json.identity
    before = (from_bytes.raw, from_bytes.time, from_bytes.ids)
    from_bytes.fold()
    _read_everything(from_bytes)
    assert (from_bytes.raw, from_bytes.time, from_bytes.ids) == before


@thorough(150)
@given(
    st.one_of(
        st.binary(max_size=200),
        _envelopes().map(lambda envelope: json.dumps(envelope).encode()).flatmap(
            lambda data: st.integers(0, len(data)).map(lambda cut: data[:cut])
        ),
        st.integers(1, 3000).map(lambda depth: b"[" * depth + b"]" * depth),
    )
)  # fmt: skip
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """What was cut off, is nested for ever or no JSON at all."""
    message = _parsed(data)
    assert message is None or message.ids.device_id


@pytest.mark.parametrize("kind", [Application, DeviceTemplate, EndDevice, KeyInfo, Location])
@thorough(60)
@given(data=_bodies)
def test_any_answer_of_the_server_is_read(kind: Any, data: dict[str, Any]) -> None:
    """What a QR code, a list of end devices or a registry gives."""
    _read_everything(kind.from_json(data))


_version_parts = st.one_of(
    st.sampled_from(("dragino", "lht65n", "1.0", "_unknown_hw_version_", "")), scalars
)
_versions = st.dictionaries(
    st.sampled_from(("brand_id", "model_id", "hardware_version", "firmware_version", "band_id")),
    _version_parts,
)


@given(known=_versions, data=_versions)
@thorough(200)
def test_versions_that_are_taken_for_known_ones_are_these(
    known: Mapping[str, Any], data: Mapping[str, Any]
) -> None:
    versions = VersionIds.read(known)
    for other in (known, data):
        if versions is not None and versions.is_read_from(other):
            assert VersionIds.read(other) == versions


@pytest.mark.parametrize("hardware", ["1.0", "_unknown_hw_version_"])
def test_known_versions_are_recognised(hardware: str) -> None:
    sent = {
        "brand_id": "dragino",
        "model_id": "lht65n",
        "hardware_version": hardware,
        "firmware_version": "1.1",
        "band_id": "EU_863_870",
    }
    versions = VersionIds.read(sent)
    assert versions is not None
    assert versions.is_read_from(sent)
    assert not versions.is_read_from(sent | {"model_id": "lht52"})
    assert not versions.is_read_from({})
