"""The event stream says of downlinks what a real server said."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.recordings import load
from tests.simulator import Simulator
from tests.simulator.events import Subscriber
from tests.simulator_tests.clients import call

DEVICE = "bath-radiator"
KINDS = ("as.down.data.receive", "as.down.data.drop")


def about_calls(events: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the events about downlinks received and dropped: name, error, kinds of IDs."""
    return [
        (
            event["name"],
            event["data"]["@type"],
            event["data"].get("name"),
            *sorted(name.rpartition(":")[0] for name in event["correlation_ids"]),
        )
        for event in events
        if event["name"] in KINDS and event["identifiers"][0]["device_ids"]["device_id"] == DEVICE
    ]


@pytest.mark.parametrize(
    ("downlinks", "first", "count"),
    [
        ([{"f_port": 1, "frm_payload": "DhY="}], 0, 1),
        ([{"frm_payload": "AQ=="}], 2, 2),
        ([{"f_port": 1, "frm_payload": "AQ=="}, {"frm_payload": "AQ=="}], 8, 4),
    ],
    ids=["queued", "refused", "one of two refused"],
)
async def test_a_call_on_a_queue(
    garden: Simulator, downlinks: list[dict[str, Any]], first: int, count: int
) -> None:
    """Received in any case; what is refused is dropped, and named only in a call of one."""
    recorded = about_calls(item.get("result", item) for item in load("events/day.json"))
    reader = Subscriber(lambda _event: True, [])
    garden.events.subscribers.append(reader)
    path = f"/as/applications/garden/devices/{DEVICE}/down/push"
    await call(garden, "POST", path, "control", json={"downlinks": downlinks})
    events = [
        event for _ in range(reader.waiting.qsize()) if (event := reader.waiting.get_nowait())
    ]
    assert about_calls(events) == recorded[first : first + count]
