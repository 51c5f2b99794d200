"""Whatever arrives on a topic of version 2 is survived, and so is whatever a Handler answers."""

import json
from typing import Any

from hypothesis import given, strategies as st

from tests.properties import json_values, thorough
from thethingsstack import Message, StackError, UnreadableMessage
from thethingsstack.device_changes import DeviceChanges
from thethingsstack.v2.refusals import refusal
from thethingsstack.v2.registry import changed, complete, details, end_device

from .conftest import Readers

_MEMBERS = (
    *("port", "counter", "payload_raw", "payload_fields", "hardware_serial", "attributes"),
    *("confirmed", "is_retry", "metadata", "time", "frequency", "data_rate", "bit_rate"),
    *("airtime", "coding_rate", "gateways", "gtw_id", "rssi", "snr", "channel", "timestamp"),
    *("latitude", "longitude", "altitude", "location_source", "message", "config", "error"),
    *("app_eui", "dev_eui", "dev_addr", "app_id", "dev_id", "lorawan_device", "description"),
    *("last_seen", "f_cnt_up", "app_key", "code"),
)
_TEXTS = ("SF7BW125", "SF7BW1e9", "", "AQ==", "A", "2026-11-23T10:00:00Z", "eui-0102030405060708")
_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(json_values, st.sampled_from(_TEXTS)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_MEMBERS), inner, max_size=6)
    ),
    max_leaves=20,
)
_objects = st.dictionaries(st.sampled_from(_MEMBERS), _values, max_size=10)
_kinds = st.sampled_from(
    [
        *("up", "events/create", "events/delete", "events/activations", "events/up/errors"),
        *(f"events/down/{kind}" for kind in ("scheduled", "sent", "acks", "errors")),
    ]
)


def _read_everything(thing: object) -> None:
    for name in dir(type(thing)):
        if name.startswith("_") or callable(getattr(type(thing), name)):
            continue
        value = getattr(thing, name)
        for part in value if isinstance(value, tuple) else (value,):
            if type(part).__module__.startswith("thethingsstack"):
                _read_everything(part)


@thorough(150)
@given(st.lists(st.tuples(_kinds, st.one_of(_objects, _values)), max_size=6))
def test_any_messages_are_read_or_refused(messages: list[tuple[str, Any]]) -> None:
    reader = Readers().of("garden")
    for kind, value in messages:
        item = reader.read(f"garden/devices/barn/{kind}", json.dumps(value).encode())
        if isinstance(item, Message):
            _read_everything(item)
            before = item.raw
            item.fold()
            assert item.raw == before
            assert item.ids.device_id == "barn"
        else:
            assert not isinstance(item, UnreadableMessage) or item.error.name


@thorough(50)
@given(st.text(max_size=60), st.binary(max_size=100))
def test_any_topic_and_bytes_are_survived(topic: str, payload: bytes) -> None:
    Readers().of("garden").read(topic, payload)
    Readers().of("garden").read("garden/devices/barn/up", payload)


@thorough(100)
@given(_objects)
def test_any_end_device_is_read_and_shows_no_key(data: dict[str, Any]) -> None:
    _read_everything(end_device(data, "garden"))
    shown = details(data, "garden")
    assert "app_key" not in shown["lorawan_device"]
    assert changed(complete(data), DeviceChanges(description="x"))["description"] == "x"


@thorough(100)
@given(st.integers(300, 599), _objects)
def test_any_refusal_is_an_error(status: int, answer: dict[str, Any]) -> None:
    assert isinstance(refusal(status, answer), StackError)
