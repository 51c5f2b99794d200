"""The examples of the library, run as a user runs them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
import os
from pathlib import Path
import sys

import pytest

from tests.simulator import Simulator

EXAMPLES = Path(__file__).parents[2] / "examples"
VALVE = "bath-radiator"

type Start = Callable[..., Coroutine[None, None, asyncio.subprocess.Process]]


@pytest.fixture
async def start(simulator: Simulator) -> AsyncIterator[Start]:
    """Start an example that connects to the simulator; what still runs at the end is killed."""
    started: list[asyncio.subprocess.Process] = []

    async def start(
        example: str, *arguments: str, role: str = "control"
    ) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(EXAMPLES / example),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "TTN_SERVER": simulator.server_url,
                "TTN_IDENTITY_SERVER": simulator.identity_server_url,
                "TTN_APPLICATION": simulator.uid,
                "TTN_API_KEY": simulator.key(role),
            },
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def output(process: asyncio.subprocess.Process) -> list[str]:
    """Return the lines that a program printed, which must have ended well."""
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode().splitlines()


@asynccontextmanager
async def uplinks(simulator: Simulator, device_id: str) -> AsyncIterator[None]:
    """Let an end device speak again and again meanwhile."""

    async def speak() -> None:
        await simulator.wait_connected(timeout=60)
        while True:
            await simulator.uplink(device_id)
            await asyncio.sleep(0.05)

    speaking = asyncio.create_task(speak())
    try:
        yield
    finally:
        speaking.cancel()


def test_each_example_has_a_test_and_a_line_in_the_readme() -> None:
    examples = {path.name for path in EXAMPLES.glob("*.py")} - {"connect.py"}
    here, readme = Path(__file__).read_text("utf-8"), (EXAMPLES / "README.md").read_text("utf-8")
    assert examples
    for name in examples:
        assert f'"{name}"' in here
        assert f"`{name}" in readme


async def test_uplinks_are_followed(start: Start, simulator: Simulator) -> None:
    async with uplinks(simulator, "weather-station"):
        lines = await output(await start("follow_uplinks.py", "2", role="read"))
    assert len(lines) == 2
    assert all(line.startswith("weather-station ") for line in lines)
    assert "temperature" in lines[0]


async def test_silent_devices_are_listed(start: Start, simulator: Simulator) -> None:
    lines = await output(await start("list_silent_devices.py", "24", role="read"))
    assert "never-joined never" in lines
    assert set(simulator.devices) >= {line.split()[0] for line in lines}


async def test_a_downlink_is_followed(start: Start, simulator: Simulator) -> None:
    sending = await start("send_downlink.py", VALVE, "1", "0e14")
    session = simulator.devices[VALVE].session
    assert session is not None
    while not session.queue:
        assert sending.returncode is None, "it ended without queueing"
        await asyncio.sleep(0.01)
    async with uplinks(simulator, VALVE):
        lines = await output(sending)
    assert lines[0] == "queued"
    assert lines[-1] == "ack"


async def test_a_payload_is_explained(start: Start) -> None:
    lines = await output(await start("explain_payload.py"))
    assert "TempC_SHT: 21.4 °C" in lines
    assert any("humidity" in line for line in lines)
