"""Downlinks over HTTP."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulator import RateLimit, Simulator
from thethingsstack import (
    Downlink,
    Formatter,
    InvalidRequest,
    MissingRight,
    NotFound,
    QueuedDownlink,
    RateLimited,
    StackError,
    VersionIds,
)

from .conftest import MakeStack, Sleeps, recorded

VICKI = "bath-radiator"
SOCKET = "pump-socket"


def test_request() -> None:
    downlink = Downlink(
        f_port=3,
        payload=b"\x01\xff",
        confirmed=True,
        priority="HIGH",
        max_attempts=4,
        gateways=("roof-gw",),
        absolute_time=datetime(2026, 12, 1, 8, 30, tzinfo=UTC),
        correlation_ids=("mine",),
    )
    assert downlink.as_json() == {
        "f_port": 3,
        "frm_payload": "Af8=",
        "confirmed": True,
        "priority": "HIGH",
        "confirmed_retry": {"max_attempts": 4},
        "class_b_c": {
            "gateways": [{"gateway_ids": {"gateway_id": "roof-gw"}}],
            "absolute_time": "2026-12-01T08:30:00Z",
        },
        "correlation_ids": ["mine"],
    }
    assert Downlink(decoded_payload={"a": 0}).as_json() == {"decoded_payload": {"a": 0}}


def test_recorded_queue_makes_requests_again() -> None:
    items = recorded("http/downlinks/list.json")["response"]["json"]["downlinks"]
    first, second = (QueuedDownlink.from_json(item) for item in items)
    assert (first.f_port, first.f_cnt, first.payload) == (1, 1, b"\x0e\x16")
    assert (first.priority, first.confirmed, second.confirmed) == ("NORMAL", False, True)
    again = first.as_json()
    assert again == {
        "f_port": 1,
        "frm_payload": "DhY=",
        "priority": "NORMAL",
        "correlation_ids": items[0]["correlation_ids"],
    }


async def test_push_replace_clear(make_stack: MakeStack) -> None:
    downlinks = make_stack("control").downlinks
    await downlinks.push(VICKI, [Downlink(f_port=1, payload=b"\x0e\x14", correlation_ids=("a",))])
    await downlinks.push(VICKI, [Downlink(decoded_payload={"setTargetTemperature": 21})])
    queue = await downlinks.queue(VICKI)
    assert [item.payload for item in queue] == [b"\x0e\x14", b"\x0e\x15"]
    assert "a" in queue[0].correlation_ids
    await downlinks.replace(VICKI, [queue[0], Downlink(f_port=1, payload=b"\x09")])
    queue = await downlinks.queue(VICKI)
    assert [item.payload for item in queue] == [b"\x0e\x14", b"\x09"]
    assert "a" in queue[0].correlation_ids
    await downlinks.clear(VICKI)
    assert await downlinks.queue(VICKI) == []


async def test_empty_frame_is_queued_again(make_stack: MakeStack) -> None:
    downlinks = make_stack("control").downlinks
    await downlinks.push("weather-station", [Downlink(f_port=1, decoded_payload={"a": 1})])
    (empty,) = await downlinks.queue("weather-station")
    assert empty.payload is None
    await downlinks.replace("weather-station", [empty])
    assert len(await downlinks.queue("weather-station")) == 1


@pytest.mark.parametrize(
    ("device_id", "downlink", "kind", "name"),
    [
        ("never-joined", {"f_port": 1, "payload": b"\1"}, InvalidRequest, "no_device_session"),
        (VICKI, {"payload": b"\1"}, InvalidRequest, "no_f_port"),
        (VICKI, {"f_port": 1}, InvalidRequest, "no_payload"),
        (VICKI, {"decoded_payload": {"nosuch": 1}}, InvalidRequest, "output_errors"),
        (VICKI, {"f_port": 224, "payload": b"\1"}, InvalidRequest, "validation"),
        (VICKI, {"f_port": 1, "payload": bytes(250)}, InvalidRequest, "application_downlink_too_long"),
        (VICKI, {"f_port": 1, "payload": b"\1", "absolute_time": datetime(2020, 1, 1, tzinfo=UTC)},
         InvalidRequest, "downlink_expired"),
        ("nosuch", {"f_port": 1, "payload": b"\1"}, NotFound, "not_on_application_server"),
    ],
)  # fmt: skip
async def test_refusals(
    make_stack: MakeStack,
    device_id: str,
    downlink: dict[str, Any],
    kind: type[StackError],
    name: str,
) -> None:
    with pytest.raises(kind) as refused:
        await make_stack("control").downlinks.push(device_id, [Downlink(**downlink)])
    assert refused.value.name == name


async def test_right_is_named(make_stack: MakeStack) -> None:
    with pytest.raises(MissingRight) as refused:
        await make_stack("read").downlinks.clear(VICKI)
    assert refused.value.rights == ("RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE",)


async def test_rate_limit_is_waited_out(
    make_stack: MakeStack, simulator: Simulator, sleeps: Sleeps
) -> None:
    downlinks = make_stack("control").downlinks
    simulator.faults.rate_limits["/down/push"] = RateLimit(burst=1, per_minute=6)
    command = [Downlink(f_port=1, payload=b"\1")]
    await downlinks.push(VICKI, command)
    with pytest.raises(RateLimited):
        await downlinks.push(VICKI, command, max_wait=3)
    assert sleeps == []


async def test_formatters(make_stack: MakeStack) -> None:
    downlinks = make_stack("manage").downlinks
    assert await downlinks.formatter(VICKI) == Formatter(kind="FORMATTER_REPOSITORY")
    assert await downlinks.formatter("weather-station") is None
    assert await downlinks.formatter("old-abp-node") is None
    with pytest.raises(NotFound):
        await downlinks.formatter("nosuch")


async def test_application_formatter_applies_where_the_device_has_none(
    make_stack: MakeStack, simulator: Simulator
) -> None:
    simulator.application.link = {"default_formatters": {"down_formatter": "FORMATTER_CAYENNELPP"}}
    device = next(
        device_id
        for device_id, device in simulator.devices.items()
        if "formatters" not in device.documents.get("as", {})
    )
    found = await make_stack("all").downlinks.formatter(device)
    assert found == Formatter(kind="FORMATTER_CAYENNELPP")
    with pytest.raises(MissingRight) as refused:
        await make_stack("control").downlinks.formatter(device)
    assert refused.value.rights == ("RIGHT_APPLICATION_SETTINGS_BASIC",)


async def test_encode(make_stack: MakeStack) -> None:
    downlinks = make_stack("read").downlinks
    repository = Formatter(kind="FORMATTER_REPOSITORY")
    vicki = VersionIds(brand_id="mclimate", model_id="vicki", firmware_version="1.0")
    made = await downlinks.encode(
        VICKI, Downlink(decoded_payload={"setTargetTemperature": 30}), repository, version_ids=vicki
    )
    assert (made.f_port, made.payload) == (1, b"\x0e\x1e")
    assert made.warnings == ("above the usual range",)
    with pytest.raises(InvalidRequest) as refused:
        await downlinks.encode(
            VICKI, Downlink(decoded_payload={"x": 1}), repository, version_ids=vicki
        )
    assert refused.value.name == "output_errors"
    assert str(refused.value) == "unknown command"
