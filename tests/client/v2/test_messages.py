"""The recorded messages of a stack of version 2 as items of the stream."""

from collections import Counter
from datetime import timedelta
import json
from typing import Any

import pytest

from thethingsstack import (
    DeviceChanged,
    DownlinkReport,
    JoinAccept,
    Location,
    UnreadableMessage,
    UplinkMessage,
)
from thethingsstack.v2.topics import filters

from .conftest import NOW, Readers, recorded

MESSAGES = recorded("mqtt/messages.json")
STEPS = {step["what"]: step for step in recorded("mqtt/steps.json")}


def steps(readers: Readers) -> dict[str, list[Any]]:
    """Return what was read in each step of the recorded run."""
    items = [readers.read(message) for message in MESSAGES]
    return {
        what: [
            item for item in items[step["from_message"] : step["to_message"]] if item is not None
        ]
        for what, step in STEPS.items()
    }


@pytest.mark.parametrize("topic", filters("garden"))
def test_what_is_subscribed_to_both_brokers_have_granted_and_delivered(topic: str) -> None:
    (mosquitto, *_) = recorded("mqtt/connections.json")
    assert mosquitto["suback"][topic] == [0]
    (rabbitmq, *_) = recorded("mqtt/connections_rabbitmq.json")
    (granted,) = (item for item in rabbitmq["subscriptions"] if item["topic"] == topic)
    assert (granted["suback"], granted["still_connected"]) == ([0], True)
    assert granted["received"]


def test_each_of_304_messages_is_read_or_says_nothing_of_its_own(readers: Readers) -> None:
    kinds = Counter(type(readers.read(message)).__name__ for message in MESSAGES)
    assert kinds == {
        "UplinkMessage": 52,  # one was sent again, and one message is a field without a name
        "DeviceChanged": 26,
        "JoinAccept": 8,
        "DownlinkQueued": 1,
        "DownlinkSent": 1,
        "NoneType": 216,
    }


def test_an_uplink_has_all_that_version_3_has(readers: Readers) -> None:
    (uplink,) = steps(readers)["an uplink heard by two gateways"]
    assert isinstance(uplink, UplinkMessage)
    assert (uplink.ids.device_id, uplink.ids.application_id) == ("weather-station", "garden")
    assert (uplink.ids.dev_eui, uplink.ids.join_eui) == ("70B3D57ED0060001", "70B3D57ED0000001")
    assert uplink.ids.dev_addr == "260009B9"  # only the join said so
    assert (uplink.f_port, uplink.f_cnt, uplink.confirmed) == (10, 0, False)
    assert uplink.frm_payload == bytes.fromhex("00d73d225a57")
    assert uplink.decoded_payload is not None
    assert uplink.decoded_payload["wind"] == {"direction": 180, "speed": 3.4}
    assert uplink.decoded_payload["note"] is None
    assert uplink.received_at is not None
    assert uplink.received_at == uplink.network_received_at == uplink.time
    assert uplink.time.isoformat() == "2026-11-23T10:40:35.077309+00:00"
    assert uplink.frequency == 868_100_000
    assert uplink.data_rate is not None
    assert (uplink.data_rate.name, uplink.data_rate.coding_rate) == ("SF7BW125", "4/5")
    assert uplink.consumed_airtime == 0.051456
    assert uplink.locations == {
        "user": Location(latitude=52.37, longitude=4.9, altitude=-3, source="REGISTRY")
    }
    best, other = uplink.receptions_by_gateway
    assert (best.gateway_id, best.gateway_eui) == ("eui-b827ebfffe000001", "B827EBFFFE000001")
    assert (best.rssi, best.snr, other.rssi, other.snr) == (-61, 8.5, -104, -3.25)
    assert best.location is not None
    assert (best.location.source, best.location.latitude) == ("GPS", 52.37)
    assert other.location is not None
    assert other.location.source == "REGISTRY"
    assert not uplink.simulated
    again = uplink.raw
    uplink.fold()
    assert uplink.raw == again


def test_the_first_uplink_is_marked_as_sent_again_and_is_none(readers: Readers) -> None:
    (first,) = steps(readers)["first uplink after a join, counter 0"]
    assert (first.f_cnt, first.ids.device_id) == (0, "greenhouse-climate")
    assert first.attributes == {"ttn-brand": "dragino", "ttn-lab-room": "Greenhouse"}
    assert first.version_ids is None  # a brand without a model is none


def test_what_is_sent_again_comes_once(readers: Readers) -> None:
    found = steps(readers)
    again = "a retransmission of a confirmed uplink (same counter, same frame) after two seconds"
    assert [(item.f_cnt, item.confirmed) for item in found[again]] == [(3, True)]
    (after_rejoin,) = found["and sends"]
    assert after_rejoin.f_cnt == 0


def test_a_confirmed_uplink_with_the_same_counter_much_later_is_another(readers: Readers) -> None:
    message = {
        "topic": "garden/devices/bath-radiator/up",
        "payload": {"port": 1, "counter": 0, "confirmed": True, "payload_raw": "AQ=="},
    }
    again = {**message, "payload": {**message["payload"], "is_retry": True}}  # type: ignore[dict-item]
    assert isinstance(readers.read(message), UplinkMessage)
    assert readers.read(again) is None
    readers.now = NOW + timedelta(minutes=3)
    assert isinstance(readers.read(again), UplinkMessage)


@pytest.mark.parametrize(
    ("step", "port", "payload"),
    [
        ("a frame without port and payload", 0, None),
        ("a frame with MAC commands only (port 0)", 0, None),
        ("an empty application frame", 10, None),
    ],
)
def test_frames_without_payload(
    readers: Readers, step: str, port: int, payload: bytes | None
) -> None:
    (uplink,) = steps(readers)[step]
    assert (uplink.f_port, uplink.frm_payload) == (port, payload)
    assert not uplink.has_application_data


def test_fields_with_odd_names_are_in_the_uplink_and_nothing_else_comes(readers: Readers) -> None:
    step = "field names with spaces, slashes, accents, dots, plus, star, empty (no #)"
    (uplink,) = steps(readers)[step]
    assert uplink.decoded_payload[""] == 7
    assert uplink.decoded_payload["a/b"] == 2
    hash_messages = recorded("mqtt/field_name_with_hash.json")["messages"]
    found = [readers.read(message) for message in hash_messages]
    assert [item.decoded_payload for item in found if item is not None] == [
        {"good": 3},
        {"a#b": 1, "good": 2},
        {"good": 3},
        {"good": 3},
    ]


def test_failing_decoders_leave_an_uplink_without_fields(readers: Readers) -> None:
    found = steps(readers)
    for what in ("nothing", "NaN", "a text"):
        (uplink,) = found[f"the decoder returns {what}"]
        assert uplink.decoded_payload is None, what
    (thrown,) = found["the decoder throws"]
    assert thrown.decoded_payload is None
    (empty,) = found["the decoder returns an empty object"]
    assert not empty.decoded_payload
    assert found["the validator says no: dropped"] == []


def test_simulated_uplinks_have_no_counter(readers: Readers) -> None:
    found = steps(readers)["simulated uplinks (gRPC SimulateUplink)"]
    assert [(item.simulated, item.f_cnt) for item in found] == [(True, None)] * 4
    assert found[0].has_application_data
    assert found[0].receptions == ()


def test_fsk_and_gateways_with_a_clock(readers: Readers) -> None:
    (fsk, nothing) = (readers.read(message) for message in recorded("mqtt/fsk.json"))
    assert nothing is None
    assert (fsk.data_rate.name, fsk.frequency, fsk.best_reception.snr) == ("FSK50", 868_800_000, 0)
    (uplink,) = steps(readers)["a gateway with GPS time"]
    assert uplink.raw["uplink_message"]["rx_metadata"][0]["time"].startswith("2026-11-23T")
    (without,) = steps(readers)["second uplink"]
    assert "time" not in without.raw["uplink_message"]["rx_metadata"][0]


def test_joins(readers: Readers) -> None:
    found = steps(readers)
    (join,) = found["a device rejoins"]
    assert isinstance(join, JoinAccept)
    assert (join.ids.device_id, join.ids.dev_addr) == ("bath-radiator", "26000940")
    assert join.time == join.received_at
    assert found["a join request is sent again (the same DevNonce)"] == []
    assert found["and sends"][0].ids.dev_addr == "26000940"


def test_what_is_registered_on_join_joins_under_its_own_id(readers: Readers) -> None:
    found = [readers.read(message) for message in recorded("mqtt/register_on_join.json")]
    assert found[:2] == [
        DeviceChanged(device_id="any", change="created"),
        DeviceChanged(device_id="any-0102030405060708", change="created"),
    ]
    join, uplink = found[2:]
    assert isinstance(join, JoinAccept)
    assert join.ids == uplink.ids
    assert (join.ids.device_id, join.ids.dev_eui) == ("any-0102030405060708", "0102030405060708")


def test_changes_of_end_devices_have_no_more_than_their_id(readers: Readers) -> None:
    found = steps(readers)["devices are updated, created, deleted over HTTP"]
    assert found == [
        DeviceChanged(device_id="never-joined", change="updated"),
        DeviceChanged(device_id="new-node", change="created"),
        DeviceChanged(device_id="new-node", change="updated"),
        DeviceChanged(device_id="new-node", change="deleted"),
    ]


def test_what_nobody_queued_is_no_report(readers: Readers) -> None:
    found = steps(readers)
    acknowledged = found["a confirmed uplink: the acknowledgement is a down/sent"]
    assert [type(item) for item in acknowledged] == [UplinkMessage]
    reports = [
        item for items in found.values() for item in items if isinstance(item, DownlinkReport)
    ]
    assert [item.state for item in reports] == ["queued", "sent"]
    assert reports[0].downlink_correlation_ids == reports[1].downlink_correlation_ids


@pytest.mark.parametrize(
    ("topic", "payload", "name"),
    [
        ("garden/devices/x-1/up", b"{", "invalid_json"),
        ("garden/devices/x-1/events/down/sent", b"\xff", "invalid_json"),
        ("neighbour/devices/x-1/up", b"{}", "other_application"),
    ],
)
def test_unreadable_messages_are_told(
    readers: Readers, topic: str, payload: bytes, name: str
) -> None:
    item = readers.of("garden").read(topic, payload)
    assert isinstance(item, UnreadableMessage)
    assert (item.topic, item.error.name) == (topic, name)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("garden/devices/x-1/up", b"7"),
        ("garden/devices/x-1/up", b"null"),
        ("garden/devices/x-1/up", b""),
        ("garden/devices/x-1/up/field", b"{"),
        ("garden/devices/x-1/down", b"{}"),
        ("garden/devices/x-1/events/news", b"{}"),
        ("garden/devices//up", b"{}"),
        ("garden/other", b"{}"),
        ("", b""),
    ],
)
def test_what_is_no_message_is_passed_over(readers: Readers, topic: str, payload: bytes) -> None:
    assert readers.of("garden").read(topic, payload) is None


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"metadata": None, "payload_raw": 5, "payload_fields": [1], "port": "x", "counter": None},
        {"metadata": {"gateways": [None, {}, {"rssi": "x", "latitude": "y"}], "time": ""}},
        {"metadata": {"data_rate": 5, "frequency": "x", "airtime": "y", "latitude": 200}},
    ],
)
def test_odd_uplinks_break_nothing(readers: Readers, data: dict[str, Any]) -> None:
    uplink = readers.of("garden").read("garden/devices/x-1/up", json.dumps(data).encode())
    assert isinstance(uplink, UplinkMessage)
    assert uplink.received_at == NOW
    assert (uplink.f_port, uplink.frm_payload, uplink.decoded_payload) == (0, None, None)
    assert uplink.best_reception is None or uplink.best_reception.location is None
    assert uplink.locations == {}
