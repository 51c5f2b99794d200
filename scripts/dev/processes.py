"""The simulator and Home Assistant as processes of their own."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import json
import os
from pathlib import Path
import shutil
import socket
import sys
from typing import IO, Any

from .api import HomeAssistant
from .options import Application
from .state import ROOT, seed

START_TIMEOUT = 60
STOP_TIMEOUT = 20


class StartError(Exception):
    """A process ended or kept silent instead of starting."""


@asynccontextmanager
async def simulator(world: str = "demo", key: str = "manage") -> AsyncIterator[Application]:
    """Run the simulator; gives its first application, with the key of that name."""
    async with _simulator("--world", world) as addresses:
        application_id, application = next(iter(addresses["applications"].items()))
        yield Application(
            server=addresses["server"],
            identity_server=addresses["identity_server"],
            application_id=application_id,
            api_key=application["keys"][key],
        )


@asynccontextmanager
async def simulator_v2(world: str = "demo", key: str = "default") -> AsyncIterator[Application]:
    """Run the simulator of version 2; gives its first application, with the key of that name."""
    async with _simulator("--stack", "v2", "--world", world) as addresses:
        application_id, application = next(iter(addresses["applications"].items()))
        yield Application(
            server=addresses["handler"],
            application_id=application_id,
            api_key=application["keys"][key],
            mqtt=addresses["mqtt"],
            senders=tuple(
                (item["dev_id"], item["dev_eui"], item["description"])
                for item in application["senders"]
            ),
        )


@asynccontextmanager
async def _simulator(*arguments: str) -> AsyncIterator[dict[str, Any]]:
    """Run a simulator; gives what it reports of itself."""
    async with _process("-m", "tests.simulator", "--json", *arguments, stdout=PIPE) as child:
        assert child.stdout is not None
        try:
            line = await asyncio.wait_for(child.stdout.readline(), START_TIMEOUT)
            addresses: dict[str, Any] = json.loads(line)
        except (TimeoutError, ValueError) as error:
            raise StartError("The simulator didn't start") from error
        draining = asyncio.create_task(_drain(child.stdout))
        try:
            yield addresses
        finally:
            draining.cancel()


@asynccontextmanager
async def home_assistant(
    folder: Path, *, port: int | None, keep: bool = False, log: IO[bytes] | None = None
) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant on the state in `folder`; gives it once it is running.

    Without `keep` the folder is emptied first. Its output goes to `log`, else to stderr.
    """
    if not keep:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    port = port or free_port()
    token = await asyncio.to_thread(seed, folder, port)
    arguments = ("-m", "scripts.dev.hass", "--config", str(folder), "--skip-pip")
    async with (
        _process(*arguments, stdout=log or sys.stderr.fileno()) as child,
        HomeAssistant(f"http://127.0.0.1:{port}", token) as running,
    ):
        running.ended = asyncio.create_task(child.wait())
        started = asyncio.create_task(running.wait_running())
        try:
            await asyncio.wait(
                (running.ended, started),
                timeout=START_TIMEOUT,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if running.ended.done() or not started.done():
                raise StartError("Home Assistant didn't start")
            await started
            yield running
        finally:
            started.cancel()
            running.ended.cancel()


def free_port() -> int:
    """Return a port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_use(port: int) -> bool:
    """Tell whether somebody listens on this port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def _process(*arguments: str, stdout: int | IO[bytes]) -> AsyncIterator[Process]:
    # Of its own session: Ctrl-C reaches this program, which then stops the others in order.
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdin=DEVNULL,
        stdout=stdout,
        stderr=None if stdout == PIPE else STDOUT,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        await _stop(child)


async def _stop(child: Process) -> None:
    if child.returncode is not None:
        return
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), STOP_TIMEOUT)
    except TimeoutError:
        child.kill()
        await child.wait()


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        pass
