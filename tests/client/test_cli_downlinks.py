"""The commands about downlinks."""

import asyncio
from typing import Any

import pytest

from tests.simulator import Simulator

from .test_cli import Run, run

__all__ = ["run"]

VICKI = "bath-radiator"
PUSH = ("downlink", "push", VICKI)


async def test_push_queue_replace_clear(run: Run) -> None:
    result = await run(*PUSH, "--hex", "0e:14", "--f-port", "1", role="control")
    assert (result.code, result.out) == (0, "queued\n")
    result = await run(*PUSH, "--object", '{"setTargetTemperature": 21}', "--priority", "high")
    assert result.code == 0, result.err
    result = await run("downlink", "queue", VICKI)
    assert result.out == "port 1  0e14  LOWEST\nport 1  0e15  HIGH\n"
    result = await run(
        "downlink", "replace", VICKI, "--base64", "Dho=", "--f-port", "1", "--confirmed", "--yes"
    )
    assert result.code == 0, result.err
    (item,) = (await run("downlink", "queue", VICKI, "--json")).json
    assert item["frm_payload"] == "Dho="
    assert result.err == "2 waiting downlinks were dropped\n"
    result = await run("downlink", "clear", VICKI, "--yes", "--json")
    assert result.json == {"device_id": VICKI, "state": "cleared", "dropped": 1}
    result = await run("downlink", "clear", VICKI, "--yes")
    assert (result.out, result.err) == ("cleared\n", "no downlink was waiting\n")
    result = await run("downlink", "queue", VICKI)
    assert (result.code, result.out, result.err) == (0, "", "no waiting downlink found\n")


@pytest.mark.parametrize(
    "arguments", [("clear", VICKI), ("replace", VICKI, "--hex", "01", "--f-port", "1")]
)
async def test_a_queue_is_not_dropped_unasked(
    run: Run, simulator: Simulator, arguments: tuple[str, ...]
) -> None:
    await run(*PUSH, "--hex", "0e14", "--f-port", "1", role="control")
    result = await run("downlink", *arguments)
    assert result.code == 2
    assert "repeat it with --yes" in result.err
    session: Any = simulator.devices[VICKI].session
    assert len(session.queue) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--f-port", "1"),
        ("--hex", "01", "--base64", "AQ==", "--f-port", "1"),
        ("--hex", "01"),
        ("--hex", "0", "--f-port", "1"),
        ("--base64", "z!", "--f-port", "1"),
        ("--object", "[1]"),
        ("--object", "{"),
        ("--hex", "01", "--f-port", "224"),
        ("--hex", "01", "--f-port", "1", "--retries", "2"),
        ("--hex", "01", "--f-port", "1", "--wait", "acknowledged"),
        ("--hex", "01", "--f-port", "1", "--priority", "urgent"),
    ],
)
async def test_usage(run: Run, arguments: tuple[str, ...]) -> None:
    result = await run(*PUSH, *arguments, role="control")
    assert result.code == 2
    assert result.err


@pytest.mark.parametrize(
    ("device_id", "arguments", "name"),
    [
        ("never-joined", ("--hex", "01", "--f-port", "1"), "no_device_session"),
        ("nosuch", ("--hex", "01", "--f-port", "1"), "end_device_not_found"),
        (VICKI, ("--object", '{"nosuch": 1}'), "output_errors"),
        ("weather-station", ("--object", '{"a": 1}', "--f-port", "1"), "no_downlink_formatter"),
    ],
)
async def test_refusals(run: Run, device_id: str, arguments: tuple[str, ...], name: str) -> None:
    result = await run("downlink", "push", device_id, *arguments, role="manage")
    assert result.code == 1
    assert result.err.startswith(f"{name}: ")


async def test_missing_right(run: Run) -> None:
    for via in ("http", "mqtt"):
        result = await run(*PUSH, "--hex", "01", "--f-port", "1", "--via", via)
        assert result.code == 1
        assert result.err.startswith("insufficient_application_rights")


async def test_mqtt(run: Run, simulator: Simulator) -> None:
    result = await run(*PUSH, "--hex", "0e14", "--f-port", "1", "--via", "mqtt", role="control")
    assert (result.code, result.out) == (0, "published\n")
    assert "it may have refused the downlink" in result.err
    assert len(simulator.devices[VICKI].session.queue) == 1  # type: ignore[union-attr]


async def _uplinks_once_queued(simulator: Simulator, count: int) -> None:
    session: Any = simulator.devices[VICKI].session
    while not session.queue:
        await asyncio.sleep(0.01)
    for _ in range(count):
        await simulator.uplink(VICKI)


@pytest.mark.parametrize("via", ["http", "mqtt"])
async def test_wait(run: Run, simulator: Simulator, via: str) -> None:
    radio = asyncio.create_task(_uplinks_once_queued(simulator, 2))
    result = await run(
        *PUSH, "--hex", "0e14", "--f-port", "1", "--confirmed", "--wait", "acknowledged",
        "--via", via, "--json", role="control",
    )  # fmt: skip
    await radio
    assert result.code == 0, result.err
    assert result.json["state"] == "acknowledged"


async def test_wait_in_vain(run: Run, simulator: Simulator) -> None:
    result = await run(
        *PUSH, "--hex", "0e14", "--f-port", "1", "--wait", "sent", "--timeout", "0.3",
        role="control",
    )  # fmt: skip
    assert (result.code, result.err.partition(":")[0]) == (1, "timed_out")
    await run("downlink", "clear", VICKI, "--yes")
    simulator.devices[VICKI].acknowledges = False
    radio = asyncio.create_task(_uplinks_once_queued(simulator, 3))
    result = await run(
        *PUSH, "--hex", "0e14", "--f-port", "1", "--confirmed", "--retries", "1",
        "--wait", "acknowledged",
    )  # fmt: skip
    await radio
    assert (result.code, result.err.partition(":")[0]) == (1, "max_retries_reached")


async def test_mqtt_to_an_unknown_device(run: Run) -> None:
    """Nothing comes back: that it stays queued would be a guess."""
    result = await run(
        "downlink", "push", "nosuch", "--hex", "01", "--f-port", "1", "--via", "mqtt",
        "--wait", "sent", "--timeout", "0.3", role="control",
    )  # fmt: skip
    assert (result.code, result.err.partition(":")[0]) == (1, "timed_out")
    assert "may have refused it: does the device `nosuch` exist?" in result.err
    assert "stays queued" not in result.err
