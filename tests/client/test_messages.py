"""Messages, against recorded ones and against bad ones."""

from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from thethingsstack import (
    BadMessage,
    BatteryStatus,
    DataRate,
    DownlinkReport,
    EndDeviceIds,
    JoinAccept,
    Location,
    LocationSolved,
    Message,
    NormalizedUplink,
    Reception,
    ServiceData,
    UplinkMessage,
    VersionIds,
    parse_message,
)

from .conftest import recorded

IDS = {"device_id": "barn", "application_ids": {"application_id": "farm"}}


def envelope(kind: str, body: Any, **changes: Any) -> dict[str, Any]:
    return {"end_device_ids": IDS, "received_at": "2026-05-01T10:00:01Z", kind: body, **changes}


def uplink(body: dict[str, Any], **changes: Any) -> UplinkMessage:
    message = parse_message(None, envelope("uplink_message", body, **changes))
    assert isinstance(message, UplinkMessage)
    return message


def run_of(path: str) -> list[Message]:
    return [parse_message(item["topic"], item["payload"]) for item in recorded(path)]


def test_every_recorded_message_is_read() -> None:
    messages = run_of("mqtt/messages.json")
    counts = Counter(message.kind for message in messages)
    assert counts == {
        "downlink_ack": 1,
        "downlink_failed": 8,
        "downlink_nack": 3,
        "downlink_queued": 8,
        "downlink_sent": 6,
        "join_accept": 6,
        "location_solved": 1,
        "uplink_message": 24,
        "uplink_normalized": 9,
    }
    for message in messages:
        assert message.ids.application_id == "garden"
        assert message.received_at is not None
        assert message.raw["end_device_ids"]["device_id"] == message.ids.device_id


def test_a_folded_message_says_the_same() -> None:
    for item in recorded("mqtt/messages.json"):
        data = item["payload"]
        data = orjson.dumps(data) if isinstance(data, dict) else data
        message, other = (parse_message(item["topic"], data) for _ in range(2))
        before = message.raw
        message.fold()
        assert message == other
        assert message.raw == before
        assert message.raw is not before
        assert message.raw is message.raw
        assert message.body == before[message.kind]


def test_a_message_that_came_parsed_stays_so() -> None:
    message = uplink({"f_port": 3})
    before = message.raw
    message.fold()
    assert message.raw is before


def test_recorded_uplink() -> None:
    message = next(
        item
        for item in run_of("mqtt/messages.json")
        if isinstance(item, UplinkMessage) and item.confirmed
    )
    assert message.ids.device_id == "greenhouse-climate"
    assert message.ids.dev_eui == "A84041000181C061"
    assert message.ids.join_eui == "A840410000000100"
    assert (message.f_port, message.f_cnt) == (2, 1)
    assert message.frm_payload is not None
    assert message.has_application_data
    assert message.session_key_id == "AaIHvw2AHNz5NjGRTtoxrg=="
    assert message.decoded_payload is not None
    assert (
        message.decoded_payload["TempC_DS"]
        == message.raw["uplink_message"]["decoded_payload"]["TempC_DS"]
    )
    assert message.network_received_at == datetime(2026, 11, 23, 9, 31, 44, 109206, UTC)
    assert message.time == message.network_received_at
    assert message.received_at is not None
    assert message.received_at > message.time
    assert message.consumed_airtime == 0.061696
    assert message.frequency == 868_100_000
    assert message.data_rate is not None
    assert message.data_rate.name == "SF7BW125"
    assert message.version_ids == VersionIds(
        brand_id="dragino",
        model_id="lht65n",
        hardware_version="1.0",
        firmware_version="1.0",
        band_id="EU_863_870",
    )
    assert message.locations["user"].source == "REGISTRY"
    assert message.packet_error_rate == 0
    assert message.best_reception == message.receptions[0]
    assert message.receptions[0].gateway_id == "roof-gw"
    assert message.simulated is False
    assert message.last_battery is None
    assert dict(message.attributes) == {}
    assert message.normalized_payload == ()
    assert message.decoded_payload_warnings == message.normalized_payload_warnings == ()


def test_recorded_simulated_uplink_has_no_identity() -> None:
    simulated = [
        item
        for item in run_of("mqtt/messages.json")
        if isinstance(item, UplinkMessage) and item.simulated
    ]
    assert simulated
    for message in simulated:
        assert message.f_cnt is None
        assert message.session_key_id is None
        assert message.identity is None
        assert message.time == message.received_at
        assert message.has_application_data


def test_recorded_identities_are_unique() -> None:
    identities = [message.identity for message in run_of("mqtt/messages.json")]
    told = [identity for identity in identities if identity is not None]
    assert len(set(told)) == len(told) >= len(identities) - 2


def test_recorded_uplink_and_its_normalized_form_differ_only_in_kind() -> None:
    messages = run_of("mqtt/messages.json")
    normalized = next(item for item in messages if isinstance(item, NormalizedUplink))
    whole = next(
        item
        for item in messages
        if isinstance(item, UplinkMessage)
        and item.network_received_at == normalized.network_received_at
    )
    assert whole.identity != normalized.identity
    assert whole.normalized_payload == (normalized.normalized_payload,)


def test_measurements_of_one_uplink_are_told_apart() -> None:
    body = {"received_at": "2026-05-01T10:00:00Z", "normalized_payload": {"air": {"co2": 400}}}
    first = parse_message(None, envelope("uplink_normalized", body))
    copy = parse_message(None, envelope("uplink_normalized", deepcopy(body)))
    body = {**body, "normalized_payload": {"soil": {"moisture": 20}}}
    second = parse_message(None, envelope("uplink_normalized", body))
    assert first.identity == copy.identity != second.identity
    assert parse_message(None, envelope("uplink_normalized", {})).identity is None


def test_mac_only_frame() -> None:
    message = next(
        item
        for item in run_of("mqtt/messages.json")
        if isinstance(item, UplinkMessage) and item.f_port == 0
    )
    assert message.frm_payload is None
    assert message.decoded_payload is None
    assert not message.has_application_data
    assert message.f_cnt == 4


def test_first_uplink_of_a_session_has_counter_zero() -> None:
    first = next(item for item in run_of("mqtt/messages.json") if isinstance(item, UplinkMessage))
    assert "f_cnt" not in first.raw["uplink_message"]
    assert first.f_cnt == 0


def test_recorded_two_gateways() -> None:
    messages = [
        item for item in run_of("mqtt/two_gateways.json") if isinstance(item, UplinkMessage)
    ]
    both = next(item for item in messages if len(item.receptions) == 2)
    best = both.best_reception
    assert best is not None
    assert best.snr == max(reception.snr or 0 for reception in both.receptions)


def test_best_reception_prefers_snr_then_rssi_and_knows_silence() -> None:
    message = uplink(
        {
            "rx_metadata": [
                {"gateway_ids": {"gateway_id": "unknown"}},
                {"gateway_ids": {"gateway_id": "a"}, "rssi": -100, "snr": 5},
                {"gateway_ids": {"gateway_id": "b"}, "rssi": -90, "snr": 5},
                {"gateway_ids": {"gateway_id": "c"}, "rssi": -80},
            ]
        }
    )
    assert [reception.snr for reception in message.receptions] == [None, 5, 5, 0]
    assert message.best_reception is not None
    assert message.best_reception.gateway_id == "b"
    found = [reception.gateway_id for reception in message.receptions_by_gateway]
    assert found == ["b", "a", "c", "unknown"]
    assert uplink({}).best_reception is None


def test_gateway_behind_packet_broker() -> None:
    foreign = {
        "gateway_ids": {"gateway_id": "packetbroker"},
        "packet_broker": {
            "forwarder_gateway_id": "hill",
            "forwarder_gateway_eui": "b827ebfffe000002",
        },
        "channel_rssi": -101,
    }
    reception = Reception.from_json(foreign)
    assert (reception.gateway_id, reception.gateway_eui) == ("hill", "B827EBFFFE000002")
    assert reception.via_packet_broker
    assert (reception.rssi, reception.snr) == (-101, 0)
    del foreign["packet_broker"]["forwarder_gateway_id"]  # type: ignore[attr-defined]
    assert Reception.from_json(foreign).gateway_id == "eui-b827ebfffe000002"
    foreign["packet_broker"] = {}
    assert Reception.from_json(foreign).gateway_id == "packetbroker"


@pytest.mark.parametrize(
    ("data_rate", "name"),
    [
        ({"lora": {"spreading_factor": 12, "bandwidth": 125000}}, "SF12BW125"),
        ({"lora": {"spreading_factor": 5, "bandwidth": 812500}}, "SF5BW812.5"),
        ({"fsk": {"bit_rate": 50000}}, "FSK50"),
        ({"lrfhss": {"operating_channel_width": 137000, "coding_rate": "1/3"}}, "LR-FHSS BW137"),
        ({}, None),
    ],
)
def test_data_rate(data_rate: dict[str, Any], name: str | None) -> None:
    assert DataRate.from_json(data_rate).name == name


def test_coding_rate_of_old_servers() -> None:
    settings = {"data_rate": {"lora": {"spreading_factor": 7}}, "coding_rate": "4/5"}
    data_rate = uplink({"settings": settings}).data_rate
    assert data_rate is not None
    assert data_rate.coding_rate == "4/5"
    assert uplink({"settings": {}}).data_rate is None


def test_newer_fields() -> None:
    message = uplink(
        {
            "last_battery_percentage": {
                "f_cnt": 101,
                "value": 82.3,
                "received_at": "2026-04-30T21:02:11Z",
            },
            "attributes": {"room": "barn"},
            "packet_error_rate": 0.0625,
            "decoded_payload_warnings": ["old"],
            "normalized_payload_warnings": ["odd"],
        }
    )
    assert message.last_battery == BatteryStatus(
        value=82.3, f_cnt=101, received_at=datetime(2026, 4, 30, 21, 2, 11, tzinfo=UTC)
    )
    assert message.attributes == {"room": "barn"}
    assert message.packet_error_rate == 0.0625
    assert message.decoded_payload_warnings == ("old",)
    assert message.normalized_payload_warnings == ("odd",)


def test_unknown_hardware_version_counts_as_none() -> None:
    ids = {"brand_id": "dragino", "hardware_version": "_unknown_hw_version_"}
    assert uplink({"version_ids": ids}).version_ids == VersionIds(brand_id="dragino")
    assert uplink({"version_ids": {}}).version_ids is None


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"latitude": 52.5}, Location(latitude=52.5, longitude=0)),
        ({"latitude": 91, "longitude": 5}, None),
        ({"latitude": 5, "longitude": -181}, None),
        ({}, None),
        ("here", None),
    ],
)
def test_locations(place: object, expected: Location | None) -> None:
    found = uplink({"locations": {"user": place}}).locations
    assert found == ({} if expected is None else {"user": expected})


def test_downlink_reports() -> None:
    reports = [item for item in run_of("mqtt/messages.json") if isinstance(item, DownlinkReport)]
    assert {report.state for report in reports} == {"queued", "sent", "ack", "nack", "failed"}
    ack = next(report for report in reports if report.state == "ack")
    assert ack.f_port == 1
    assert ack.f_cnt == 2
    assert ack.frm_payload == b"\x0e\x1e"
    assert ack.confirmed
    assert ack.priority == "HIGH"
    assert "ha:02" in ack.downlink_correlation_ids
    assert ack.error is None
    failed = next(report for report in reports if report.state == "failed")
    assert failed.error is not None
    assert failed.error.namespace == "pkg/applicationserver"
    assert failed.error.name == "no_device_session"
    assert failed.error.message == "no device session; check device activation"
    assert failed.f_port == 1
    assert failed.downlink_correlation_ids
    assert failed.priority == "LOWEST"


def test_invalidated_queue() -> None:
    body = {"downlinks": [{"f_port": 3, "correlation_ids": ["ha:1"]}], "last_f_cnt_down": 9}
    report = parse_message(None, envelope("downlink_queue_invalidated", body))
    assert isinstance(report, DownlinkReport)
    assert (report.state, report.f_port) == ("invalidated", 3)
    empty = parse_message(None, envelope("downlink_queue_invalidated", {}))
    assert isinstance(empty, DownlinkReport)
    assert empty.f_port == 0


def test_join_location_and_service() -> None:
    join = next(item for item in run_of("mqtt/messages.json") if isinstance(item, JoinAccept))
    assert join.session_key_id == "AaIHvw2AHNz5NjGRTtoxrg=="
    assert join.time == datetime(2026, 11, 23, 9, 31, 31, 67526, UTC)
    solved = next(item for item in run_of("mqtt/messages.json") if isinstance(item, LocationSolved))
    assert solved.service == "frm-payload"
    assert solved.location is not None
    assert solved.location.altitude == 21
    data = parse_message(None, envelope("service_data", {"service": "x-v1", "data": {"a": 1}}))
    assert isinstance(data, ServiceData)
    assert (data.service, data.data) == ("x-v1", {"a": 1})
    assert data.identity is not None
    assert parse_message(None, envelope("service_data", {}, received_at=None)).identity is None


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b'{"a": NaN}', "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b"[]", "invalid_json"),
        (b"null", "invalid_json"),
        (b"{}", "no_message_kind"),
        (b'{"end_device_ids": {"device_id": "x"}}', "no_message_kind"),
        (b'{"uplink_message": {}}', "no_device_id"),
        (b'{"uplink_message": {}, "end_device_ids": []}', "no_device_id"),
        (b'{"uplink_message": 5, "end_device_ids": {"device_id": "x"}}', "no_message_kind"),
    ],
)
def test_unreadable(data: bytes, name: str) -> None:
    with pytest.raises(BadMessage) as raised:
        parse_message("v3/farm/devices/x/up", data)
    assert raised.value.name == name
    assert raised.value.topic == "v3/farm/devices/x/up"


ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    10**30,
    "x",
    "",
    [],
    [[1]],
    {},
    {"a": {"b": []}},
    "y" * 100_000,
)


@pytest.mark.parametrize("kind", sorted({"uplink_message", "uplink_normalized", "downlink_ack"}))
def test_odd_types_count_as_missing(kind: str) -> None:
    fields = (
        "session_key_id f_port f_cnt frm_payload decoded_payload normalized_payload rx_metadata"
        " settings received_at confirmed consumed_airtime packet_error_rate locations version_ids"
        " last_battery_percentage attributes correlation_ids priority decoded_payload_warnings"
        " normalized_payload_warnings error"
    )
    for odd in ODD:
        body = dict.fromkeys(fields.split(" "), odd)
        changed = envelope(kind, body, correlation_ids=odd, simulated=odd)
        message = parse_message(None, changed)
        for name in dir(message):
            if not name.startswith("_"):
                getattr(message, name)
        assert message.ids.device_id == "barn"


def test_bytes_and_parsed_objects_are_read_alike() -> None:
    data = envelope("uplink_message", {"f_port": 2})
    assert parse_message(None, orjson.dumps(data)) == parse_message(None, data)


def test_receptions_by_gateway_has_each_gateway_once_best_first() -> None:
    """A gateway with two antennas counts by the better one."""
    message = uplink(
        {
            "rx_metadata": [
                {"gateway_ids": {"gateway_id": "a"}, "rssi": -110, "snr": -3},
                {"gateway_ids": {"gateway_id": "b"}, "rssi": -60, "snr": 9},
                {"gateway_ids": {"gateway_id": "a"}, "rssi": -90, "snr": 4},
            ]
        }
    )
    found = [(item.gateway_id, item.rssi) for item in message.receptions_by_gateway]
    assert found == [("b", -60), ("a", -90)]
    assert uplink({}).receptions_by_gateway == ()


def test_ids_of_an_end_device_are_read_once() -> None:
    """They come with each message, and are one object then; odd ones are read as ever."""
    assert uplink({}).ids is uplink({}).ids
    odd = {"device_id": ["a"], "dev_eui": {}, "application_ids": {"application_id": "app"}}
    assert EndDeviceIds.of_message(odd) == EndDeviceIds(device_id="", application_id="app")
