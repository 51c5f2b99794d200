"""Reports of version 2 are matched to our downlinks by what they say of them."""

from base64 import b64decode
import json
from typing import Any

import pytest

from thethingsstack import Downlink, DownlinkReport
from thethingsstack.v2.correlation import Schedule

from .conftest import Readers, payload_of, recorded

CASES = recorded("mqtt/publishes.json")
OURS = "ours:"


def downlink_of(body: dict[str, Any], name: str) -> Downlink:
    """Return a recorded downlink as this library would have published it."""
    payload, fields = body.get("payload_raw"), body.get("payload_fields")
    return Downlink(
        f_port=body.get("port") or None,
        payload=bytes(payload) if isinstance(payload, list) else payload and b64decode(payload),
        decoded_payload=fields,
        confirmed=body.get("confirmed", False),
        correlation_ids=(f"{OURS}{name}",),
    )


def is_publishable(body: Any) -> bool:
    """Return whether this library would publish it at all."""
    if not isinstance(body, dict) or body.get("schedule", "last") not in (
        "first",
        "last",
        "replace",
    ):
        return False
    payload, fields, port = (body.get(key) for key in ("payload_raw", "payload_fields", "port"))
    if (
        bool(payload) == bool(fields)
        or not isinstance(port or 0, int)
        or not 0 <= (port or 0) < 256
    ):
        return False
    return not isinstance(payload, str) or (len(payload) % 4 == 0 and "!" not in payload)


def play(readers: Readers, case: dict[str, Any]) -> list[DownlinkReport]:
    """Publish and receive what was recorded, in that order, and return the reports."""
    messages = [*case["then"], *(m for uplink in case["uplinks"] for m in uplink["messages"])]
    found: list[DownlinkReport] = []
    published = 0
    for message in messages:
        application_id, _, device_id, kind = message["topic"].split("/")[:4]
        reader = readers.of(application_id)
        if kind == "down" and is_publishable(message["payload"]):
            downlink = downlink_of(message["payload"], str(published))
            schedule: Schedule = message["payload"].get("schedule", "replace")
            readers.correlations[application_id].publish(device_id, downlink, schedule)
            published += 1
        item = reader.read(message["topic"], payload_of(message))
        if isinstance(item, DownlinkReport):
            found.append(item)
    return found


def told(report: DownlinkReport) -> tuple[str, str | None]:
    """Return a report's state, and which of ours it is about."""
    names = (name for name in report.downlink_correlation_ids if name.startswith(OURS))
    return report.state, next((name.removeprefix(OURS) for name in names), None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_recorded_downlinks(readers: Readers, case: dict[str, Any]) -> None:
    """What the device's radio received is reported as sent, and each report has a downlink."""
    reports = play(readers, case)
    received = [frame for uplink in case["uplinks"] for frame in uplink["device_received"]]
    sent = [report for report in reports if report.state == "sent"]
    assert [(r.frm_payload or b"").hex() for r in sent] == [f["payload_hex"] for f in received]
    assert [report.f_cnt for report in sent] == [frame["counter"] for frame in received]
    assert [report.confirmed for report in sent] == [frame["confirmed"] for frame in received]
    assert all(report.downlink_correlation_ids for report in reports)
    if all(is_publishable(item.get("json")) for item in case["publish"]):
        assert all(which is not None for _, which in map(told, reports))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("payload_raw", [("queued", "0"), ("sent", "0")]),
        ("payload_fields", [("queued", "0"), ("sent", "0")]),
        ("confirmed, acknowledged", [("queued", "0"), ("sent", "0"), ("ack", "0")]),
        (
            "confirmed, not acknowledged for two uplinks: sent again with each",
            [("queued", "0"), ("sent", "0"), ("sent", "0"), ("sent", "0")],
        ),
        (
            "schedule last, twice, then first",
            [
                *(("queued", name) for name in "012"),
                *(("sent", name) for name in "201"),
            ],
        ),
        (
            "confirmed and last behind an unconfirmed",
            [("queued", "0"), ("queued", "1"), ("sent", "0"), ("sent", "1"), ("ack", "1")],
        ),
        ("the encoder throws", [("queued", "0"), ("failed", "0")]),
        ("payload_fields without an encoder", [("queued", "0")]),
        ("unknown device", []),
        ("device that never joined", [("queued", "0")]),
        ("CayenneLPP encoder", [("queued", "0"), ("sent", "0")]),
    ],
)
def test_the_fate_of_ours(
    readers: Readers, name: str, expected: list[tuple[str, str | None]]
) -> None:
    (case,) = (case for case in CASES if case["case"] == name)
    assert [told(report) for report in play(readers, case)] == expected


def test_one_that_failed_says_why(readers: Readers) -> None:
    (case,) = (case for case in CASES if case["case"] == "the encoder throws")
    error = play(readers, case)[-1].error
    assert error is not None
    assert (error.name, error.message) == (
        "output_errors",
        "Internal error: Encoder threw error: Error: unknown command",
    )


def test_of_equal_downlinks_the_repeated_one_is_meant_and_then_the_next(readers: Readers) -> None:
    reader = readers.of("garden")
    correlation = readers.correlations["garden"]
    for name in "01":
        downlink = Downlink(
            f_port=1, payload=b"\x01", confirmed=True, correlation_ids=(OURS + name,)
        )
        correlation.publish("valve", downlink, "last")
    message = b'{"message": {"port": 1, "confirmed": true, "payload_raw": "AQ=="}}'

    def which(event: str, body: bytes = message) -> str | None:
        report = reader.read(f"garden/devices/valve/events/down/{event}", body)
        assert isinstance(report, DownlinkReport)
        return told(report)[1]

    events = ("scheduled", "scheduled", "sent", "sent", "acks", "sent", "acks")
    assert [which(event) for event in events] == ["0", "1", "0", "0", "0", "1", "1"]


@pytest.mark.parametrize("body", [b"null", b"", b"{}"])
def test_events_without_a_body_are_about_the_one_whose_turn_it_is(
    readers: Readers, body: bytes
) -> None:
    reader = readers.of("garden")
    for name, confirmed in (("0", False), ("1", True)):
        readers.correlations["garden"].publish(
            "valve",
            Downlink(
                f_port=1, payload=b"\x01", confirmed=confirmed, correlation_ids=(OURS + name,)
            ),
            "last",
        )
    found = []
    for event in ("scheduled", "scheduled", "sent", "sent", "acks"):
        report = reader.read(f"garden/devices/valve/events/down/{event}", body)
        assert isinstance(report, DownlinkReport)
        assert report.frm_payload == b"\x01"
        found.append(told(report))
    assert found == [("queued", "0"), ("queued", "1"), ("sent", "0"), ("sent", "1"), ("ack", "1")]


def test_downlinks_of_an_earlier_run_are_known_by_their_port(readers: Readers) -> None:
    reader = readers.of("garden")
    correlation = readers.correlations["garden"]
    for port, name, sent in ((1, "queued", False), (2, "unacknowledged", True)):
        correlation.expect("valve", (OURS + name,), f_port=port, confirmed=True, transmitted=sent)

    def which(event: str, port: int, payload: str) -> tuple[str, str | None]:
        message = {"port": port, "confirmed": True, "payload_raw": payload}
        body = json.dumps({"message": message}).encode()
        report = reader.read(f"garden/devices/valve/events/down/{event}", body)
        assert isinstance(report, DownlinkReport)
        return told(report)

    assert which("acks", 2, "Ag==") == ("ack", "unacknowledged")
    assert which("scheduled", 1, "AQ==") == ("queued", None)  # another client's
    assert which("sent", 1, "Aw==") == ("sent", "queued")
    assert which("acks", 1, "Aw==") == ("ack", "queued")


def test_downlinks_of_others_are_followed_and_few_are_remembered(readers: Readers) -> None:
    reader = readers.of("garden")

    def report(event: str, payload: str = "AQ==") -> DownlinkReport:
        body = f'{{"message": {{"port": 1, "payload_raw": "{payload}"}}}}'.encode()
        item = reader.read(f"garden/devices/valve/events/down/{event}", body)
        assert isinstance(item, DownlinkReport)
        return item

    queued, sent = report("scheduled"), report("sent")
    assert queued.downlink_correlation_ids == sent.downlink_correlation_ids
    assert queued.downlink_correlation_ids[0].startswith("as:downlink:")
    first = report("scheduled", "AAA=")
    for _ in range(100):
        report("scheduled")
    assert report("sent", "AAA=").downlink_correlation_ids != first.downlink_correlation_ids
